"""What rules did, told on: `action.fired` on the topic `activities`, and to the tools that are to hear of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec
import orjson

from consumers.tools import Tool, action_of, hears_of_profiles
from hub.destinations import Fired
from hub.identity.ids import as_text, from_text, hash_id
from hub.storage.fired import Telling
from hub.storage.outbox import Message
from schemas.envelope import ACTION_FIRED, HUB
from schemas.topics import ACTIVITIES

LONGEST_ORIGIN = 1024
"""As long as an attribute of an event may be; of a longer chain the newest tools are kept."""
NAMES = ("company", "email", "phone")


def passed_on(origin: str) -> str:
    """The chain of tools, with the hub as its end."""
    return f"{origin},{HUB}"[-LONGEST_ORIGIN:] if origin else HUB


def customer(fields: Mapping[str, Any]) -> str:
    """A name for people: the best that is known; empty where nothing is."""
    both = " ".join(str(fields[name]) for name in ("given_name", "family_name") if fields.get(name))
    return str(fields.get("name") or both or next((fields[name] for name in NAMES if fields.get(name)), ""))


def told(one: Fired) -> tuple[bytes, Message]:
    """The record of the topic `activities`, under the profile id: `schemas.profile.ActionFired`."""
    identity = as_text(hash_id("fired", one.key))
    value = orjson.dumps(
        {
            "id": identity,
            "profile_id": one.profile_id,
            "type": ACTION_FIRED,
            "source": HUB,
            "at": one.timestamp,
            "received_at": one.timestamp,
            "data": {"action": action_of(one)},
        }
    )
    return _profile(one), Message(ACTIVITIES.name, one.profile_id, ACTION_FIRED, identity, msgspec.Raw(value))


def tellings(one: Fired, named: Collection[str], tools: Mapping[str, Tool]) -> Iterator[Telling]:
    """One delivery for each tool that the rule names, and for each other one that subscribes; its id is the key's."""
    for tool in tools.values():
        if tool.name in named or tool.destination.wants(tool.settings, ACTION_FIRED):
            identity = hash_id("fired", tool.name, one.key)
            body = tool.destination.fired(tool.settings, one)
            yield Telling(identity, tool.name, _profile(one), body, hears_of_profiles(tool))


def _profile(one: Fired) -> bytes:
    known = from_text(one.profile_id)
    if known is None:
        raise TypeError(f"{one.profile_id!r} is no profile id")
    return known
