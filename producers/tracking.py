"""The tracking calls' wire format: write keys, and the calls of a body with the bytes that each came as.

The Content-Type says nothing: of the clients that are in use, some label JSON as a form or as plain text.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from hub.components import Request
from hub.errors import Reject, TooLarge, Unreadable, WrongType
from producers.texts import BOM, media_type, read_json

CALLS = ("identify", "track", "page", "screen", "group", "alias")
BATCHES = ("batch", "import")
MOST_CALLS = 10_000
"""Calls of one batch."""

# What JSON has come labelled as, or may: never a picture, never a form with files.
LABELS = ("application", "text", "")
NO_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


class _Batch(msgspec.Struct, rename="camel"):
    """A body that holds several calls."""

    batch: list[msgspec.Raw]
    write_key: Any = None
    sent_at: Any = None
    context: Any = None


class _Outline(msgspec.Struct, rename="camel"):
    write_key: Any = None
    batch: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    type: Any = None


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came: `value` is its JSON, or `wrong` says why it cannot be read; `piece` as in Reading."""

    value: dict[str, Any]
    piece: bytes | None = None
    wrong: Reject | None = None


def write_keys(request: Request) -> list[str]:
    """The write keys that a request offers, the strongest first: as Basic's user, as bearer, in the body."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    readers: dict[str, Callable[[str], str]] = {"basic": _user, "bearer": str.strip}
    proof = readers[scheme.lower()](given) if scheme.lower() in readers else ""
    found = (proof, _outline(request.body).write_key)
    return [key for key in found if isinstance(key, str) and key]


def _user(given: str) -> str:
    try:
        return b64decode(given.strip(), validate=True).decode().partition(":")[0]
    except ValueError:
        return ""


def holds_batch(body: bytes) -> bool:
    """Whether a body is a batch and no call by its own words."""
    outline = _outline(body)
    return outline.type is None and outline.batch is not msgspec.UNSET


# Finding the source, proving it and reading look at the same body.
@lru_cache(maxsize=1)
def _outline(body: bytes) -> _Outline:
    try:
        return msgspec.json.decode(_plain(body), type=_Outline)
    except NO_JSON:
        return _Outline()


def _plain(body: bytes) -> bytes:
    """The body with harmless letters of the same length for half characters, which the fast reader refuses."""
    body = body.removeprefix(BOM)
    return LONE_SURROGATE.sub(rb"\\u0041", body) if b"\\u" in body else body


def calls(request: Request, *, batch: bool) -> Iterator[Call]:
    """The calls of a body; those of a batch are each good or wrong by themselves.

    Raises WrongType for a label that is no text at all, Unreadable for a body that is no JSON object, or no batch,
    Reject for texts that cannot be kept, TooLarge for too many calls.
    """
    if media_type(request.headers.get("content-type", ""))[0].partition("/")[0] not in LABELS:
        raise WrongType("tracking calls are JSON", "content-type")
    if not batch:
        yield Call(_object(request.body))
        return
    pieces, shared = _pieces(request.body)
    for piece in pieces:
        yield _call(piece, shared)


def _call(piece: bytes, shared: Mapping[str, Any]) -> Call:
    try:
        return Call({**shared, **_object(piece)}, piece)
    except Reject as wrong:
        return Call({}, piece, wrong)


def _object(body: bytes) -> dict[str, Any]:
    value, unclean = read_json(body)
    if not isinstance(value, dict):
        raise Unreadable("a tracking call is a JSON object")
    if unclean is not None:
        raise Reject("the text holds the character NUL or a lone surrogate", unclean)
    return value


def _pieces(body: bytes) -> tuple[Sequence[bytes], dict[str, Any]]:
    """The calls of a batch, each as the bytes it came as, and what the batch says for those that do not say it."""
    body = body.removeprefix(BOM)
    try:
        found = msgspec.json.decode(_plain(body), type=_Batch)
    except NO_JSON as error:
        raise Unreadable(f"a batch is a JSON object with a list `batch`: {error}", "batch") from error
    if len(found.batch) > MOST_CALLS:
        raise TooLarge(f"a batch has {MOST_CALLS} calls at the most", "batch")
    shared = {"sentAt": found.sent_at} if found.sent_at is not None else {}
    shared |= {"context": found.context} if found.context is not None else {}
    return list(_cut(body, [bytes(one) for one in found.batch])), shared


def _cut(body: bytes, pieces: Sequence[bytes]) -> Iterator[bytes]:
    """The same stretches of the body itself, half characters included."""
    plain = _plain(body)
    if plain == body:
        yield from pieces
        return
    place = 0
    for piece in pieces:
        place = plain.index(piece, place)
        yield body[place : place + len(piece)]
        place += len(piece)
