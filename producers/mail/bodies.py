"""The text of a mail and what is attached to it. Whatever is broken is left out; nothing here raises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from typing import Any

from producers.mail.charsets import decoded
from producers.mail.headers import words
from producers.mail.markup import text_of
from producers.mail.structure import within

LONGEST_TEXT = 100_000
"""Characters of the text that are kept; the whole mail is in the event's raw bytes."""

LONGEST_READ = 3 * LONGEST_TEXT
"""Characters that are looked at, of all parts together: markup, quotation and signature count."""

MOST_TEXTS, MOST_HTML = 20, 5
"""Parts of text that are read."""

LONGEST_NAME = 255
MOST_ATTACHMENTS = 100
_OF_REPORTS = frozenset(("message/delivery-status", "message/disposition-notification", "text/rfc822-headers"))
_UUENCODED = re.compile(r"^begin [0-7]{3,4} ([^\n]{1,200})\n((?:[ -`]{1,62}\n)+)(?:end)?$", re.MULTILINE)
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,120}")


def read_body(message: Message) -> tuple[str, list[dict[str, Any]]]:
    """The text as its writer's program shows it (quotation and all), and the attachments."""
    plain: list[Message] = []
    html: list[Message] = []
    attachments: list[dict[str, Any]] = []
    for part in _leaves(message):
        kind = part.get_content_type()
        name = _file_name(part)
        if kind in {"text/plain", "text/html"} and not name and part.get_content_disposition() != "attachment":
            (plain if kind == "text/plain" else html).append(part)
        elif kind not in _OF_REPORTS and len(attachments) < MOST_ATTACHMENTS:
            attachments.append(_noted(part, kind, name))
    text = _together(plain[:MOST_TEXTS]) or _together(html[:MOST_HTML])
    text, files = _without_uuencoded(text[:LONGEST_READ])
    return text, [*attachments, *files][:MOST_ATTACHMENTS]


def _together(parts: list[Message]) -> str:
    return "\n\n".join(text for part in parts if (text := _text(part, LONGEST_READ // len(parts))).strip())


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold no parts, in order; a mail within the mail is a leaf."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting += reversed(within(part))
        else:
            yield part


def _text(part: Message, room: int) -> str:
    text = decoded(_bytes(part)[: 4 * room], _parameter(part, "charset")).replace("\r\n", "\n")
    if part.get_content_type() == "text/html":
        return text_of(text[:room])
    if _parameter(part, "format").lower() == "flowed":
        return _unflowed(text, joins=_parameter(part, "delsp").lower() == "yes")
    return text


def _bytes(part: Message) -> bytes:
    """The part's bytes, unpacked as far as they can be."""
    try:
        found = part.get_payload(decode=True)
        return found if isinstance(found, bytes) else b""
    except Exception:  # noqa: BLE001 - the standard library trips over broken parts in many ways; the others are fine
        return b""


def _parameter(part: Message, name: str) -> str:
    """A parameter of Content-Type, empty where there is none that can be read."""
    try:
        found = part.get_param(name)
        return str(found[2] if isinstance(found, tuple) else found or "").strip(" \"'")
    except Exception:  # noqa: BLE001 - as above
        return ""


def _file_name(part: Message) -> str:
    try:
        name = words(part.get_filename() or "")
    except Exception:  # noqa: BLE001 - as above
        return ""
    return name.replace("\\", "/").rpartition("/")[2][:LONGEST_NAME]


def _noted(part: Message, kind: str, name: str) -> dict[str, Any]:
    if part.is_multipart():  # a mail within the mail, taken apart already
        return _attachment(name or "message.eml", kind, _size(part))
    return _attachment(name, kind, len(_bytes(part)))


def _size(part: Message) -> int:
    """How many bytes the parts within hold."""
    size, waiting = 0, [part]
    while waiting:
        inner = waiting.pop()
        waiting += within(inner)
        size += 0 if inner.is_multipart() else len(_bytes(inner))
    return size


def _attachment(name: str, kind: str, size: int) -> dict[str, Any]:
    return {"name": name, "content_type": kind if _TYPE.fullmatch(kind) else "application/octet-stream", "bytes": size}


def _without_uuencoded(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Files from before MIME: `begin 644 name` within the text."""
    found = [
        _attachment(words(one[1])[:LONGEST_NAME], "application/octet-stream", _unpacked(one[2]))
        for one in _UUENCODED.finditer(text)
    ]
    return (_UUENCODED.sub("", text), found) if found else (text, [])


def _unpacked(lines: str) -> int:
    """How many bytes uuencoded lines hold: each begins with its number."""
    return sum((ord(line[0]) - 32) & 63 for line in lines.split("\n") if line)


def _unflowed(text: str, *, joins: bool) -> str:
    """RFC 3676: a line that ends with a space goes on in the next one, within the same depth of quotation."""
    lines: list[str] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        bare = line.lstrip(">")
        depth, bare = len(line) - len(bare), bare.removeprefix(" ")
        flows = bare.endswith(" ") and bare != "-- "
        said = bare[:-1] if flows and joins else bare
        if open_depth == depth and bare != "-- ":
            lines[-1] += said
        else:
            lines.append(">" * depth + (" " if depth else "") + said)
        open_depth = depth if flows else None
    return "\n".join(lines)
