"""Several spellings of one mailbox lead to one person, at providers where that is known and nowhere else."""

from __future__ import annotations

import random

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.identity.evidence import Fact, Words, may_link, recognise
from hub.identity.normalise import email, known_id, mailbox
from tests.support.memory import Memory, day, fact, people, together, whole

PROVIDERS = ("gmail.com", "googlemail.com", "outlook.com", "live.de", "me.com", "proton.me", "fastmail.fm")
locals_ = st.from_regex(r"[a-z0-9.+_-]{1,12}", fullmatch=True) | st.sampled_from(
    ("in.fo", "info+x", "+x", "a.+x", "te.st")
)
addresses = st.builds(lambda local, domain: f"{local}@{domain}", locals_, st.sampled_from((*PROVIDERS, "firm.org")))


@given(addresses)
def test_a_mailbox_has_one_spelling_that_is_an_address_of_somebody(written: str) -> None:
    known = email(written)
    assume(known is not None)
    assert known
    box = mailbox(known.value)
    if box is not None:
        canonical = email(box)
        assert canonical is not None
        assert (canonical.value, mailbox(box)) == (box, box)
        assert known.blocked or not canonical.blocked


@given(locals_, st.sampled_from(("firm.org", "gmail.com.firm.org", "gmail.de", "outlook.firm.org", "x--gmail.com")))
def test_an_unknown_provider_has_no_mailbox(local: str, domain: str) -> None:
    assert mailbox(f"{local}@{domain}") is None


@pytest.mark.parametrize(
    ("address", "box"),
    [
        ("a.n.n@gmail.com", "ann@gmail.com"),
        ("ann+shop@googlemail.com", "ann@gmail.com"),
        ("a.nn+x+y@gmail.com", "ann@gmail.com"),
        ("a.n.n+shop@outlook.com", "a.n.n@outlook.com"),
        ("ann+x@proton.me", "ann@proton.me"),
        ("ann-x@icloud.com", "ann-x@icloud.com"),
        ("in.fo@gmail.com", None),
        ("+x@gmail.com", None),
        ("a.+x@live.com", None),
    ],
)
def test_dots_and_what_is_behind_a_plus_say_nothing_where_the_provider_says_so(address: str, box: str | None) -> None:
    assert mailbox(address) == box


def said(source: str, address: str, at: int = 1, given_name: str = "Ann") -> Fact:
    account = "" if source in {"web", "kiosk"} else "1"
    return fact(source, Words(account, address, given_name=given_name), day(at))


def test_two_spellings_are_one_person_and_the_line_tells_the_addresses_as_they_were_said() -> None:
    (one,) = whole([said("shop", "ann.lee@gmail.com"), said("crm", "annlee+news@googlemail.com")]).lines
    told = [one["value"] for one in orjson.loads(one)["identifiers"] if one["type"] != "account"]
    assert told == ["ann.lee@gmail.com", "annlee+news@googlemail.com"]


def test_at_an_unknown_provider_two_spellings_are_two_people() -> None:
    assert len(people([said("shop", "ann.lee@firm.org"), said("crm", "annlee@firm.org")])) == 2


def test_a_form_joins_by_the_mailbox_of_the_address_it_is_known_by() -> None:
    assert together(people([said("shop", "ann.lee@gmail.com"), said("web", "annlee@gmail.com", 2)])) == {
        frozenset({"shop:1:ann", "web:annlee@gmail.com:ann"})
    }


def test_names_that_are_clearly_different_part_a_mailbox_too() -> None:
    assert len(people([said("shop", "ann.lee@gmail.com"), said("crm", "annlee@gmail.com", 2, "Zed")])) == 2


def test_an_untrusted_word_links_by_the_mailbox_of_its_key_alone() -> None:
    key = ("email", "ann.lee@gmail.com")
    assert may_link("mailbox", "annlee@gmail.com", trusted=False, key=key)
    assert not may_link("mailbox", "bob@gmail.com", trusted=False, key=key)
    assert not may_link("mailbox", "annlee@gmail.com", trusted=False, key=("", "annlee@gmail.com"))


def test_the_mailbox_of_a_role_is_blocked_as_the_role_is() -> None:
    who = recognise("shop", Words("1", "info+eu@gmail.com"), None)
    assert who
    assert [(claim.namespace, claim.value, claim.blocked) for claim in who.claims] == [
        ("email", "info+eu@gmail.com", True), ("mailbox", "info@gmail.com", True),
    ]  # fmt: skip


spoken = st.tuples(
    st.sampled_from(("shop", "crm", "desk", "web", "kiosk")),
    st.sampled_from(
        ("ann.lee@gmail.com", "annlee@gmail.com", "annlee+x@googlemail.com", "annlee@firm.org", "info@gmail.com")
    ),
    st.integers(1, 3),
    st.sampled_from(("", "Ann", "Annie", "Zed")),
)
sets = st.lists(spoken, min_size=1, max_size=8).map(
    lambda several: [
        fact(source, Words("" if source in {"web", "kiosk"} else str(at), address, given_name=name), day(at),
             natural_id=str(number))
        for number, (source, address, at, name) in enumerate(several)
    ]
)  # fmt: skip


@given(sets, st.randoms(use_true_random=False))
def test_any_order_and_any_batches_come_to_the_same_people(facts: list[Fact], chance: random.Random) -> None:
    memory, mixed = Memory(), [*facts, *facts[:2]]
    chance.shuffle(mixed)
    while mixed:
        size = chance.choice((1, 1, 2, 5))
        memory.batch(mixed[:size])
        memory.check()
        mixed = mixed[size:]
    assert memory.shown() == whole(facts)


@pytest.mark.parametrize(
    "written",
    ["", "0", "-1", "000-000", "null", "NULL", '"null"', "undefined", "[object Object]", "NaN", "anonymous", "guest"],
)
def test_an_id_that_stands_for_nobody_makes_no_account(written: str) -> None:
    assert known_id(written) == ""
    who = recognise("shop", Words(written, "ann@firm.org"), None)
    assert who
    assert who.kind == "contact_point"


@pytest.mark.parametrize("written", ["1", "10", "guest-7", "null-1", "00-1", "u0", "true north"])
def test_an_id_that_only_looks_like_one_is_kept(written: str) -> None:
    assert known_id(written) == written


@pytest.mark.parametrize("written", ["111111@firm.org", "123456@firm.org", "noemail@firm.org", "foo@bar.com"])
def test_an_address_typed_to_get_past_a_form_links_nobody(written: str) -> None:
    found = email(written)
    assert found
    assert found.blocked


@pytest.mark.parametrize("written", ["12@firm.org", "20071984@firm.org", "ann1234@firm.org"])
def test_an_address_with_a_number_in_it_is_a_persons(written: str) -> None:
    found = email(written)
    assert found
    assert not found.blocked
