"""What rules do: each deed once, its ledger row and what it comes to in the transaction that decided it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import msgspec
import orjson

from consumers.actions import ACTIONS
from consumers.budgets import Spending, mail_spending
from consumers.leavers import leavers
from consumers.sights import Look
from consumers.turns import Choice, take
from consumers.ways import Manner
from hub import clock
from hub.automation.program import Act
from hub.components import Hold, MailOut, Scene, Statement
from hub.errors import Reject
from hub.identity.consent import WITHDRAWN
from hub.identity.ids import as_text, event_id, hash_id
from hub.storage import ledger, mails, outbox
from hub.storage.ledger import Done
from hub.storage.mails import Mail
from hub.storage.outbox import Message
from hub.storage.pool import Connection
from schemas.envelope import HUB
from schemas.topics import HUB_TOPIC

_raw = msgspec.Raw
_APART = timedelta(milliseconds=1)


class Deed(NamedTuple):
    """Something to be done: the rule's version, the trigger and its record, the step, and the time that it bears."""

    rule: str
    version: int
    event: bytes
    record: bytes
    step: str
    verb: str
    settings: dict[str, Any]
    at: datetime
    look: Look

    @property
    def key(self) -> tuple[str, bytes, str]:
        """The ledger's key."""
        return self.rule, self.event, self.step


def deeds(rule: tuple[str, int], look: Look, record: bytes, acts: Sequence[Act], at: datetime) -> Iterator[Deed]:
    """The deeds of acts that are due at one time: a millisecond apart, so that the later one is the newer one."""
    for number, act in enumerate(acts):
        yield Deed(*rule, look.event, record, act.step, act.verb, act.settings, at + number * _APART, look)


async def do(connection: Connection, wanted: Sequence[Deed], manner: Manner) -> None:
    """Do these deeds. One that was done before is not done again; one that cannot be done is written down as failed."""
    if not wanted:
        return
    spending, gone = await _spending(connection, wanted, manner), await _leavers(connection, wanted)
    choices = [_choice(deed, manner) for deed in wanted]
    turns = await take(connection, [one for one in choices if one])
    done = {}
    for deed, choice in zip(wanted, choices, strict=True):
        scene = _scene(deed, manner, spending, gone)
        one = done[deed.key] = _done(deed, turns.seen(choice, scene) if choice else scene)
        spending.spend(deed.record, sum(mail.audience == "customer" for mail in one.mails))
        turns.heed(one.given)
    new = await ledger.write(connection, [one.row for one in done.values()])
    fresh = [one for key, one in done.items() if key in new]
    if messages := [(one.row.record, message) for one in fresh for message in one.said]:
        await outbox.add(connection, messages)
    if letters := [mail for one in fresh for mail in one.mails]:
        await mails.put(connection, letters)


def _scene(deed: Deed, manner: Manner, spending: Spending, gone: Collection[str] = ()) -> Scene:
    who, look = deed.look.person, deed.look
    seen = Scene(manner.teams, 0, who.fields, who.owner, who.tags, look.trigger.data, as_text(look.profile))
    if ACTIONS[deed.verb].channel is None:
        return seen
    address = who.fields.get("email")
    left = {f"consent.marketing.{address}": WITHDRAWN} if address in gone else {}
    allowance = spending.allowance(deed.record)
    return replace(seen, fields={**who.fields, **left}, allowance=allowance, unsubscribe=manner.unsubscribe(who))


async def _leavers(connection: Connection, wanted: Sequence[Deed]) -> Collection[str]:
    people = [deed.look.person for deed in wanted if ACTIONS[deed.verb].channel == "email"]
    return await leavers(connection, {one.fields["email"] for one in people if one.fields.get("email")})


async def _spending(connection: Connection, wanted: Sequence[Deed], manner: Manner) -> Spending:
    writing = {(deed.look.profile, deed.record) for deed in wanted if ACTIONS[deed.verb].channel == "email"}
    return await mail_spending(connection, manner.mails, manner.scale, writing)


def _choice(deed: Deed, manner: Manner) -> Choice | None:
    """Of whom the deed chooses somebody; None where it chooses of no team, or the team is gone."""
    action, settings = ACTIONS[deed.verb], _settings(deed)
    team = action.team(settings)
    crew = manner.crew(team, deed.at) if team else []
    if team is None or not crew:
        return None
    weighs = action.weighs(settings)
    scene = _scene(deed, manner, Spending())
    return Choice(team, crew, () if weighs else action.among(settings, replace(scene, crew=crew)), weighs)


def _settings(deed: Deed) -> Any:
    return ACTIONS[deed.verb].settings.model_validate(deed.settings)


class _Done(NamedTuple):
    """The ledger's row, what is to be said, the mails that go out, and who was given the customer."""

    row: Done
    said: Sequence[Message] = ()
    mails: Sequence[Mail] = ()
    given: Sequence[str] = ()


def _done(deed: Deed, scene: Scene) -> _Done:
    try:
        effects = ACTIONS[deed.verb].effects(_settings(deed), scene)
    except Reject as error:
        return _Done(_row(deed, "failed", {"error": str(error)}))
    if held := [one.reason for one in effects if isinstance(one, Hold)]:
        return _Done(_row(deed, "held", {"reason": "; ".join(held)}))
    statements = [one for one in effects if isinstance(one, Statement)]
    said = [_said(deed, number, one) for number, one in enumerate(statements)]
    letters = [_mail(deed, number, one) for number, one in enumerate(o for o in effects if isinstance(o, MailOut))]
    told = [{"id": one.id, "type": one.type, **statements[n].data} for n, one in enumerate(said)]
    effect = {"events": told} | ({"mails": [as_text(one.id) for one in letters]} if letters else {})
    given = [one.data["owner"] for one in statements if one.data.get("owner")]
    return _Done(_row(deed, "done", effect), said, letters, given)


def _row(deed: Deed, state: str, effect: dict[str, Any]) -> Done:
    return Done(*deed.key, deed.version, deed.record, deed.verb, state, orjson.dumps(effect).decode())


def _key(deed: Deed, number: int) -> str:
    return f"rule {deed.rule} {as_text(deed.event)} {deed.step}{f' {number}' if number else ''}"


def _mail(deed: Deed, number: int, letter: MailOut) -> Mail:
    """The mail; its id is the hash of the ledger's key, and its Message-ID is made of that."""
    identity = hash_id("mail", _key(deed, number))
    audience: Literal["customer", "ours"] = "customer" if letter.to_customer else "ours"
    return Mail(identity, letter.recipient, letter.subject, letter.text, deed.record, letter.headers, audience)


def _said(deed: Deed, number: int, statement: Statement) -> Message:
    """The event on `inbound.hub`; its id is the hash of the ledger's key, so it is the same whenever it is made."""
    key = _key(deed, number)
    record = as_text(deed.record)
    data = {"by": f"rule:{deed.rule}", "rule": deed.rule, "record": record, **statement.data}
    event = as_text(event_id(HUB, key))
    return Message(HUB_TOPIC, record, statement.type, event, _raw(orjson.dumps(data)), clock.text(deed.at))
