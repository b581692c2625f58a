"""Mail that a mail server hands over by SMTP or LMTP; the role `mailbox` listens (`producers.mailbox`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from hub.components import Reading, Request, Source
from producers.mail.door import refuse_posts
from producers.mail.reading import ENVELOPE_SENDER, read_mail
from producers.mail.settings import MailSettings


class Settings(MailSettings):
    """A listener's table in hub.toml."""

    listen: Annotated[str, StringConstraints(pattern=r"^\S+:\d{1,5}$")] = Field(
        description="host:port where mail servers hand over; no stranger should reach it."
    )
    protocol: Literal["smtp", "lmtp"] = Field(
        default="smtp", description="smtp, or lmtp, which answers for each recipient."
    )


def read(settings: Settings, request: Request) -> Sequence[Reading]:
    """One `email.received`. Raises Unreadable for bytes that are no mail."""
    return [read_mail(settings, request)]


SMTP = Source(
    name="smtp",
    description="Mail that a mail server hands over, by SMTP or LMTP.",
    settings=Settings,
    verify=refuse_posts,
    read=read,
    heeds=lambda _: (ENVELOPE_SENDER,),
    topic="inbound.email",
    door="mail",
)
