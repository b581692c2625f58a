"""What an event says of a person beside names and addresses, from its JSON to the words of `hub.identity`."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from consumers.reading import UnreadableEvent, read
from hub.components import Record
from hub.identity.evidence import Fact
from hub.identity.things import Thing

ANN = {"id": "c-1", "email": "ann@firm.org"}
HEADERS = [("ce_specversion", b"1.0"), ("ce_id", b"7"), ("ce_source", b"crm")]


def fact_of(event_type: str, data: Any) -> Fact:
    headers = [*HEADERS, ("ce_type", event_type.encode())]
    return read(Record("inbound.tools", 0, 0, 1_795_305_600_000, None, orjson.dumps(data), headers), {})


def fields(event_type: str, data: Any) -> dict[str, str]:
    who = fact_of(event_type, data).who
    assert who
    return dict(who.fields)


def test_a_contact_may_say_all_of_these() -> None:
    more = {
        "company": "Firm",
        "job_title": " CEO ",
        "language": "pt_br",
        "timezone": " America/Sao_Paulo ",
        "birth_date": "1980-02-29",
        "tax_id": "DE 129273398",
        "address": {"street": "Ring 1", "city": "Wien", "country": "at", "planet": 3},
        "tags": ["vip", "b2b", "vip", " "],
        "email_verified": True,
    }
    assert fields("contact.updated", {"contact": ANN | more}) == {
        "company": "Firm",
        "email": "ann@firm.org",
        "job_title": "CEO",
        "language": "pt-BR",
        "timezone": "America/Sao_Paulo",
        "birth_date": "1980-02-29",
        "tax_id": "DE 129273398",
        "address": '{"city":"Wien","country":"AT","street":"Ring 1"}',
        "tags": '["b2b","vip"]',
        "email_verified": "ann@firm.org",
    }


@pytest.mark.parametrize(
    "bad",
    [{"timezone": "Berlin"}, {"timezone": "+02:00"}, {"timezone": "Europe/../etc"},
     {"language": "English"}, {"language": "d"}, {"birth_date": "29.2.1980"}, {"birth_date": "1981-02-29"},
     {"birth_date": "0000-00-00"}, {"birth_date": "1900-01-01"}, {"address": {}}, {"address": {"city": " "}},
     {"phone_verified": True}, {"tax_id": ""}],
)  # fmt: skip
def test_what_is_no_such_thing_is_left_out(bad: dict[str, Any]) -> None:
    assert fields("contact.updated", {"contact": ANN | bad}) == {"email": "ann@firm.org"}


@pytest.mark.parametrize(
    ("bad", "field"),
    [({"language": 7}, "language"), ({"address": "Wien"}, "address"), ({"address": {"city": 7}}, "address.city"),
     ({"tags": "vip"}, "tags"), ({"tags": [7]}, "tags[0]"), ({"email_verified": "yes"}, "email_verified")],
)  # fmt: skip
def test_another_type_is_an_error_that_names_the_field(bad: dict[str, Any], field: str) -> None:
    with pytest.raises(UnreadableEvent) as unread:
        fact_of("contact.updated", {"contact": ANN | bad})
    assert unread.value.field == f"data.contact.{field}"


def test_a_forms_further_fields_are_traits_where_they_bear_their_names() -> None:
    form = {
        "email": "ann@firm.org",
        "fields": {
            "language": "de",
            "timezone": "Europe/Berlin",
            "city": "Wien",
            "Street": "Ring 1",
            "country": ["AT"],
        },
    }
    assert fields("form.submitted", form) == {
        "email": "ann@firm.org",
        "language": "de",
        "timezone": "Europe/Berlin",
        "address": '{"city":"Wien"}',
    }


def test_a_forms_fields_win_over_its_contact_which_keeps_the_rest() -> None:
    form = {"company": "Mine", "contact": ANN | {"company": "Its", "job_title": "CEO", "language": "en"}}
    expected = {"email": "ann@firm.org", "company": "Mine", "job_title": "CEO", "language": "en"}
    assert fields("form.submitted", form) == expected
    assert fields("form.submitted", form | {"fields": {"language": "de"}}) == expected | {"language": "de"}


ORDER = {"id": "7", "total": "19.90", "currency": "eur"}


@pytest.mark.parametrize(
    ("event_type", "data", "told"),
    [
        ("order.placed", {"order": ORDER}, [("order:7", "19.90 EUR")]),
        ("order.updated", {"order": {"id": "7"}}, [("order:7", "")]),
        ("order.updated", {"order": ORDER | {"status": "Cancelled"}}, [("order:7", "19.90 EUR cancelled")]),
        ("order.cancelled", {"order": {"id": "7"}}, [("order:7", "cancelled")]),
        ("order.refunded", {"order": {"id": "7"}, "refund": {"id": "1", "total": "5.00", "currency": "EUR"}},
         [("order:7", ""), ("refund:1", "5.00 EUR 7")]),
        ("order.refunded", {"order": {"id": "7"}, "refund": {"id": "1"}}, [("order:7", "")]),
        ("order.placed", {"order": {"id": " "}}, []),
        ("order.placed", {}, []),
        ("ticket.opened", {"ticket": {"id": "3"}}, [("ticket:3", "")]),
        ("ticket.opened", {}, []),
        ("call.logged", {"order": "a word of its own"}, []),
    ],
)  # fmt: skip
def test_an_event_tells_of_its_things(event_type: str, data: dict[str, Any], told: list[Thing]) -> None:
    assert list(fact_of(event_type, data | {"contact": ANN}).things) == told


def test_an_order_of_another_shape_is_an_error_that_names_the_field() -> None:
    with pytest.raises(UnreadableEvent) as unread:
        fact_of("order.placed", {"contact": ANN, "order": ORDER | {"total": 19.9}})
    assert unread.value.field == "data.order.total"
