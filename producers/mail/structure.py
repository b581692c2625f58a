"""From bytes to parts, within bounds: the standard library's parser never gives up, however long that takes.

Its work is lines x parts that hold parts, and it reads a field's parameters in the square of their number. A mail
beyond the bounds is read by its header alone.
"""

from __future__ import annotations

import re
from email import policy
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser

HEAD_BYTES = 2 * 1024 * 1024
FIELD_BYTES = 4096
MOST_PARAMETERS = 32
MOST_PARTS = 5000
MOST_WORK = 10_000_000
"""Lines x parts that hold parts."""

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_CONTENT_FIELD = re.compile(rb"^content-[a-z-]{1,40}:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
_HOLDER = re.compile(rb"^content-type:\s*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_BEFORE_HEAD = re.compile(rb"\A(?:(?![!-9;-~]+[ \t]*:)[^\n]*\n){1,20}(?=[!-9;-~]+[ \t]*:)")
"""Lines that are no field: `From ann Sun Nov 22 …` of a mailbox file, empty ones, rubbish."""


def parsed(mail: bytes) -> Message:
    """The mail as a tree of parts; its header alone where the rest is beyond all measure."""
    mail = _BEFORE_HEAD.sub(b"", mail, count=1)
    end = _END_OF_HEAD.search(mail, 0, HEAD_BYTES)
    message = _fields(mail[: end.end() if end else HEAD_BYTES])
    if end is None and len(mail) > HEAD_BYTES:
        return message
    if end and not message.defects and message.get_content_maintype() not in {"multipart", "message"}:
        message.set_payload(mail[end.end() :].decode("ascii", "surrogateescape"))  # no need to look at each line
        return message
    bounded = _CONTENT_FIELD.sub(_shortened, mail)
    if bounded.count(b"\n--") > MOST_PARTS or len(_HOLDER.findall(bounded)) * bounded.count(b"\n") > MOST_WORK:
        return message
    try:
        return BytesParser(policy=policy.compat32).parsebytes(bounded)
    except RecursionError:
        return message


def within(part: Message) -> list[Message]:
    """The parts that a part holds."""
    inner = part.get_payload() if part.is_multipart() else []
    return [one for one in inner if isinstance(one, Message)]


def _fields(head: bytes) -> Message:
    """A message with the fields and no body worth a look."""
    return BytesHeaderParser(policy=policy.compat32).parsebytes(_CONTENT_FIELD.sub(_shortened, head))


def _shortened(field: re.Match[bytes]) -> bytes:
    written = field[0][:FIELD_BYTES]
    return b";".join(written.split(b";", MOST_PARAMETERS)[:MOST_PARAMETERS])
