"""Tracking calls: what the client libraries of Segment and RudderStack say of visitors."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from hmac import compare_digest
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub import clock
from hub.components import Reading, Request, Sample, Source
from hub.errors import BadProof, Reject, Unreadable
from producers import tracking
from producers.tracking import BATCHES, CALLS

LONGEST_TEXT = 4096
LONGEST_ID = 1024
TRAITS = {
    "email": ("email",),
    "phone": ("phone",),
    "name": ("name",),
    "given_name": ("firstName", "first_name", "firstname"),
    "family_name": ("lastName", "last_name", "lastname"),
}
"""A contact's fields, and the traits that say them; the first one that is there wins."""

PRODUCT_VIEWED = "Product Viewed"


class Settings(BaseModel):
    """A tracking source's table in hub.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    write_keys: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(
        min_length=1, description="What the clients call their write key; may be public. Any of them opens."
    )
    region: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] | None = Field(
        default=None, description="Country of phones that name none, two letters."
    )
    trust: bool | None = Field(
        default=None,
        description="true: believe the calls as if the keys were secret, where servers alone hold them. Default: not.",
    )


def verify(settings: Settings, request: Request) -> None:
    """Raises BadProof without a known write key."""
    offered = [key.encode("utf-8", "surrogatepass") for key in tracking.write_keys(request)]
    if not sum(compare_digest(key.encode(), one) for key in settings.write_keys for one in offered):
        raise BadProof("a tracking call needs its write key: as Basic's user, as bearer, or as `writeKey`", "writeKey")


def read(_settings: Settings, request: Request) -> Sequence[Reading]:
    """One reading per call; `?call=` is the address's word for what the body is.

    In a batch a call that cannot be read becomes `source.unreadable`. Raises what `producers.tracking.calls` raises,
    and Reject for a single call that is wrong.
    """
    asked = request.query.get("call")
    batch = asked in BATCHES or (asked is None and tracking.holds_batch(request.body))
    return [_reading(call, asked, request.received_at) for call in tracking.calls(request, batch=batch)]


def _reading(call: tracking.Call, asked: str | None, received_at: str) -> Reading:
    try:
        if call.wrong is not None:
            raise call.wrong
        return _read(call, asked if asked in CALLS else call.value.get("type"), received_at)
    except Reject as wrong:
        if call.piece is None:
            raise
        identity = f"bytes {blake2b(call.piece, digest_size=16).hexdigest()}"
        return Reading("source.unreadable", identity, _told(reason=str(wrong), field=wrong.field), piece=call.piece)


def _read(call: tracking.Call, kind: Any, received_at: str) -> Reading:
    said = call.value
    if not isinstance(kind, str):
        raise Reject("a call says its type: " + ", ".join(CALLS), "type")
    event_type, data = READERS[kind](said) if kind in READERS else ("source.ignored", {"call": kind[:LONGEST_ID]})
    return Reading(event_type, _natural_id(kind, said, received_at), data, _time(said, received_at), piece=call.piece)


def _identify(said: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    context = said.get("context")
    traits = _object(context, "traits") if isinstance(context, dict) else {}
    traits = traits | _object(said, "traits")
    contact = _contact(said) | _words(traits)
    return "contact.updated", _told(contact=contact, company=_company(traits), traits=traits)


def _track(said: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    name = _needed(said, "event")
    event_type = "product.viewed" if name == PRODUCT_VIEWED else "event.tracked"
    return event_type, _told(contact=_contact(said), name=name, properties=_object(said, "properties"))


def _viewed(event_type: str) -> Callable[[Mapping[str, Any]], tuple[str, dict[str, Any]]]:
    def read_view(said: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        words = {"name": _text(said, "name"), "category": _text(said, "category")}
        return event_type, _told(contact=_contact(said), **words, properties=_object(said, "properties"))

    return read_view


def _group(said: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    name = _needed(said, "groupId")
    return "group.joined", _told(contact=_contact(said), name=name, properties=_object(said, "traits"))


def _alias(said: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Both ids are one person."""
    return "contact.updated", {"contact": {"id": _needed(said, "userId"), "device": _needed(said, "previousId")}}


