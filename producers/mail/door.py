"""What a mail source answers to a post."""

from __future__ import annotations

from typing import Any, NoReturn

from hub.components import Request
from hub.errors import Reject


class NoPosts(Reject):
    """There is a source of this name, and nothing at its address."""

    status = 404


def refuse_posts(_settings: Any, _request: Request) -> NoReturn:
    """Raises NoPosts: mail comes in by SMTP, LMTP or IMAP."""
    raise NoPosts("this source takes mail, by SMTP, LMTP or IMAP; there is nothing to post to")
