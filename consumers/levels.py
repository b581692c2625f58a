"""What is to be told: a pure function of what was told, what is wanted, and who the person is now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hub.identity.ids import as_text, hash_id
from hub.storage.told import Level, Opened, Truth

Kind = Literal["alive", "merged", "erased"]


@dataclass(frozen=True, slots=True)
class News:
    """What a destination should hear next of a profile id. `others`: ids that were absorbed, erased, or came apart."""

    id: bytes
    type: str
    kind: Kind
    version: int
    lane: bytes
    others: tuple[str, ...] = ()


def delivery_id(destination: str, profile_id: bytes, event_type: str, version: int) -> bytes:
    """The webhook-id: the same after a crash, another one for other bytes."""
    return hash_id("delivery", destination, as_text(profile_id), event_type, str(version))


def dirty(level: Level) -> bool:
    """Whether the destination should hear more. One merge is told once, and only where the id was ever spoken of.

    An id that was absorbed and whose record is somebody else's by now is told once more, under its new survivor. An
    erasure is told to whoever may have heard of the id.
    """
    if level.want_version <= level.told_version:
        return False
    if level.want_kind == "erased":
        return level.tried and level.told_kind != "erased"
    if level.want_kind == "merged":
        return level.tried and (level.told_kind, level.told_into) != ("merged", level.want_into)
    return True


def opened(level: Level) -> Opened:
    """The delivery that closes the gap, as far as it is known before it is rendered."""
    event_type = _type(level.want_kind, level.told_kind)
    identity = delivery_id(level.destination, level.profile_id, event_type, level.want_version)
    lane = level.want_into or level.profile_id
    return Opened(identity, level.destination, level.profile_id, lane, event_type, level.want_version)


def news(level: Level, truth: Truth) -> News | None:
    """What to tell now, out of the truth itself; None where there is nothing (left) to tell."""
    if truth.lives_as is None:
        return _farewell(level) if level.want_kind == "erased" and dirty(level) else None
    kind: Kind = "alive" if truth.lives_as == level.profile_id else "merged"
    if kind == "merged" and ((level.told_kind, level.told_into) == ("merged", truth.lives_as) or not level.tried):
        return None
    if truth.version <= level.told_version and level.told_kind == kind:
        return None
    event_type = _type(kind, level.told_kind)
    identity = delivery_id(level.destination, level.profile_id, event_type, truth.version)
    return News(identity, event_type, kind, truth.version, truth.lives_as, _others(event_type, level))


def _farewell(level: Level) -> News:
    """Nobody is behind this id any more."""
    event_type, version = _type("erased", level.told_kind), level.want_version
    identity = delivery_id(level.destination, level.profile_id, event_type, version)
    return News(identity, event_type, "erased", version, level.profile_id, _others(event_type, level))


def _type(kind: str, told_kind: str | None) -> str:
    if kind != "alive":
        return f"profile.{kind}"
    return {None: "profile.created", "erased": "profile.created", "merged": "profile.split"}.get(
        told_kind, "profile.updated"
    )


def _others(event_type: str, level: Level) -> tuple[str, ...]:
    if event_type in {"profile.merged", "profile.erased"}:
        return (as_text(level.profile_id),)
    if event_type == "profile.split":
        return tuple(as_text(one) for one in sorted({level.profile_id, level.told_into or level.profile_id}))
    return ()
