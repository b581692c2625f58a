"""The things that plug in, and what the rooms ask of each other: values and protocols, no behaviour.

A **source** says how an outside tool's request is proved and read. It never touches the network, the clock or the
database: it is given a Request and gives Readings, or raises a Reject. The gateway does all the rest.

An **action** says what a verb of a rule comes to. It touches nothing: it is given a Scene and gives Effects, which are
written with the ledger's row in one transaction.

A **BatchStore** is how the batch loop owns a transaction without seeing PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from hub.clock import EPOCH


@dataclass(frozen=True)
class Request:
    """What came in at `POST /in/{source}`: bytes as received, names of headers in lower case."""

    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str]
    received_at: str
    raw_body: bytes = b""


@dataclass(frozen=True)
class Reading:
    """One event out of a request: its type, its data (JSON object), its natural id and its time, where it has them.

    `piece` is the part of the body that it was read from (JSON), where a body holds several events: it is kept as the
    event's raw bytes instead of the body, and where it cannot be written, the others are taken all the same.
    `trusted` says whether this event may be believed, where that is seen event by event; None: as its source is.
    """

    type: str
    natural_id: str
    data: dict[str, Any]
    time: str | None = None
    subject: str | None = None
    redirect: str | None = None
    extensions: Mapping[str, str] = field(default_factory=dict)
    trusted: bool | None = None
    piece: bytes | None = None


@dataclass(frozen=True)
class Sample:
    """An event to try a source with: what its tool would send. `path` None is the source's own.

    `headers` hold all but what `Source.sign` adds; names are in lower case. Of a mail, the body is the whole mail.
    """

    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    path: str | None = None


def no_headers(_settings: Any) -> Collection[str]:
    """What most sources heed."""
    return ()


@dataclass(frozen=True)
class Source:
    """A kind of source.

    `verify(settings, request)` raises BadProof; it sees raw bytes and is always called first.
    `read(settings, request)` gives the readings; raises Reject (with the field) for what it cannot read.
    `public` says that the proof is no secret: an unreadable request is refused instead of kept, and what it states
    about a person is untrusted.
    `heeds(settings)` names the headers that `read` looks at beside the content's type, in lower case: a dead letter
    keeps them, so that it can be read again. Never one that carries a secret.
    `topic` is where all its events go; None: each goes by the noun of its type.
    `sign(settings, body, at, identity)` gives the headers, names in lower case, that the tool would send with this body
    at that time (ISO 8601, as `received_at`) under that natural id. None: the proof does not depend on the body.
    `sample(settings, at, identity)` gives an event of that time under that natural id, for `hub sources test`.
    `path` is where its posts go at the gateway; `{source}` stands for the name of the table in hub.toml.
    `door`: events come in at the gateway, or as mail by the role `mailbox`; `verify` of the latter refuses every post.
    """

    name: str
    description: str
    settings: type[BaseModel]
    verify: Callable[[Any, Request], None]
    read: Callable[[Any, Request], Sequence[Reading]]
    public: bool = False
    heeds: Callable[[Any], Collection[str]] = no_headers
    topic: str | None = None
    sign: Callable[[Any, bytes, str, str], Mapping[str, str]] | None = None
    sample: Callable[[Any, str, str], Sample] | None = None
    path: str = "/in/{source}"
    door: Literal["http", "mail"] = "http"


@dataclass(frozen=True)
class Statement:
    """Something that a rule sets on a profile: an event of this type on `inbound.hub`, about the trigger's record."""

    type: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class MailOut:
    """A mail of the hub's own, ready to go out."""

    recipient: str
    subject: str
    text: str


@dataclass(frozen=True)
class Hold:
    """Nothing is done, for a good reason, which is written down."""

    reason: str


@dataclass(frozen=True)
class Tell:
    """A tool is told that this was done, whether it subscribes or not; `text` is for people to read."""

    destination: str
    text: str | None = None


Effect = Statement | MailOut | Hold | Tell
"""What an action comes to."""
Teams = Mapping[str, Sequence[str]]
"""The teams of hub.toml: the addresses of their members."""
Hearers = Mapping[str, Collection[str]]
"""The destinations of hub.toml: the verbs that may name each."""


