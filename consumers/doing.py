"""What rules do: each deed once, its ledger row and what it comes to in the transaction that decided it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import msgspec
import orjson

from consumers.actions import ACTIONS
from consumers.actions.notify import NOTIFY
from consumers.budgets import Spending, mail_spending
from consumers.firing import customer, passed_on, tellings, told
from consumers.leavers import leavers
from consumers.sights import Look
from consumers.tools import Tool
from consumers.turns import Choice, Turns, take
from consumers.ways import Manner
from hub import clock
from hub.automation.program import Act
from hub.destinations import Fired
from hub.errors import Reject
from hub.identity.consent import WITHDRAWN
from hub.identity.ids import as_text, event_id, hash_id
from hub.storage import fired, ledger, mails, outbox
from hub.storage.fired import Telling
from hub.storage.ledger import Done
from hub.storage.mails import Mail
from hub.storage.outbox import Message
from hub.storage.pool import Connection
from hub.streams.keys import key_of
from hub.verbs import Hold, MailOut, Scene, Statement, Tell
from schemas.envelope import HUB, SEGMENT_CHANGES
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

    @property
    def written_key(self) -> str:
        """The ledger's key as text: `welcome:9c5f1de2-…:3.then.1`."""
        return f"{self.rule}:{as_text(self.event)}:{self.step}"


def deeds(rule: tuple[str, int], look: Look, record: bytes, acts: Sequence[Act], at: datetime) -> Iterator[Deed]:
    """The deeds of acts that are due at one time: a millisecond apart, so that the later one is the newer one.

    What a segment sets off is newer than what brought somebody into it, which may be a deed as well.
    """
    for number, act in enumerate(acts, start=look.trigger.type in SEGMENT_CHANGES):
        yield Deed(*rule, look.event, record, act.step, act.verb, act.settings, at + number * _APART, look)


async def do(connection: Connection, wanted: Sequence[Deed], manner: Manner) -> None:
    """Do these deeds. One that was done before is not done again; one that cannot be done is written down as failed."""
    if not wanted:
        return
    choices = [_choice(deed, manner) for deed in wanted]
    stock = _Stock(
        await _spending(connection, wanted, manner),
        await _leavers(connection, wanted),
        await take(connection, [one for one in choices if one]),
    )
    done = _all_done(wanted, choices, manner, stock)
    new = await ledger.write(connection, [one.row for one in done.values()])
    fresh = [one for key, one in done.items() if key in new]
    if messages := [message for one in fresh for message in one.said]:
        await outbox.add(connection, messages)
    if letters := [mail for one in fresh for mail in one.mails]:
        await mails.put(connection, letters)
    if told_to := [telling for one in fresh for telling in one.tellings]:
        await fired.put(connection, told_to)


class _Stock(NamedTuple):
    """What deeds draw on, one after the other: the budgets, whoever left, and whose turn it is."""

    spending: Spending
    gone: Collection[str]
    turns: Turns


def _all_done(
    wanted: Sequence[Deed], choices: Sequence[Choice | None], manner: Manner, stock: _Stock
) -> dict[tuple[str, bytes, str], _Done]:
    """What the deeds come to, in order. Whom a rule has just made the owner is not in the profile yet: its next deeds
    know it all the same, where there was none before.
    """
    found: dict[tuple[str, bytes, str], _Done] = {}
    owners: dict[tuple[str, bytes], str] = {}
    for deed, choice in zip(wanted, choices, strict=True):
        seen = _scene(deed, manner, stock.spending, stock.gone)
        scene = replace(seen, owner=seen.owner or owners.get((deed.rule, deed.event)))
        one = found[deed.key] = _done(deed, stock.turns.seen(choice, scene) if choice else scene, manner.tools)
        stock.spending.spend(deed.record, sum(mail.audience == "customer" for mail in one.mails))
        stock.turns.heed(one.given)
        if one.given:
            owners[deed.rule, deed.event] = one.given[-1]
    return found


