"""What people say to a company, tool by tool: shop, desk, CRM, forms, mail and clicks, over the days of their lives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

from bench.identity.names import mistyped
from bench.identity.people import DAYS, Human
from bench.identity.wording import REGION, Habit, without_name, words
from hub.identity.evidence import Words

SHOP, DESK, CRM, FORM, MAIL, SITE = "shop-eu", "desk", "crm", "web-eu", "inbox", "site"
REPEATED, LATE, VERY_LATE, REFUNDED = 0.05, 0.10, 0.03, 0.08
PLACEHOLDERS = ("test@test.test", "a@a.com", "abc@abc.com", "me@me.com", "asdf@asdf.com", "none@example.invalid")
_IN_SHOP, _AT_DESK, _IN_CRM, _BY_FORM, _BY_MAIL, _ON_SITE, _AS_GUEST = 0.55, 0.30, 0.35, 0.45, 0.35, 0.40, 0.10
_DAY = 86_400
_TEXTS = ("Where is my order?", "Please call me back.", "An offer, please.", "It does not work.", "Thank you!")
_SIGNED_IN = Habit(cookie=0.3)
_REQUESTER = Habit(phone=0.3, work=0.5)
_FILED = Habit(phone=0.9, work=0.3, nickname=0.03)
_TYPED = Habit(cookie=0.3, work=0.4, nameless=0.08, initial=0.02, slip=0.03)
_SIGNED = Habit(phone=0.0, work=0.4, nameless=0.15, nickname=0.10)


class Said(NamedTuple):
    """One arrival: whose word it truly is, and what an outsider sees. Times are seconds since the first day."""

    person: int
    source: str
    type: str
    natural_id: str
    words: Words
    at: int
    received: int
    trusted: bool
    text: str


class Life:
    """What one person says in all these years. `numbers` are for accounts, orders and events of everybody."""

    def __init__(self, human: Human, chance: random.Random, numbers: count[int]) -> None:
        self._human = human
        self._chance = chance
        self._numbers = numbers
        self._last = min(DAYS, human.first + 60 + chance.randrange(900))

    def told(self) -> Iterator[Said]:
        """Everything, repeats and late arrivals among it."""
        for one in self._once():
            late = self._chance.random()
            arrived = one
            if late < VERY_LATE:
                self._human.traits.add("very late")
                arrived = one._replace(received=one.at + _DAY * self._chance.randrange(30, 400))
            elif late < LATE:
                arrived = one._replace(received=one.at + self._chance.randrange(600, 3 * _DAY))
            yield arrived
            if self._chance.random() < REPEATED:
                self._human.traits.add("repeat")
                yield arrived._replace(received=arrived.received + self._chance.randrange(1, 4 * 3600))

    def _once(self) -> Iterator[Said]:
        tools = (
            (_IN_SHOP, self._shop), (_AT_DESK, self._desk), (_IN_CRM, self._crm), (_BY_FORM, self._forms),
            (_BY_MAIL, self._mails), (_AS_GUEST, self._guest),
        )  # fmt: skip
        for tell in [tell for share, tell in tools if self._chance.random() < share] or [self._forms]:
            yield from tell()
        if self._chance.random() < _ON_SITE:
            yield from self._clicks()

    def _say(self, source: str, kind: str, day: int, said: Words, *, trusted: bool = True) -> Said:
        at = day * _DAY + self._chance.randrange(_DAY)
        text = self._chance.choice(_TEXTS)
        return Said(self._human.number, source, kind, f"e-{next(self._numbers)}", said, at, at + 2, trusted, text)

    def _words(self, day: int, habit: Habit, account: str = "") -> Words:
        return words(self._human, day, habit, self._chance)._replace(id=account)

    def _days(self, most: int) -> list[int]:
        """Days on which this person turns up: one up to `most`."""
        span = max(1, self._last - self._human.first)
        return sorted(self._human.first + self._chance.randrange(span) for _ in range(self._chance.randint(1, most)))

    def _shop(self) -> Iterator[Said]:
        for _ in range(2 if "second account" in self._human.traits else 1):
            account, days = self._account(), self._days(4)
            yield self._say(SHOP, "contact.updated", days[0], self._words(days[0], _SIGNED_IN, account))
            for day in days:
                yield from self._order(day, self._words(day, _SIGNED_IN, account))
            yield from self._restated(SHOP, account, 0.8)

    def _guest(self) -> Iterator[Said]:
        for day in self._days(2):
            yield from self._order(day, self._words(day, Habit()))

    def _order(self, day: int, said: Words) -> Iterator[Said]:
        """An order, and now and then a refund that names nobody but the order."""
        thing = f"order:{next(self._numbers)}"
        yield self._say(SHOP, "order.placed", day, said._replace(objects=(thing,)))
        if self._chance.random() < REFUNDED:
            self._human.traits.add("refund")
            later = day + self._chance.randrange(30)
            yield self._say(SHOP, "order.refunded", later, Words(objects=(thing,), region=REGION))

    def _desk(self) -> Iterator[Said]:
        """Some requesters have no name at the desk, ever."""
        account, nameless = self._account(), self._chance.random() < 0.2
        self._human.traits |= {"nameless account"} if nameless else set()
        for number, day in enumerate(self._days(4)):
            said = self._words(day, _REQUESTER, account)
            kind = "ticket.commented" if number else "ticket.opened"
            yield self._say(DESK, kind, day, without_name(said) if nameless else said)

    def _crm(self) -> Iterator[Said]:
        """An address book; now and then it goes on telling a number that somebody gave up."""
        account = self._account()
        for day in self._days(3):
            said = self._words(day, _FILED, account)
            if self._human.phones and self._chance.random() < 0.03:
                said = said._replace(phone=self._human.phones[0][1])
            yield self._say(CRM, "contact.updated", day, said)
        yield from self._restated(CRM, account, 0.5)

    def _restated(self, source: str, account: str, likely: float) -> Iterator[Said]:
        """Whose address, number or name is another tells the tools that know them, mostly."""
        human = self._human
        for day, _ in (*human.mails[1:], *human.phones[1:], *human.families[1:], *human.givens[1:]):
            if self._chance.random() < likely:
                yield self._say(source, "contact.updated", day, self._words(day, Habit(phone=0.9), account))

    def _forms(self) -> Iterator[Said]:
        for day in self._days(3):
            said = self._words(day, _TYPED)
            yield self._say(FORM, "form.submitted", day, self._careless(said), trusted=False)

    def _careless(self, said: Words) -> Words:
        """A placeholder, an address with a slip, or only a number."""
        way = self._chance.random()
        if way < 0.01:
            self._human.traits.add("placeholder")
            return said._replace(email=self._chance.choice(PLACEHOLDERS))
        if way < 0.025:
            self._human.traits.add("mistyped address")
            local, _, domain = said.email.partition("@")
            return said._replace(email=f"{mistyped(local, self._chance)}@{domain}")
        if said.phone and way < 0.06:
            self._human.traits.add("number alone")
            return said._replace(email="")
        return said

    def _mails(self) -> Iterator[Said]:
        """Who sends them is believed where the mail's signature proves it."""
        proven = self._chance.random() < 0.85
        for day in self._days(3):
            yield self._say(MAIL, "email.received", day, self._words(day, _SIGNED), trusted=proven)

    def _clicks(self) -> Iterator[Said]:
        """A visitor is a cookie; some say later who they are."""
        cookie = self._chance.choice(self._human.cookies)
        days = self._days(3)
        for day in days:
            yield self._say(SITE, "page.viewed", day, Words(device=cookie, region=REGION), trusted=False)
        if self._chance.random() < 0.3:
            self._human.traits.add("identified visitor")
            said = self._words(days[-1], Habit(phone=0))._replace(device=cookie)
            yield self._say(SITE, "contact.updated", days[-1], said, trusted=False)

    def _account(self) -> str:
        return str(next(self._numbers))
