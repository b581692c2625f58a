"""Tracking calls: what the client libraries of Segment and RudderStack say of visitors."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import blake2b
from hmac import compare_digest
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub import clock
from hub.components import Reading, Request, Sample, Source
from hub.errors import BadProof, Reject, Unreadable
from producers import tracking
from producers.payload import Part, told
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
        return Reading("source.unreadable", identity, told(reason=str(wrong), field=wrong.field), piece=call.piece)


def _read(call: tracking.Call, kind: Any, received_at: str) -> Reading:
    said = Part(call.value)
    if not isinstance(kind, str):
        raise Reject("a call says its type: " + ", ".join(CALLS), "type")
    event_type, data = READERS[kind](said) if kind in READERS else ("source.ignored", {"call": kind[:LONGEST_ID]})
    return Reading(event_type, _natural_id(kind, said, received_at), data, _time(said, received_at), piece=call.piece)


def _identify(said: Part) -> tuple[str, dict[str, Any]]:
    context = said.value.get("context")
    traits = _object(said.part("context"), "traits") if isinstance(context, dict) else {}
    traits = traits | _object(said, "traits")
    stated = Part(traits, "traits")
    contact = _contact(said) | _words(stated) | told(timezone=_timezone(said, stated))
    return "contact.updated", told(contact=contact, company=_company(stated), traits=traits)


def _track(said: Part) -> tuple[str, dict[str, Any]]:
    name = said.needed("event")
    event_type = "product.viewed" if name == PRODUCT_VIEWED else "event.tracked"
    return event_type, told(contact=_contact(said), name=name, properties=_object(said, "properties"))


def _viewed(event_type: str) -> Callable[[Part], tuple[str, dict[str, Any]]]:
    def read_view(said: Part) -> tuple[str, dict[str, Any]]:
        words = {"name": said.text("name"), "category": said.text("category")}
        return event_type, told(contact=_contact(said), **words, properties=_object(said, "properties"))

    return read_view


def _group(said: Part) -> tuple[str, dict[str, Any]]:
    name = said.needed("groupId")
    return "group.joined", told(contact=_contact(said), name=name, properties=_object(said, "traits"))


def _alias(said: Part) -> tuple[str, dict[str, Any]]:
    """Both ids are one person."""
    return "contact.updated", {"contact": {"id": said.needed("userId"), "device": said.needed("previousId")}}


READERS: dict[str, Callable[[Part], tuple[str, dict[str, Any]]]] = {
    "identify": _identify,
    "track": _track,
    "page": _viewed("page.viewed"),
    "screen": _viewed("screen.viewed"),
    "group": _group,
    "alias": _alias,
}


def _contact(said: Part) -> dict[str, str]:
    return told(id=said.text("userId"), device=said.text("anonymousId"))


def _words(traits: Part) -> dict[str, str]:
    """What the traits say of a contact; one that is no text, or too long, is a trait and nothing else."""
    found = {field: [_trait(traits, name) for name in names] for field, names in TRAITS.items()}
    return {field: next(filter(None, values), "") for field, values in found.items() if any(values)}


def _timezone(said: Part, traits: Part) -> str | None:
    """That of the traits, else that of the device."""
    context = said.part("context") if isinstance(said.value.get("context"), dict) else Part({}, "context")
    return _trait(traits, "timezone") or _trait(context, "timezone")


def _trait(traits: Part, name: str) -> str | None:
    try:
        return traits.text(name)
    except Reject:
        return None


def _company(traits: Part) -> str | None:
    if isinstance(traits.value.get("company"), dict):
        return _trait(traits.part("company"), "name")
    return _trait(traits, "company")


def _object(said: Part, name: str) -> dict[str, Any]:
    """An object without its nulls, empty where it is absent. Raises Reject for anything else."""
    return {key: one for key, one in said.part(name).value.items() if one is not None}


def _natural_id(kind: str, said: Part, received_at: str) -> str:
    """The client's `messageId`; without one, what it said, on one day where it names no time."""
    given = said.text("messageId")
    if given and len(given) <= LONGEST_ID:
        return given
    words = {name: value for name, value in said.value.items() if name not in {"sentAt", "writeKey"}} | {"type": kind}
    day = "" if said.value.get("timestamp") or said.value.get("originalTimestamp") else f"{received_at[:10]} "
    try:
        canonical = orjson.dumps(words, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise Unreadable(f"the call is nested too deep: {error}") from error
    return f"{day}{blake2b(canonical, digest_size=16).hexdigest()}"


def _time(said: Part, received_at: str) -> str | None:
    """`timestamp`; else `originalTimestamp`, put right by as much as the client's clock was off when it sent.

    None where the call names neither: it happened when it arrived.
    """
    timestamp, original = said.value.get("timestamp"), said.value.get("originalTimestamp")
    if isinstance(timestamp, str) or not isinstance(original, str):
        return timestamp if isinstance(timestamp, str) else None
    at, sent, arrival = clock.parse(original), clock.parse(str(said.value.get("sentAt"))), clock.parse(received_at)
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
