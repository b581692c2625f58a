"""What is known of a source record: its statements, names and claims. All of it only grows, whatever the order.

A record's evidence is a join-semilattice: `learn` takes the earliest of first times, the latest of last times, the
winning statement per field, so any order and any repetition of the same facts ends in the same evidence.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import msgspec

from hub.identity import consent, normalise, things, traits
from hub.identity.consent import Consent
from hub.identity.decisions import Decision, Erasure, Remark, Ruling
from hub.identity.ids import as_text, identifier_id, record_id
from hub.identity.normalise import Name, Value
from hub.identity.things import Thing
from hub.identity.traits import Traits

MOST_NAMES = 16
ACCOUNT, CONTACT_POINT, DEVICE = "account", "contact_point", "device"
OBJECT = "object"
MAILBOX = "mailbox"
"""The one spelling of an address whose provider is known to deliver several to one place; internal, never told."""
MOST_OBJECTS = 8
"""Things that one event may name; more of them is no event about one person."""
LINK, BLOCKED, SHARED = "link", "blocked", "shared"
_CACHE = 65_536


class Statement(msgspec.Struct, array_like=True, frozen=True, order=False):
    """What a record says of a field. `at` is event time as text, `event` the event id as text."""

    value: str
    at: str
    event: str
    trusted: bool

    @property
    def rank(self) -> tuple[bool, str, str, str]:
        """The total order of statements: trusted before untrusted, then newest, then a fixed tie-break."""
        return (self.trusted, self.at, self.event, self.value)


class Claim(msgspec.Struct, array_like=True):
    """A record's word that an identifier is its person's; `state` is link, blocked or shared (sticky)."""

    namespace: str
    value: str
    first_at: str
    first_event: str
    last_at: str
    last_event: str
    trusted: bool
    state: str

    @property
    def identifier(self) -> bytes:
        """The identifier's id."""
        return identifier_id(self.namespace, self.value)


class Evidence(msgspec.Struct, omit_defaults=True):
    """Everything a source record has said; stored as JSON beside it. `things` are orders and the like, by name.

    `consents` holds, by purpose and contact point, the newest trusted word and the newest other. None is ever dropped:
    a withdrawal that is forgotten would be a consent. `floor` is the version under which its id was last spoken of,
    where all that it said was erased. `set` is what people (trusted) and rules of the hub set: `hub.identity.remarks`.
    """

    fields: dict[str, Statement] = {}
    names: list[Name] = []
    claims: list[Claim] = []
    first_at: str = ""
    first_event: str = ""
    last_at: str = ""
    things: dict[str, Statement] = {}
    consents: dict[str, list[Statement]] = {}
    rulings: list[Ruling] = []
    floor: int = 0
    set: dict[str, Statement] = {}


class Known(NamedTuple):
    """A source record as it is known. `key` is (namespace, value); an account's namespace is empty.

    One that a decision names before anything was heard of it has no kind, and no first time in its evidence.
    """

    record: bytes
    source: str
    kind: str
    key: tuple[str, str]
    evidence: Evidence


class ClaimOf(NamedTuple):
    """An identifier as an event states it."""

    namespace: str
    value: str
    blocked: bool
    identifier: bytes

    def links(self, *, trusted: bool, key: tuple[str, str]) -> bool:
        """Whether this word may join its record, known by `key`, with others (see `may_link`)."""
        return not self.blocked and may_link(self.namespace, self.value, trusted=trusted, key=key)


class Who(NamedTuple):
    """The person an event names, as its source knows it."""

    record: bytes
    source: str
    kind: str
    key: str
    key_namespace: str
    claims: tuple[ClaimOf, ...]
    name: Name
    fields: tuple[tuple[str, str], ...]


class Fact(NamedTuple):
    """An inbound event, read: who it is about and when; times are text, `id` is the event's id as text.

    A decision is about the records that it names, a remark about its record. `hops` tools has it passed: `origin`.
    """

    event: bytes
    id: str
    type: str
    source: str
    at: str
    received_at: str
    trusted: bool
    spam: bool
    payload: bytes
    who: Who | None
    things: tuple[Thing, ...] = ()
    consents: tuple[Consent, ...] = ()
    decision: Decision | None = None
    erasure: Erasure | None = None
    remark: Remark | None = None
    hops: int = 0
    origin: str = ""

    @property
    def record(self) -> bytes | None:
        """The record that it stands under."""
        return self.who.record if self.who else self.remark and self.remark.record


class Words(NamedTuple):
    """The contact of an event as written; what is absent is empty. `region` is for phones that name no country."""

    id: str = ""
    email: str = ""
    phone: str = ""
    name: str = ""
    given_name: str = ""
    family_name: str = ""
    company: str = ""
    region: str | None = None
    device: str = ""
    objects: tuple[str, ...] = ()
    traits: Traits | None = None


@lru_cache(maxsize=_CACHE)
def recognise(source: str, words: Words, event: bytes | None) -> Who | None:
    """Which source record a contact belongs to, or None where it names nobody.

    An id makes an account; else the strongest identifier makes a contact point, parted by the given name, so that a
    family's mailbox on one form is several records (identity-check.md §1, rule 9). A device alone is a record of its
    own kind, and a thing of the source is known by the source's name and its own. `event` is looked at only for a
    nameless contact under a blocked identifier: such a one is a record of its own. Pass None first; `needs_event`
    says when the id is wanted.
    """
    mail = normalise.email(words.email) if words.email else None
    number = normalise.phone(words.phone, words.region) if words.phone else None
    name = normalise.name(words.name, words.given_name, words.family_name)
    claims = tuple(_claims(mail, number)) + tuple(_owned(source, words))
    fields = tuple(_fields(words, mail, number))
    account = normalise.known_id(words.id) if words.id else ""
    if account:
        return Who(record_id(source, ACCOUNT, account), source, ACCOUNT, account, "", claims, name, fields)
    if not claims:
        return None
    key = claims[0]
    if key.namespace == DEVICE:
        return Who(record_id(source, DEVICE, key.value), source, DEVICE, key.value, DEVICE, claims, name, fields)
    part = name.given
    if key.blocked:
        part = f"{name.given} {name.family}".strip() or (as_text(event) if event else "")
    record = record_id(source, CONTACT_POINT, f"{key.namespace}:{key.value}:{part}")
    return Who(record, source, CONTACT_POINT, key.value, key.namespace, claims, name, fields)