def _scene(deed: Deed, manner: Manner, spending: Spending, gone: Collection[str] = ()) -> Scene:
    who, look = deed.look.person, deed.look
    hearers = {name: tool.destination.hears for name, tool in manner.tools.items()}
    plain = Scene(manner.teams, 0, who.fields, who.owner, who.tags, look.trigger.data, as_text(look.profile))
    own = as_text(hash_id("deed", deed.written_key))
    seen = replace(plain, destinations=hearers, at=deed.at, deed=own, scale=manner.scale)
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
    """The ledger's row, what is to be said (each with whose shard it takes), the mails, what tools are told, and who
    was given the customer.
    """

    row: Done
    said: Sequence[tuple[bytes, Message]] = ()
    mails: Sequence[Mail] = ()
    tellings: Sequence[Telling] = ()
    given: Sequence[str] = ()


def _done(deed: Deed, scene: Scene, tools: Mapping[str, Tool]) -> _Done:
    try:
        effects = ACTIONS[deed.verb].effects(_settings(deed), scene)
    except Reject as error:
        return _Done(_row(deed, "failed", {"error": str(error)}))
    if held := [one.reason for one in effects if isinstance(one, Hold)]:
        return _Done(_row(deed, "held", {"reason": "; ".join(held)}))
    statements = [one for one in effects if isinstance(one, Statement)]
    said = [_said(deed, number, one) for number, one in enumerate(statements)]
    letters = [_mail(deed, number, one) for number, one in enumerate(o for o in effects if isinstance(o, MailOut))]
    events = [{"id": one.id, "type": one.type, **statements[n].data} for n, one in enumerate(said)]
    named = [one.destination for one in effects if isinstance(one, Tell)]
    mine = {"mails": [as_text(one.id) for one in letters]} if letters else {}
    effect = {"events": events} | mine | ({"tools": named} if named else {})
    given = [one.data["owner"] for one in statements if one.data.get("owner")]
    what = _fired(deed)
    messages = [*((deed.record, one) for one in said), told(what)]
    return _Done(_row(deed, "done", effect), messages, letters, list(tellings(what, named, tools)), given)


def _fired(deed: Deed) -> Fired:
    """The deed as tools are told of it."""
    look = deed.look
    return Fired(
        deed.written_key,
        deed.rule,
        deed.verb,
        as_text(look.profile),
        as_text(deed.event),
        clock.text(deed.at),
        look.hops + 1,
        passed_on(look.origin),
        deed.settings.get("text") if deed.verb == NOTIFY.name else None,
        customer(look.person.fields),
    )


def _row(deed: Deed, state: str, effect: dict[str, Any]) -> Done:
    return Done(*deed.key, deed.version, deed.record, deed.verb, state, orjson.dumps(effect).decode())


def _key(deed: Deed, number: int) -> str:
    return f"rule {deed.written_key}{f' {number}' if number else ''}"


def _mail(deed: Deed, number: int, letter: MailOut) -> Mail:
    """The mail; its id is the hash of the ledger's key, and its Message-ID is made of that."""
    identity = hash_id("mail", _key(deed, number))
    audience: Literal["customer", "ours"] = "customer" if letter.to_customer else "ours"
    return Mail(identity, letter.recipient, letter.subject, letter.text, deed.record, letter.headers, audience)


def _hops(deed: Deed) -> dict[str, int]:
    """Rules and segments may lead to each other: each rule that a segment set off counts one more."""
    hops = deed.look.hops + (deed.look.trigger.type in SEGMENT_CHANGES)
    return {"hops": hops} if hops else {}


def _said(deed: Deed, number: int, statement: Statement) -> Message:
    """The event on `inbound.hub`; its id is the hash of the ledger's key, so it is the same whenever it is made."""
    key = _key(deed, number)
    record = as_text(deed.record)
    data = {"by": f"rule:{deed.rule}", "rule": deed.rule, "record": record, **_hops(deed), **statement.data}
    event = as_text(event_id(HUB, key))
    key = key_of(deed.look.trigger.data, record)
    return Message(HUB_TOPIC, key, statement.type, event, _raw(orjson.dumps(data)), clock.text(deed.at))
