"""The attributes of a CloudEvent as a sender gave them: what must be there, and what may be in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.errors import Reject, Unreadable
from producers.texts import is_clean
from schemas.envelope import hub_only

LONGEST_ATTRIBUTE = 1024
MOST_HOPS = 999
"""Beyond eight no rule is set off any more (`hub.automation.decisions`); the event is taken all the same."""
TYPE = re.compile(r"(?=.{1,256}$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Attributes:
    """A valid envelope: required attributes, and of the optional ones those that go on."""

    id: str
    source: str
    type: str
    time: str | None
    subject: str | None
    extensions: dict[str, str]

    @property
    def natural_id(self) -> str:
        """`id` is unique within `source`; neither holds a control character."""
        return f"{self.source}\x1f{self.id}"


def attributes(given: Mapping[str, Any], prefix: str = "") -> Attributes:
    """The envelope in `given`; `prefix` is what stands before a name where errors are told (`ce-`).

    Raises Unreadable for an attribute that is missing, no text or too long; Reject for one with a wrong value.
    """
    if _required(given, "specversion", prefix) != "1.0":
        raise Unreadable("specversion is 1.0", f"{prefix}specversion")
    time = given.get("time")
    return Attributes(
        id=_required(given, "id", prefix),
        source=_required(given, "source", prefix),
        type=_type(given, prefix),
        time=_optional(given, "time", prefix) if isinstance(time, str) and time else None,
        subject=_optional(given, "subject", prefix),
        extensions=_extensions(given, prefix),
    )


def _required(given: Mapping[str, Any], name: str, prefix: str) -> str:
    value = _optional(given, name, prefix)
    if value is None:
        raise Unreadable(f"the attribute {name} is required", prefix + name)
    return value


def _optional(given: Mapping[str, Any], name: str, prefix: str) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise Unreadable(f"the attribute {name} is a text that is not empty", prefix + name)
    if len(value) > LONGEST_ATTRIBUTE:
        raise Unreadable(f"the attribute {name} has more than {LONGEST_ATTRIBUTE} characters", prefix + name)
    if CONTROL.search(value) or not is_clean(value):
        raise Reject(f"the attribute {name} holds a control character or a lone surrogate", prefix + name)
    return value


def _type(given: Mapping[str, Any], prefix: str) -> str:
    written = _required(given, "type", prefix)
    if not TYPE.fullmatch(written):
        raise Reject("a type is words of letters, digits, _ and - with dots between them", f"{prefix}type")
    if hub_only(written) or written.startswith("source."):
        raise Reject(f"only the hub itself makes {written}", f"{prefix}type")
    return written


def _extensions(given: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """`origin`, `hops` and `traceparent`; a trace that is none is left out, as its standard asks."""
    kept = {}
    if origin := _optional(given, "origin", prefix):
        kept["origin"] = origin
    if given.get("hops") is not None:
        kept["hops"] = _hops(given["hops"], prefix)
    trace = given.get("traceparent")
    if isinstance(trace, str) and TRACEPARENT.fullmatch(trace):
        kept["traceparent"] = trace
    return kept


def _hops(given: object, prefix: str) -> str:
    written = str(given)
    if not (written.isascii() and written.isdigit() and len(written) <= 3 and int(written) <= MOST_HOPS):
        raise Reject(f"hops is a number up to {MOST_HOPS}", f"{prefix}hops")
    return written