@dataclass(frozen=True)
class House:
    """What of hub.toml rules may name."""

    teams: Teams = field(default_factory=dict)
    destinations: Hearers = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """What an action sees: the teams, how often somebody of its own team was chosen before (see `Action.team`), the
    profile's fields by name, its owner, tags and id, and the trigger's data; the destinations; the time that the deed
    bears, an id of its own (a UUID, the same whenever it is tried), and which part of its time every wait lasts.
    """

    teams: Teams
    turn: int = 0
    fields: Mapping[str, Any] = field(default_factory=dict)
    owner: str | None = None
    tags: Sequence[str] = ()
    event: Mapping[str, Any] = field(default_factory=dict)
    profile: str = ""
    at: datetime = EPOCH
    deed: str = ""
    scale: float = 1.0
    destinations: Hearers = field(default_factory=dict)


def no_team(_settings: Any) -> str | None:
    """What most actions choose from."""
    return None


def nothing_wrong(_settings: Any, _house: House) -> str | None:
    """What most actions find."""
    return None


@dataclass(frozen=True)
class Action:
    """A verb of rules.

    `effects(settings, scene)` gives what it comes to, the same for the same scene; raises Reject where it cannot be
    done, which is then written down.
    `team(settings)` names the team of which somebody is chosen in turn; None: nobody is.
    `wrong(settings, house)` says why a rule with these settings cannot be taken over; None: it can.
    """

    name: str
    description: str
    settings: type[BaseModel]
    effects: Callable[[Any, Scene], Sequence[Effect]]
    team: Callable[[Any], str | None] = no_team
    wrong: Callable[[Any, House], str | None] = nothing_wrong


@dataclass(slots=True)
class Record:
    """A Kafka record as it was read: bytes untouched, `timestamp` in milliseconds since 1970 (the broker's).

    The batch loop hands on the client's own objects, which have this shape: none is made per record.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that was given up on: where it was, its bytes, why, and the event id where it is known (16 bytes)."""

    record: Record
    stage: str
    reason: str
    error: str
    event_id: bytes | None = None
    field: str | None = None
    source: str | None = None


Positions = dict[tuple[str, int], int]
"""(topic, partition) → the next offset to be read."""


class BatchStore(Protocol):
    """Where a group's progress lives: beside what it writes, in one transaction. All raise Retry where it is away."""

    async def positions(self, group: str, partitions: Sequence[tuple[str, int]]) -> Positions:
        """The stored positions of these partitions; a partition never stored is absent."""

    def begin(self) -> AbstractAsyncContextManager[Any]:
        """A transaction: commits when the block ends well, rolls back otherwise."""

    async def fence(self, transaction: Any, group: str, partitions: Sequence[tuple[str, int]]) -> Positions:
        """Lock the rows of these partitions (made where absent, at 0) in one order and give the stored positions."""

    async def dead_letter(self, transaction: Any, group: str, letters: Sequence[Letter]) -> None:
        """Keep records that were given up on, bytes included."""

    async def advance(self, transaction: Any, group: str, positions: Positions) -> None:
        """Store the next offsets; a position never goes back."""


class Hints(Protocol):
    """Waking each other up after a commit. A hint may be lost, doubled or early; only milliseconds depend on it."""

    def wake(self, what: str) -> None:
        """Say that there is work for whoever waits for `what`, in this process and in the others."""

    async def wait(self, what: str, within: float) -> bool:
        """Wait for such a hint, at the most `within` seconds; says whether one came."""


class Work(Protocol):
    """What a consumer does with a batch; the loop does the rest (offsets, fence, dead letters, retries).

    `read` must be pure. `write` runs in the batch's transaction and is set-based: no query per event.
    """

    group: str
    topics: tuple[str, ...]

    def read(self, record: Record) -> Any:
        """One record, decoded. Raises Reject: the record becomes a dead letter and stops nobody."""

    async def write(self, transaction: Any, items: Sequence[Any]) -> None:
        """Write down what these records mean, in their order per partition. Raises Retry where the store is away."""

    def committed(self) -> None:
        """Called after the commit: the moment for hints."""
