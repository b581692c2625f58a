"""What belongs to one person by its nature: the things of a source, and devices."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hub.identity.evidence import MOST_OBJECTS, Fact, Words, recognise
from tests.support.memory import day, fact, people

ANN = Words("c-1", "ann@firm.org", given_name="Ann", objects=("order:7",))
REFUND = Words(objects=("order:7",))
VISITOR = Words(device="cookie-k")
ANN_ON_HER_DEVICE = Words("c-1", "ann@firm.org", device="cookie-k")
BOB_ON_HER_DEVICE = Words("c-2", "bob@firm.org", device="cookie-k")


def kinds(facts: Sequence[Fact]) -> list[list[str]]:
    """The kinds of records of each person."""
    return sorted(sorted(known.kind for known in one.records) for one in people(facts))


def test_a_refund_without_a_customer_is_of_whoever_placed_the_order() -> None:
    assert kinds([fact("shop", ANN), fact("shop", REFUND)]) == [["account", "contact_point"]]


def test_a_thing_of_one_source_is_not_that_of_another() -> None:
    assert kinds([fact("shop", ANN), fact("shop-eu", REFUND)]) == [["account"], ["contact_point"]]


def test_a_stranger_who_names_a_thing_learns_and_joins_nothing() -> None:
    stranger = fact("web", Words(email="eve@firm.org", objects=("order:7",)), trusted=False)
    assert kinds([fact("web", ANN, trusted=True), stranger]) == [["account"], ["contact_point"]]


def test_a_thing_links_however_many_events_name_it() -> None:
    guests = [Words(email=f"ann{number}@firm.org", objects=("order:7",)) for number in range(12)]
    assert len(people([fact("shop", words) for words in guests])) == 1


def test_of_very_many_things_only_the_first_are_taken() -> None:
    who = recognise("shop", Words("c-1", objects=tuple(f"order:{number}" for number in range(99))), None)
    assert who is not None
    assert len(who.claims) == MOST_OBJECTS


def test_a_visitor_who_signs_in_was_that_person_all_the_time() -> None:
    facts = [fact("site", VISITOR, day(1)), fact("site", ANN_ON_HER_DEVICE, day(2))]
    (person,) = people(facts)
    assert [known.kind for known in person.records] == ["account", "device"]


def test_a_form_from_a_known_device_attaches_what_it_did_before() -> None:
    form = fact("web", Words(email="ann@firm.org", device="cookie-k"), trusted=False)
    assert kinds([fact("site", VISITOR), form]) == [["contact_point", "device"]]


def test_a_device_of_two_people_is_nobodys_and_joins_nobody() -> None:
    facts = [fact("site", VISITOR), fact("site", ANN_ON_HER_DEVICE), fact("site", BOB_ON_HER_DEVICE)]
    assert kinds(facts) == [["account"], ["account"], ["device"]]


def test_two_records_of_one_person_on_one_device_are_one_owner() -> None:
    form = fact("form", Words(email="ann@firm.org", device="cookie-k"))
    facts = [fact("site", VISITOR), fact("site", ANN_ON_HER_DEVICE), form]
    assert kinds(facts) == [["account", "contact_point", "device"]]


@pytest.mark.parametrize(
    "nonsense", ["undefined", "null", "[object Object]", "00000000-0000-0000-0000-000000000000", " "]
)
def test_what_careless_clients_send_is_no_device(nonsense: str) -> None:
    assert recognise("site", Words(device=nonsense), None) is None
