"""An installation's own list of what stands for nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.errors import Misconfigured
from hub.identity import blocklist, normalise
from hub.identity.evidence import Words
from hub.settings import check
from tests.support.memory import day, fact, people

OURS = ["*@agency.example", "Front.Desk@firm.example", "+49 30 901820"]


@pytest.fixture
def ours() -> Iterator[None]:
    blocklist.apply(check({"identity": {"blocked": OURS}}))
    yield
    blocklist.use(())


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("written", ["ann@agency.example", "ANN@AGENCY.example", "front.desk@firm.example"])
def test_an_address_of_the_list_stands_for_nobody(written: str) -> None:
    found = normalise.email(written)
    assert found
    assert found.blocked


@pytest.mark.usefixtures("ours")
def test_others_of_the_same_domain_and_other_numbers_stand_for_somebody() -> None:
    for found in (normalise.email("ann@firm.example"), normalise.phone("+49 30 901821", None)):
        assert found
        assert not found.blocked


def test_the_list_decides_who_is_joined() -> None:
    words = [Words("1", "ann@agency.example", "+4930901820", "Ann Lee"), Words("2", "ann@agency.example")]

    def counted() -> int:
        return len(people([fact("shop", words[0], day(1)), fact("crm", words[1], day(2))]))

    assert counted() == 1
    blocklist.use(OURS)
    assert counted() == 2
    blocklist.use(())
    assert counted() == 1


@pytest.mark.parametrize("wrong", ["", "agency.example", "030 901820", "*@", "*", "@agency.example"])
def test_an_entry_that_is_nothing_is_told_by_name(wrong: str) -> None:
    with pytest.raises(Misconfigured, match=r"identity\.blocked: .* is neither"):
        blocklist.apply(check({"identity": {"blocked": [OURS[0], wrong]}}))
    assert not normalise.NOBODY_HERE
