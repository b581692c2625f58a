"""Orders, refunds and tickets: what a person has of them, out of facts that each have an id of their source.

A record keeps one statement per thing, so that a fact told twice, or by two events, counts once, and nothing is ever
added up on the way: counts and revenue are worked out of the things when the line is written (identity.md §3.6).

The value of an order is `19.90 EUR`, with `cancelled` behind it where it earns nothing; of a refund `5.00 EUR 7` with
the order's id (`-` for a currency that is not said); of a ticket nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from hub.identity.normalise import clean
from hub.identity.word import Word

MOST_THINGS = 500
"""Things of one sort that a record keeps: the newest. So a count stops here, and a record stays below 200 kB."""
ORDER, REFUND, TICKET = "order", "refund", "ticket"
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)
_CANCELLED = "cancelled"
_EARNS_NOTHING = frozenset({"cancelled", "canceled", "voided", "refunded", "failed"})
_LONGEST_ID = 256


class Thing(NamedTuple):
    """A thing as an event states it: `order:7`, and its value (see above)."""

    name: str
    value: str

    @property
    def sort(self) -> str:
        """`order`, `refund` or `ticket`."""
        return self.name.partition(":")[0]


class Stated(NamedTuple):
    """The last word of a record on a thing, and whose record it is."""

    value: str
    at: str
    event: str
    trusted: bool
    source: str
    key: str


class Derived(NamedTuple):
    """A field that is worked out; its source, key and time are those of the newest thing in it."""

    field: str
    value: str
    newest: Stated


def order(identity: str, total: str, currency: str, *, cancelled: bool, status: str) -> Thing:
    """An order, as one of its events tells it."""
    nothing = cancelled or status.lower() in _EARNS_NOTHING
    return _thing(ORDER, identity, " ".join(filter(None, (_money(total, currency), _CANCELLED if nothing else ""))))


def refund(identity: str, total: str, currency: str, of_order: str) -> Thing | None:
    """Money that went back; None where it is not said how much."""
    money = _money(total, currency or "-")
    return _thing(REFUND, identity, f"{money} {clean(of_order)[:_LONGEST_ID]}") if money else None


def ticket(identity: str) -> Thing:
    """A ticket."""
    return _thing(TICKET, identity, "")


def _thing(sort: str, identity: str, value: str) -> Thing:
    return Thing(f"{sort}:{clean(identity)[:_LONGEST_ID]}", value)


def _money(total: str, currency: str) -> str:
    total, currency = total.strip(), currency.strip()
    known = _AMOUNT.fullmatch(total) and (currency == "-" or _CURRENCY.fullmatch(currency))
    return f"{total} {currency.upper()}" if known else ""


def rank(said: Word) -> tuple[bool, bool, str, str, str]:
    """The order of what is said of one thing: trusted, then a word that says something, then the newest."""
    return said.trusted, bool(said.value), said.at, said.event, said.value


def too_many(names: Iterable[str], sort: str) -> list[str]:
    """The things of this sort, where there are more than a record keeps."""
    found = [name for name in names if name.startswith(f"{sort}:")]
    return found if len(found) > MOST_THINGS else []


def derive(things: Iterable[tuple[str, Stated]]) -> Iterator[Derived]:
    """`orders`, `tickets` and `revenue.<currency>` out of all that the records of a person state.

    A thing is one by its source and name, whichever records state it. Strangers' words count where nobody else says
    anything of the sort. A refund lessens its own order, which earns no less than nothing.
    """
    by_sort: dict[str, dict[tuple[str, str], Stated]] = defaultdict(dict)
    for name, one in things:
        known = by_sort[name.partition(":")[0]]
        if (one.source, name) not in known or rank(one) > rank(known[one.source, name]):
            known[one.source, name] = one
    sorts = {sort: _believed(known) for sort, known in by_sort.items()}
    for field, sort in (("orders", ORDER), ("tickets", TICKET)):
        if sorts.get(sort):
            yield Derived(field, str(len(sorts[sort])), _newest(sorts[sort].values()))
    yield from _revenue(sorts.get(ORDER, {}), sorts.get(REFUND, {}))


def _believed(known: Mapping[tuple[str, str], Stated]) -> Mapping[tuple[str, str], Stated]:
    return {thing: one for thing, one in known.items() if one.trusted} or known


def _newest(stated: Iterable[Stated]) -> Stated:
    return max(stated, key=lambda one: (one.at, one.event, one.source, one.key))


def _revenue(orders: Mapping[tuple[str, str], Stated], refunds: Mapping[tuple[str, str], Stated]) -> Iterator[Derived]:
    back: dict[tuple[str, str], list[Stated]] = defaultdict(list)
    for (source, _), one in refunds.items():
        back[source, f"{ORDER}:{one.value.split(' ', 2)[2]}"].append(one)
    earned: dict[str, list[tuple[Decimal, Stated]]] = defaultdict(list)
    for thing, one in orders.items():
        currency = f"{one.value}  ".split(" ")[1]
        if currency:
            earned[currency] += _earned(one, back[thing])
    for currency, parts in sorted(earned.items()):
        whole = sum((amount for amount, _ in parts), Decimal(0))
        yield Derived(f"revenue.{currency}", format(whole, "f"), _newest(one for _, one in parts))


def _earned(order: Stated, refunds: Iterable[Stated]) -> Iterator[tuple[Decimal, Stated]]:
    """What an order comes to; and, for no further amount, the refunds in its currency that made it so."""
    written, currency, *gone = order.value.split()
    total = Decimal(written)
    none = total - total
    for one in refunds:
        amount, its_currency, _ = one.value.split(" ", 2)
        if its_currency in {currency, "-"}:
            total -= Decimal(amount)
            yield none, one
    yield none if gone else max(total, none), order
