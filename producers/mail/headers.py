"""The header of a mail: fields by name, folded lines joined, encoded words (RFC 2047) read. Nothing here raises."""

from __future__ import annotations

import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterator
from email.message import Message

from producers.mail.charsets import clean, decoded

LONGEST_VALUE = 64 * 1024
"""Characters of all fields of a name together that are looked at."""

_ENCODED = re.compile(rb"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bBqQ])\?([^?]*)\?=")
_FOLD = re.compile(r"\r?\n|\r")
_SPACES = re.compile(r"[\s\x00-\x1f\x7f\ufffd]*[\s\x00-\x1f\x7f][\s\x00-\x1f\x7f\ufffd]*")
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


class Head:
    """The fields of a mail; names are asked for in lower case."""

    def __init__(self, message: Message) -> None:
        self._fields: dict[str, list[str]] = {}
        left: dict[str, int] = {}
        for written, value in message.raw_items():
            name = written.strip().lower()
            room = left.setdefault(name, LONGEST_VALUE)
            if room > 0:
                self._fields.setdefault(name, []).append(str(value)[:room])
                left[name] = room - len(str(value)) - 1

    def __contains__(self, name: str) -> bool:
        """Whether there is such a field, be it empty."""
        return name in self._fields

    def raw(self, name: str) -> str:
        """The first field's value on one line, encoded words as they are; empty where there is none."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        """As `raw`, for every field of the name."""
        return [_FOLD.sub("", value).strip() for value in self._fields.get(name, ())]

    def text(self, name: str) -> str:
        """The first field's value as people read it."""
        return words(self.raw(name))


def words(value: str) -> str:
    """A value as people read it: encoded words decoded, controls and runs of spaces as one space."""
    written = _bytes(value)
    text = "".join(decoded(data, charset) for charset, data in _joined(_pieces(written)))
    return _SPACES.sub(" ", text).strip()


def plain(value: str) -> str:
    """A value that is no prose (ids, addresses) as clean text."""
    return clean(decoded(_bytes(value), None))


def _bytes(value: str) -> bytes:
    """What stood in the mail: the parser keeps foreign bytes as surrogates."""
    return value.encode("utf-8", "surrogateescape") if not value.isascii() else value.encode()


def _pieces(written: bytes) -> Iterator[tuple[str | None, bytes]]:
    """Runs of plain bytes (None) and of encoded ones with their set; spaces between two encoded words are none."""
    end, after_encoded = 0, False
    for found in _ENCODED.finditer(written):
        between = written[end : found.start()]
        if between.strip() or (between and not after_encoded):
            yield None, between
        charset, encoding, payload = found.groups()
        yield charset.decode("ascii", "replace"), _payload(encoding, payload)
        end, after_encoded = found.end(), True
    if end < len(written):
        yield None, written[end:]


def _joined(pieces: Iterator[tuple[str | None, bytes]]) -> Iterator[tuple[str | None, bytes]]:
    """Neighbours of one set together: programs cut words in the middle of a character."""
    last: str | None = None
    gathered: list[bytes] = []
    for charset, data in pieces:
        if gathered and charset != last:
            yield last, b"".join(gathered)
            gathered = []
        gathered.append(data)
        last = charset
    if gathered:
        yield last, b"".join(gathered)


def _payload(encoding: bytes, payload: bytes) -> bytes:
    if encoding in b"qQ":
        return a2b_qp(payload, header=True)
    kept = _NO_BASE64.sub(b"", payload)
    kept = kept[: len(kept) - (len(kept) % 4 == 1)]
    return a2b_base64(kept + b"=" * (-len(kept) % 4))