READERS: dict[str, Callable[[Mapping[str, Any]], tuple[str, dict[str, Any]]]] = {
    "identify": _identify,
    "track": _track,
    "page": _viewed("page.viewed"),
    "screen": _viewed("screen.viewed"),
    "group": _group,
    "alias": _alias,
}


def _contact(said: Mapping[str, Any]) -> dict[str, str]:
    return _told(id=_text(said, "userId"), device=_text(said, "anonymousId"))


def _words(traits: Mapping[str, Any]) -> dict[str, str]:
    """What the traits say of a contact; one that is no text, or too long, is a trait and nothing else."""
    found = {field: [_trait(traits, name) for name in names] for field, names in TRAITS.items()}
    return {field: next(filter(None, values), "") for field, values in found.items() if any(values)}


def _trait(traits: Mapping[str, Any], name: str) -> str | None:
    try:
        return _text(traits, name)
    except Reject:
        return None


def _company(traits: Mapping[str, Any]) -> str | None:
    company = traits.get("company")
    return _trait(company, "name") if isinstance(company, dict) else _trait(traits, "company")


def _needed(said: Mapping[str, Any], name: str) -> str:
    text = _text(said, name)
    if not text:
        raise Reject(f"the call needs {name}", name)
    return text


def _text(said: Mapping[str, Any], name: str) -> str | None:
    """A text, or a number as text; None where it is absent or empty. Raises Reject for anything else."""
    value = said.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if value is not None and not isinstance(value, str):
        raise Reject(f"{name} is a text", name)
    if value and len(value) > LONGEST_TEXT:
        raise Reject(f"{name} has more than {LONGEST_TEXT} characters", name)
    return value or None


def _object(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object without its nulls, empty where it is absent. Raises Reject for anything else."""
    value = said.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Reject(f"{name} is an object", name)
    return {key: one for key, one in value.items() if one is not None}


def _told(**words: Any) -> dict[str, Any]:
    """What there is to tell: neither None nor an empty object."""
    return {name: value for name, value in words.items() if value is not None and value != {}}


def _natural_id(kind: str, said: Mapping[str, Any], received_at: str) -> str:
    """The client's `messageId`; without one, what it said, on one day where it names no time."""
    given = _text(said, "messageId")
    if given and len(given) <= LONGEST_ID:
        return given
    words = {name: value for name, value in said.items() if name not in {"sentAt", "writeKey"}} | {"type": kind}
    day = "" if said.get("timestamp") or said.get("originalTimestamp") else f"{received_at[:10]} "
    try:
        canonical = orjson.dumps(words, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise Unreadable(f"the call is nested too deep: {error}") from error
    return f"{day}{blake2b(canonical, digest_size=16).hexdigest()}"


def _time(said: Mapping[str, Any], received_at: str) -> str | None:
    """`timestamp`; else `originalTimestamp`, put right by as much as the client's clock was off when it sent.

    None where the call names neither: it happened when it arrived.
    """
    timestamp, original = said.get("timestamp"), said.get("originalTimestamp")
    if isinstance(timestamp, str) or not isinstance(original, str):
        return timestamp if isinstance(timestamp, str) else None
    at, sent, arrival = clock.parse(original), clock.parse(str(said.get("sentAt"))), clock.parse(received_at)
    if at is None or sent is None or arrival is None:
        return original
    try:
        return clock.text(arrival - (sent - at))
    except OverflowError:
        return original


def _sample(settings: Settings, at: str, identity: str) -> Sample:
    """A visitor of the hub's own test."""
    call = {
        "type": "identify",
        "messageId": identity,
        "userId": "hub-test",
        "traits": {"name": "Hub Test", "email": "hub-test@example.com"},
        "timestamp": at,
    }
    proof = b64encode(f"{settings.write_keys[0]}:".encode()).decode()
    headers = {"content-type": "application/json", "authorization": f"Basic {proof}"}
    return Sample(orjson.dumps(call), headers, path="/v1/identify")


TRACKING = Source(
    name="tracking",
    description="Tracking calls of Segment's and RudderStack's client libraries, with public write keys.",
    settings=Settings,
    verify=verify,
    read=read,
    public=True,
    topic="inbound.tracking",
    sample=_sample,
    path="/v1/",
)
