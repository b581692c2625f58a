"""A Kafka record, decoded: CloudEvents attributes out of headers (or the value), the words of the contact, the time.

Pure: the broker's timestamp comes with the record, nothing asks the clock. Whatever cannot be read raises a Reject
that names the field.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeVar

import msgspec

from consumers.contacts import FORM_TRAITS, Contact, Text, form_traits, words_of
from consumers.deciding import Occasion, decided, is_ours, remarked
from consumers.particulars import consents_of, hops_of, things_of
from consumers.remarking import REMARKS
from consumers.remarking import decode as decode_remark
from hub.clock import event_time, from_milliseconds, is_text
from hub.components import Record
from hub.errors import Unreadable
from hub.identity.evidence import Fact, Words, needs_event, recognise
from hub.identity.ids import as_text, event_id, from_text
from schemas.envelope import DEEDS, HUB, hub_only

UUID_LETTERS, LONGEST_ATTRIBUTE = 36, 1024
STRUCTURED = b"application/cloudevents+json"
_TYPE = re.compile(r"(?=.{1,256}$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")


class Data(msgspec.Struct):
    """What the hub itself reads of an event's data, in all types together."""

    contact: Contact | None = None
    name: Text | None = None
    given_name: Text | None = None
    family_name: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    company: Text | None = None
    submitted_at: Text | None = None
    spam: bool | None = None
    message: str | None = None
    fields: dict[str, str | list[str]] | None = None


class General(msgspec.Struct):
    """The data of every type but forms: only the contact has a meaning here."""

    contact: Contact | None = None
    text: str | None = None


class Unread(msgspec.Struct):
    """The data of `source.unreadable`."""

    reason: str = "unreadable"
    field: str | None = None


class Structured(msgspec.Struct):
    """A CloudEvent whose attributes and data are the value."""

    specversion: str
    id: str
    source: str
    type: str
    time: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")
    data_base64: str | None = None
    hops: int | str | None = None
    origin: str | None = None


class Attributes(NamedTuple):
    """The attributes that matter here, as text."""

    id: str
    source: str
    type: str
    time: str | None
    edge: str | None
    received_at: str
    trusted: bool
    hops: int = 0
    origin: str = ""


_data = msgspec.json.Decoder(Data).decode
_general = msgspec.json.Decoder(General).decode
_unread = msgspec.json.Decoder(Unread).decode
_structured = msgspec.json.Decoder(Structured).decode
_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
_RAW = b',"raw":{"content_type":'
_OURS = DEEDS | REMARKS
_S = TypeVar("_S")


class UnreadableEvent(Unreadable):
    """An event that became a dead letter, with what is known of it."""

    def __init__(self, message: str, field: str | None, event: bytes | None, source: str | None) -> None:
        super().__init__(message, field)
        self.event_id = event
        self.source = source


def read(record: Record, regions: dict[str, str | None]) -> Fact:
    """The fact that a record states; `regions` holds the country of each source's phones. Raises UnreadableEvent."""
    event, source = None, None
    try:
        attributes, value = _attributes(record)
        event, source = _identity(attributes)
        if attributes.type in _OURS and is_ours(record.topic, attributes.edge, HUB):
            at = event_time(attributes.time, attributes.received_at)
            occasion = Occasion(event, attributes.id, attributes.type, at, attributes.received_at)
            if attributes.type in DEEDS:
                return decided(occasion, value)
            return remarked(occasion, *_said(value, decode_remark, is_ours=True))
        if hub_only(attributes.type):
            raise Unreadable(f"{attributes.type} is made by the hub alone", "ce_type")
        if attributes.type == "source.unreadable":
            said = _unread(value)
            raise Unreadable(said.reason, said.field)
        return fact_of(attributes, value, event, (source, regions.get(source, regions.get(""))))
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise UnreadableEvent(reason, f"data{path.rstrip('`')}" if path else "data", event, source) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableEvent(f"not read: {error}", "data" if event else "headers", event, source) from error
    except Unreadable as error:
        raise UnreadableEvent(str(error), error.field, event, source) from error


def _attributes(record: Record) -> tuple[Attributes, bytes]:
    headers = dict(record.headers)
    if None in headers.values():  # other clients write a null
        headers = {name: value or b"" for name, value in headers.items()}
    value = record.value or b""
    if headers.get("content-type", b"").startswith(STRUCTURED) or "ce_id" not in headers:
        return _of_structured(value, from_milliseconds(record.timestamp))
    _version(_word(headers.get("ce_specversion", b""), "ce_specversion"))
    time, edge, stamped = headers.get("ce_time"), headers.get("ce_edge"), headers.get("ce_receivedtime")
    attributes = Attributes(
        headers["ce_id"].decode(),
        _word(headers.get("ce_source", b""), "ce_source"),
        _type(headers.get("ce_type", b"")),
        time.decode() if time else None,
        _word(edge, "ce_edge") if edge else None,
        stamped.decode() if edge and stamped else from_milliseconds(record.timestamp),
        headers.get("ce_trust") != b"public",
        hops_of(headers["ce_hops"]) if "ce_hops" in headers else 0,
        _word(headers["ce_origin"], "ce_origin") if headers.get("ce_origin") else "",
    )
    return attributes, value or b"{}"


