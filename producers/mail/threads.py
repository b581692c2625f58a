"""The ids of a mail and of its conversation. Nothing here raises."""

from __future__ import annotations

import re
from dataclasses import dataclass

from producers.mail.headers import Head, plain

LONGEST_ID = 998
MOST_REFERENCES = 100
_BRACKETED = re.compile(r"<([^<>]*)>")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail stands: its own id, what it answers, all that came before, and the first of them."""

    message_id: str
    in_reply_to: str
    references: tuple[str, ...]

    @property
    def thread(self) -> str:
        """The id of the first mail of the conversation, as far as this one knows it."""
        return next(iter(self.references), "") or self.in_reply_to or self.message_id


def place(head: Head) -> Place:
    """The place that the fields tell; ids without their brackets, empty where there is none."""
    own, answered = _ids(head.raw("message-id")), _ids(head.raw("in-reply-to"))
    before = [one for field in head.all("references") for one in _ids(field)]
    if len(before) > MOST_REFERENCES:
        before = [before[0], *before[1 - MOST_REFERENCES :]]
    return Place(next(iter(own), ""), next(iter(answered), ""), tuple(before))


def _ids(field: str) -> list[str]:
    written = plain(field)
    found = _BRACKETED.findall(written) or written.split()
    ids = (_SPACE.sub("", one).strip("<>,;\"'") for one in found)
    return [one for one in ids if 0 < len(one) <= LONGEST_ID]
