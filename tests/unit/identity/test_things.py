"""Orders, refunds and tickets: each counts once, by its source and id, and is worth what was said of it last."""

from __future__ import annotations

import orjson
import pytest

from hub.identity import things
from hub.identity.evidence import Fact, Words
from hub.identity.things import MOST_THINGS, Thing
from tests.support.memory import day, fact, learned, whole

X = "x@firm.org"


def bought(number: str, total: str = "", *, currency: str = "EUR", cancelled: bool = False, status: str = "") -> Thing:
    return things.order(number, total, currency, cancelled=cancelled, status=status)


def back(number: str, total: str, of: str, currency: str = "EUR") -> Thing:
    found = things.refund(number, total, currency, of)
    assert found
    return found


def said(source: str, at: int, *what: Thing, trusted: bool | None = None) -> Fact:
    return fact(source, Words("1", X), day(at), trusted=trusted)._replace(things=what)


def values(*facts: Fact) -> dict[str, str]:
    (one,) = whole(facts).lines
    told = {name: field["value"] for name, field in orjson.loads(one)["fields"].items()}
    return {name: value for name, value in told.items() if name.startswith(("orders", "tickets", "revenue"))}


def test_an_order_that_is_told_often_is_one_order_at_its_last_amount() -> None:
    facts = [said("shop", 1, bought("7", "19.90")), said("shop", 2, bought("7", "24.90")), said("shop", 1, bought("7"))]
    assert values(*facts) == {"orders": "1", "revenue.EUR": "24.90"}


def test_orders_of_two_shops_with_one_number_are_two_and_currencies_are_kept_apart() -> None:
    facts = [said("shop", 1, bought("7", "19.90")), said("till", 1, bought("7", "1.10")),
             said("till", 2, bought("8", "300", currency="jpy"))]  # fmt: skip
    assert values(*facts) == {"orders": "3", "revenue.EUR": "21.00", "revenue.JPY": "300"}


@pytest.mark.parametrize("status", ["cancelled", "Canceled", "voided", "refunded"])
def test_an_order_that_is_off_earns_nothing(status: str) -> None:
    facts = [said("shop", 1, bought("7", "19.90")), said("shop", 2, bought("7", "19.90", status=status))]
    assert values(*facts) == {"orders": "1", "revenue.EUR": "0.00"}


def test_an_order_that_is_cancelled_without_its_amount_earns_nothing() -> None:
    facts = [said("shop", 1, bought("7", "19.90")), said("shop", 2, bought("7", cancelled=True))]
    assert values(*facts) == {"orders": "1"}


def test_a_refund_lessens_its_order_in_whatever_order_they_come() -> None:
    facts = [said("shop", 3, back("r1", "5.00", "7")), said("shop", 1, bought("7", "19.90"))]
    assert values(*facts) == values(*facts[::-1]) == {"orders": "1", "revenue.EUR": "14.90"}


def test_refunds_never_make_an_order_cost_the_shop_something() -> None:
    facts = [said("shop", 1, bought("7", "19.90")), said("shop", 2, back("r1", "19.90", "7")),
             said("shop", 3, back("r2", "5.00", "7", "")), said("shop", 4, bought("8", "1.00"))]  # fmt: skip
    assert values(*facts) == {"orders": "2", "revenue.EUR": "1.00"}


def test_a_refund_in_another_currency_or_of_an_unknown_order_takes_nothing() -> None:
    facts = [said("shop", 1, bought("7", "19.90")), said("shop", 2, back("r1", "5.00", "7", "USD")),
             said("shop", 2, back("r2", "5.00", "99"))]  # fmt: skip
    assert values(*facts) == {"orders": "1", "revenue.EUR": "19.90"}


def test_what_strangers_bought_counts_only_where_nobody_else_says_anything() -> None:
    stranger = fact("web", Words(email=X), day(9))._replace(things=(bought("1", "1000000.00"),))
    assert values(stranger) == {"orders": "1", "revenue.EUR": "1000000.00"}
    assert values(stranger, said("shop", 1, bought("7", "19.90"))) == {"orders": "1", "revenue.EUR": "19.90"}


@pytest.mark.parametrize("total", ["", "free", "-5", "1e9", "NaN", "1" * 16])
def test_an_amount_that_is_none_leaves_an_order_without_one(total: str) -> None:
    assert values(said("shop", 1, bought("7", total))) == {"orders": "1"}


def test_tickets_are_counted() -> None:
    facts = [said("desk", at, things.ticket(number)) for at, number in enumerate("1121", 1)]
    assert values(*facts) == {"tickets": "2"}


def test_a_record_keeps_the_newest_of_very_many_in_any_order() -> None:
    facts = [said("shop", at, bought(str(at % 1000), f"{at}.00"), things.ticket("1")) for at in range(MOST_THINGS + 20)]
    (forth,), _ = learned(facts)
    (back_to_front,), _ = learned(facts[::-1])
    assert forth.evidence.things == back_to_front.evidence.things
    assert "order:19" not in forth.evidence.things
    assert forth.evidence.things.keys() >= {"order:20", "ticket:1"}
    assert values(*facts)["orders"] == str(MOST_THINGS)
