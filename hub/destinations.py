"""What a tool that is told of profiles plugs in: values, no behaviour.

A **destination** says what is told to an outside tool. It never opens a connection: it renders a Call, and reads an
Answer. The dispatcher does all the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
class Destination:
    """A kind of destination.

    `render(settings, notice)` gives the body: a function of its arguments, the same bytes each time.
    `call(settings, delivery_id, at_seconds, body)` gives the request of one try, signed for that second.
    `wants(settings, type)` says whether an event type is subscribed.
    """

    name: str
    description: str
    settings: type[BaseModel]
    render: Callable[[Any, Notice], bytes]
    call: Callable[[Any, str, int, bytes], Call]
    wants: Callable[[Any, str], bool]
