"""How the hub's own mails are recognised when somebody answers them: by the form of their Message-ID alone."""

from __future__ import annotations

import re
from uuid import UUID

_FORM = re.compile(r"hub\.([0-9a-f]{32})@")


def message_id(key: UUID, domain: str) -> str:
    """The Message-ID of the mail with this key: the same for every try of it, so a second copy is recognised."""
    return f"<hub.{key.hex}@{domain}>"


def key_of(written: str) -> UUID | None:
    """The key that a Message-ID carries, with or without brackets; None where the mail is not one of the hub's."""
    found = _FORM.match(written.strip().removeprefix("<"))
    return UUID(hex=found[1]) if found else None