def _of_structured(value: bytes, received: str) -> tuple[Attributes, bytes]:
    try:
        one = _structured(value)
        data = bytes(one.data) if one.data_base64 is None else b64decode(one.data_base64, validate=True)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Unreadable(f"neither ce_ headers nor a structured CloudEvent: {error}", "ce_id") from error
    except ValueError as error:
        raise Unreadable(f"no base64: {error}", "data_base64") from error
    _version(one.specversion)
    source, type_ = _word(one.source.encode(), "ce_source"), _type(one.type.encode())
    hops, origin = hops_of(str(one.hops or "").encode()), _word(one.origin.encode(), "ce_origin") if one.origin else ""
    attributes = Attributes(one.id, source, type_, one.time, None, received, trusted=True, hops=hops, origin=origin)
    return attributes, b"{}" if data == b"null" else data


def _version(written: str) -> None:
    if written != "1.0":
        raise Unreadable(f"specversion {written!r} is not 1.0", "ce_specversion")


@lru_cache(maxsize=4096)
def _word(header: bytes, name: str) -> str:
    """A header that takes few values, as text: one object per value, which caches compare by identity."""
    word = header.decode()
    if not 0 < len(word) <= LONGEST_ATTRIBUTE or "\x00" in word:
        raise Unreadable("missing, empty, too long or with NUL", name)
    return word


@lru_cache(maxsize=4096)
def _type(header: bytes) -> str:
    word = _word(header, "ce_type")
    if not _TYPE.fullmatch(word):
        raise Unreadable("a type is words of letters, digits, _ and - with dots between them", "ce_type")
    return word


def _identity(attributes: Attributes) -> tuple[bytes, str]:
    """The event's id and its source: stamped at the edge, else made of what the publisher said."""
    if attributes.edge is not None:
        event = from_text(attributes.id)
        if event is None or len(attributes.id) != UUID_LETTERS:
            raise Unreadable("an event of the edge has a UUID", "ce_id")
        if not is_text(attributes.received_at):
            raise Unreadable("an event of the edge has the time of its arrival", "ce_receivedtime")
        return event, attributes.edge
    if not 0 < len(attributes.id) <= LONGEST_ATTRIBUTE or "\x00" in attributes.id:
        raise Unreadable("missing, empty, too long or with NUL", "ce_id")
    return event_id(attributes.source, f"{attributes.source} {attributes.id}"), attributes.source


def fact_of(attributes: Attributes, value: bytes, event: bytes, origin: tuple[str, str | None]) -> Fact:
    """The fact of an event: `origin` is its source and the country of that one's phones. Raises as its decoders do."""
    source, region = origin
    form = attributes.type == "form.submitted"
    decode: Callable[[bytes], Data | General] = _data if form else _general
    said, value = _said(value, decode, is_ours=attributes.edge is not None)
    time = attributes.time or (said.submitted_at if isinstance(said, Data) else None)
    who = None
    spam = isinstance(said, Data) and bool(said.spam)
    if not spam and attributes.type != "source.ignored":
        words: Words | None = None
        if isinstance(said, Data):
            words = _form_words(said, region)
        elif said.contact:
            words = words_of(said.contact, region)
        who = words and recognise(source, words, None)
        if who and words and needs_event(who):
            who = recognise(source, words, event)
    value.decode()
    name = attributes.id if attributes.edge else as_text(event)
    return Fact(
        event,
        name,
        attributes.type,
        source,
        event_time(time, attributes.received_at),
        attributes.received_at,
        attributes.trusted,
        spam,
        value,
        who,
        () if form else things_of(attributes.type, value, name),
        () if form else consents_of(attributes.type, value, who),
        hops=attributes.hops,
        origin=attributes.origin,
    )


def _said(value: bytes, decode: Callable[[bytes], _S], *, is_ours: bool) -> tuple[_S, bytes]:
    """What the hub reads of an event's data, and the data without the raw body.

    The hub's own edge writes the raw body as the last key, so there it is cut off before anything is decoded.
    """
    cut = value.rfind(_RAW) if is_ours and value.endswith(b"}}") else 0
    if cut > 0:
        shorter = value[:cut] + b"}"
        try:
            return decode(shorter), shorter
        except msgspec.DecodeError:
            pass  # what is wrong with it is told of the whole
    said = decode(value)
    parts = _parts(value)
    if "raw" not in parts:
        return said, value
    del parts["raw"]
    return said, _encode(parts)


def _form_words(said: Data, region: str | None) -> Words:
    """A form's fields on top win over those of its contact."""
    email, phone, name = said.email or "", said.phone or "", said.name or ""
    given, family, company = said.given_name or "", said.family_name or "", said.company or ""
    contact, traits = said.contact, None
    if said.fields and not FORM_TRAITS.isdisjoint(said.fields):
        traits = form_traits(contact, said.fields)
    if contact is None:
        return Words("", email, phone, name, given, family, company, region, "", (), traits)
    told = words_of(contact, region)
    return Words(
        told.id,
        email or told.email,
        phone or told.phone,
        name or told.name,
        given or told.given_name,
        family or told.family_name,
        company or told.company,
        region,
        told.device,
        told.objects,
        traits or told.traits,
    )
