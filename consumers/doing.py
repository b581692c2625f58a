"""What rules do: each deed once, its ledger row and what it comes to in the transaction that decided it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import orjson

from consumers.actions import ACTIONS
from consumers.sights import Look
from hub import clock
from hub.automation.program import Act
from hub.components import Hold, MailOut, Scene, Statement, Teams
from hub.errors import Reject
from hub.identity.ids import as_text, event_id, hash_id
from hub.storage import ledger, mails, outbox
from hub.storage.ledger import Done
from hub.storage.mails import Mail
from hub.storage.outbox import Message
from hub.storage.pool import Connection
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


def deeds(rule: tuple[str, int], look: Look, record: bytes, acts: Sequence[Act], at: datetime) -> Iterator[Deed]:
    """The deeds of acts that are due at one time: a millisecond apart, so that the later one is the newer one.

    What a segment sets off is newer than what brought somebody into it, which may be a deed as well.
    """
    for number, act in enumerate(acts, start=look.trigger.type in SEGMENT_CHANGES):
        yield Deed(*rule, look.event, record, act.step, act.verb, act.settings, at + number * _APART, look)


async def do(connection: Connection, wanted: Sequence[Deed], teams: Teams) -> None:
    """Do these deeds. One that was done before is not done again; one that cannot be done is written down as failed."""
    if not wanted:
        return
    turns = await _turns(connection, wanted, teams)
    done = {deed.key: _done(deed, _scene(deed, teams, turn)) for deed, turn in zip(wanted, turns, strict=True)}
    new = await ledger.write(connection, [one.row for one in done.values()])
    fresh = [one for key, one in done.items() if key in new]
    if messages := [(one.row.record, message) for one in fresh for message in one.said]:
        await outbox.add(connection, messages)
    if letters := [mail for one in fresh for mail in one.mails]:
        await mails.put(connection, letters)


def _scene(deed: Deed, teams: Teams, turn: int) -> Scene:
    who = deed.look.person
    return Scene(teams, turn, who.fields, who.owner, who.tags, deed.look.trigger.data, as_text(deed.look.profile))


async def _turns(connection: Connection, wanted: Sequence[Deed], teams: Teams) -> list[int]:
    """Each deed's turn in the team that it chooses from; 0 where it chooses from none."""
    chosen = [ACTIONS[deed.verb].team(_settings(deed)) for deed in wanted]
    counts = Counter(team for team in chosen if team and teams.get(team))
    first = await ledger.turns(connection, counts) if counts else {}
    turns = []
    for team in chosen:
        turns.append(first.get(team or "", 0))
        if team in first:
            first[team] += 1
    return turns


def _settings(deed: Deed) -> Any:
    return ACTIONS[deed.verb].settings.model_validate(deed.settings)


class _Done(NamedTuple):
    """The ledger's row, what is to be said, and the mails that go out."""

    row: Done
    said: Sequence[Message] = ()
    mails: Sequence[Mail] = ()


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
    return _Done(_row(deed, "done", effect), said, letters)


def _row(deed: Deed, state: str, effect: dict[str, Any]) -> Done:
    return Done(*deed.key, deed.version, deed.record, deed.verb, state, orjson.dumps(effect).decode())


def _key(deed: Deed, number: int) -> str:
    return f"rule {deed.rule} {as_text(deed.event)} {deed.step}{f' {number}' if number else ''}"


def _mail(deed: Deed, number: int, letter: MailOut) -> Mail:
    """The mail; its id is the hash of the ledger's key, and its Message-ID is made of that."""
    identity = hash_id("mail", _key(deed, number))
    return Mail(identity, letter.recipient, letter.subject, letter.text, deed.record)


def _hops(deed: Deed) -> dict[str, int]:
    """Rules and segments may lead to each other: each rule that a segment set off counts one more."""
    trigger = deed.look.trigger
    return {"hops": int(trigger.data.get("hops") or 0) + 1} if trigger.type in SEGMENT_CHANGES else {}


def _said(deed: Deed, number: int, statement: Statement) -> Message:
    """The event on `inbound.hub`; its id is the hash of the ledger's key, so it is the same whenever it is made."""
    key = _key(deed, number)
    record = as_text(deed.record)
    data = {"by": f"rule:{deed.rule}", "rule": deed.rule, "record": record, **_hops(deed), **statement.data}
    event = as_text(event_id(HUB, key))
    return Message(HUB_TOPIC, record, statement.type, event, _raw(orjson.dumps(data)), clock.text(deed.at))
