"""The tools that are told, as a kind of them describes itself: values and functions, no behaviour.

A **destination** says what is told to an outside tool. It never opens a connection: it renders a body, and makes a Call
of it. The dispatcher does all the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True)
class Call:
    """A request to a tool: everything but the signature's time, which belongs to the try."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Notice:
    """What a destination is told: `profile.updated` and its kin, the profile as JSON text, ids that were absorbed."""

    type: str
    timestamp: str
    profile: bytes
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fired:
    """A deed of a rule as tools are told of it; `key` is the ledger's key as text, `profile_id` that of its moment.

    `hops` and `origin` are what an event that follows from it is to carry. `text` is what `notify` says, `customer` a
    name for people to read.
    """

    key: str
    rule: str
    verb: str
    profile_id: str
    event_id: str
    timestamp: str
    hops: int = 1
    origin: str = ""
    text: str | None = None
    customer: str = ""


def no_profiles(_settings: Any, _notice: Notice) -> bytes:
    """How a kind renders notices of profiles that wants none of them. Raises TypeError."""
    raise TypeError("this kind of destination is never told of profiles")


@dataclass(frozen=True)
class Destination:
    """A kind of destination.

    `render(settings, notice)` gives the body: a function of its arguments, the same bytes each time.
    `fired(settings, fired)` gives the body that tells what a rule did, likewise.
    `call(settings, delivery_id, at_seconds, body)` gives the request of one try, signed for that second.
    `wants(settings, type)` says whether an event type is subscribed.
    `hears` are the verbs of rules that may name it: they tell it, whether it subscribes or not.
    """

    name: str
    description: str
    settings: type[BaseModel]
    render: Callable[[Any, Notice], bytes]
    fired: Callable[[Any, Fired], bytes]
    call: Callable[[Any, str, int, bytes], Call]
    wants: Callable[[Any, str], bool]
    hears: Collection[str] = ("call_webhook", "notify")