def unheard(record: bytes) -> Who:
    """A record that a decision names: its id is all that is known."""
    return Who(record, "", "", "", "", (), Name("", ""), ())


def needs_event(who: Who) -> bool:
    """Whether the record of this contact is the event's own: nameless, under an identifier of nobody in particular."""
    return who.kind == CONTACT_POINT and who.claims[0].blocked and not any(who.name)


def _claims(mail: Value | None, number: Value | None) -> list[ClaimOf]:
    """The identifiers, the strongest first; behind them the mailbox of an e-mail, which is never a record's key."""
    found = [("email", mail), ("phone", number)]
    if mail and (box := normalise.mailbox(mail.value)):
        found.append((MAILBOX, Value(box, mail.blocked)))
    return [ClaimOf(ns, one.value, one.blocked, identifier_id(ns, one.value)) for ns, one in found if one]


def _owned(source: str, words: Words) -> list[ClaimOf]:
    """What belongs to one person by its nature: things of the source, and the device."""
    things = [f"{source}:{thing}" for one in words.objects[:MOST_OBJECTS] if (thing := normalise.clean(one))]
    found = [(OBJECT, thing) for thing in dict.fromkeys(things)]
    device = normalise.device(words.device) if words.device else None
    found += [(DEVICE, device)] if device else []
    return [
        ClaimOf(namespace, value, blocked=False, identifier=identifier_id(namespace, value))
        for namespace, value in found
    ]


def may_link(namespace: str, value: str, *, trusted: bool, key: tuple[str, str]) -> bool:
    """Whether a claim may join its record with others: a trusted word, or the record's own key (design §6, trust).

    A device links whoever claims it: it attaches what was anonymous and never bridges (identity-check.md §3). The
    mailbox of a record's key is its key in another spelling.
    """
    if trusted or namespace == DEVICE or key == (namespace, value):
        return True
    return namespace == MAILBOX and key[0] == "email" and normalise.mailbox(key[1]) == value


def _fields(words: Words, mail: Value | None, number: Value | None) -> list[tuple[str, str]]:
    """Traits that are stated: identifiers in their one spelling where they have one, the rest as people typed it."""
    stated = (
        ("company", normalise.clean(words.company)),
        ("email", mail.value if mail else normalise.clean(words.email)),
        ("family_name", normalise.clean(words.family_name)),
        ("given_name", normalise.clean(words.given_name)),
        ("name", normalise.clean(words.name)),
        ("phone", number.value if number else normalise.clean(words.phone)),
    )
    found = [(field, value) for field, value in stated if value]
    return found + traits.stated(words.traits, dict(found)) if words.traits else found


def learn(evidence: Evidence, fact: Fact, who: Who) -> None:
    """Fold one fact into a record's evidence, in place."""
    at, event, trusted = fact.at, fact.id, fact.trusted
    if not evidence.first_at or (at, event) < (evidence.first_at, evidence.first_event):
        evidence.first_at, evidence.first_event = at, event
    if at > evidence.last_at:  # noqa: PLR1730 - runs for every event, and a call of max is slower
        evidence.last_at = at
    fields = evidence.fields
    for field, value in who.fields:
        known = fields.get(field)
        if known is None or (trusted, at, event, value) > (known.trusted, known.at, known.event, known.value):
            fields[field] = Statement(value, at, event, trusted)
    if who.name.given and who.name not in evidence.names:
        evidence.names = sorted({*evidence.names, who.name})[:MOST_NAMES]
    for claim in who.claims:
        _claim(evidence, claim, at, event, trusted=trusted)
    for thing in fact.things:
        _remember(evidence.things, thing, Statement(thing.value, at, event, trusted))
    for about, state in fact.consents:
        known_words = evidence.consents.get(about, [])
        evidence.consents[about] = consent.newest([*known_words, Statement(state, at, event, trusted)])


def _claim(evidence: Evidence, stated: ClaimOf, at: str, event: str, *, trusted: bool) -> None:
    for known in evidence.claims:
        if known.value == stated.value and known.namespace == stated.namespace:
            known.first_at, known.first_event = min((known.first_at, known.first_event), (at, event))
            known.last_at, known.last_event = max((known.last_at, known.last_event), (at, event))
            known.trusted = known.trusted or trusted
            return
    state = BLOCKED if stated.blocked else LINK
    evidence.claims.append(Claim(stated.namespace, stated.value, at, event, at, event, trusted, state))
    evidence.claims.sort(key=lambda claim: (claim.namespace, claim.value))


def _remember(known: dict[str, Statement], thing: Thing, said: Statement) -> None:
    """Keep the statement that is last in `things.rank`; of one sort no more things than a record may have.

    A thing's rank only rises, so those that are first in the end were never among the ones that had to go.
    """
    if thing.name not in known or things.rank(said) > things.rank(known[thing.name]):
        known[thing.name] = said
        crowd = things.too_many(known, thing.sort)
        if crowd:
            del known[min(crowd, key=lambda name: (things.rank(known[name]), name))]
