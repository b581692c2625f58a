"""What is put on the topics about profiles: states, redirects, merges and splits, and that nobody is left. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import orjson

from hub.identity.ids import as_text, hash_id
from hub.identity.outcome import Changes, Told
from hub.identity.survivorship import redirect, versioned
from hub.storage.outbox import Message
from schemas.topics import ACTIVITIES, PROFILES

_raw = msgspec.Raw


def states(changes: Changes) -> Iterable[tuple[bytes, Message]]:
    """What stands under each profile id from now on, and merges for those who follow what happens."""
    for told in changes.profiles:
        profile = told.person.profile
        state = _raw(versioned(told.line, told.version))
        key = as_text(profile)
        yield profile, Message(PROFILES.name, key, "profile.updated", f"{key}:{told.version}", state)
        if told.absorbed:
            yield profile, _among("profile.merged", "absorbed", told.absorbed, told)
        if told.parts:
            yield profile, _among("profile.split", "parts", told.parts, told)
    for profile, (heir, version) in (*changes.dead_profiles.items(), *changes.redirects.items()):
        key = as_text(profile)
        state = _raw(redirect(heir, version))
        yield profile, Message(PROFILES.name, key, "profile.merged", f"{key}:{version}", state)


def _among(event_type: str, field: str, others: Sequence[bytes], told: Told) -> Message:
    """What became of ids, for those who follow what happens: `schemas.profile.Merged` or `schemas.profile.Split`."""
    key = as_text(told.person.profile)
    event = as_text(hash_id(event_type.removeprefix("profile."), key, str(told.version)))
    ids = [as_text(one) for one in others]
    value = orjson.dumps({field: ids, "profile_id": key, "version": told.version}, option=orjson.OPT_SORT_KEYS)
    return Message(ACTIVITIES.name, key, event_type, event, _raw(value))


def tombstone(profile: bytes) -> tuple[bytes, Message]:
    """Nothing stands under this id any more: the topic `profiles` forgets what stood there once it is compacted."""
    key = as_text(profile)
    return profile, Message(PROFILES.name, key, "profile.erased", f"{key}:erased", _raw(b"null"))
