"""Two profiles side by side: which fields stand there, in which order, and how they compare."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from hub.api.side_by_side import called, side_by_side, verdict


def a_line(identifiers: tuple[tuple[str, str], ...] = (), **fields: str) -> dict[str, Any]:
    """A profile as it is told, as far as it is compared."""
    return {
        "fields": {field: {"value": value, "source": "shop"} for field, value in fields.items()},
        "identifiers": [{"type": kind, "value": value} for kind, value in identifiers],
        "records": [{"key": "4711", "kind": "account", "source": "shop"}],
    }


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("Müller", "MULLER", "equal"),
        ("Siobhán", "Siobhan", "equal"),
        ("Brenner", "Brener", "similar"),
        ("Anna", "Zoe", "different"),
        ("1984-03-09", "1984-09-03", "similar"),
        ("1984-03-09", "1984-03-08", "similar"),
        ("1984-03-09", "1985-11-09", "different"),
        ("+4930901820", "+4930901821", "similar"),
        ("+4930901820", "+4989123456", "different"),
        ("李", "李", "equal"),
        ("!!", "!!", "equal"),
    ],
)
def test_values_compare_as_a_person_would_say(one: str, other: str, said: str) -> None:
    assert verdict([one], [other]) == verdict([other], [one]) == said


def test_one_value_in_common_is_enough_and_none_at_all_is_only_one() -> None:
    assert verdict(["a@x.org", "b@x.org"], ["b@x.org"]) == "equal"
    assert verdict([], ["b@x.org"]) == verdict(["b@x.org"], []) == "only one"


def test_every_field_that_one_of_them_has_stands_there_in_a_fixed_order() -> None:
    address = orjson.dumps({"city": "Bristol", "street": "Mill Lane 3", "postcode": "BS1 4QX"}).decode()
    one = a_line((("email", "a@x.org"), ("email", "b@x.org"), ("device", "d1")), zebra="yes", email="b@x.org",
                 name="Ann Lee", address=address)  # fmt: skip
    other = a_line((("phone", "+4930901820"),), name="Ann Leigh", address="{broken", company="Lee Ltd")
    rows = side_by_side(one, other)
    assert [row["field"] for row in rows] == ["name", "email", "phone", "address", "company", "zebra"]
    by_field = {row["field"]: row for row in rows}
    assert by_field["email"] == {"field": "email", "one": "a@x.org, b@x.org", "other": "", "verdict": "only one"}
    assert by_field["address"]["one"] == "Mill Lane 3, BS1 4QX, Bristol"
    assert by_field["name"]["verdict"] == "similar"


def test_people_are_called_by_what_is_known_of_them() -> None:
    assert called(a_line(name="Ann Lee", given_name="Anna")) == "Ann Lee"
    assert called(a_line(given_name="Anna", family_name="Lee")) == "Anna Lee"
    assert called(a_line((("email", "a@x.org"),))) == "a@x.org"
    assert called(a_line()) == "4711"
    assert called(None) == "nobody"
