"""What mail says."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.events.contact import Occurrence
from schemas.identifiers import Shape


class Attachment(Shape):
    """A part of a mail that is no text of it."""

    name: str
    content_type: str
    bytes: int


class EmailReceived(Occurrence):
    """A mail arrived. `text` is what its writer says anew: without quotation and signature."""

    subject: str | None = None
    sender: str | None = Field(default=None, description="The address in From, as it was written.")
    to: list[str] | None = None
    cc: list[str] | None = None
    message_id: str | None = Field(default=None, description="Without the angle brackets, as all ids of mails.")
    in_reply_to: str | None = None
    references: list[str] | None = None
    thread: str | None = Field(default=None, description="The id of the first mail of the conversation.")
    automatic: Literal["auto_reply", "bounce", "list"] | None = Field(
        default=None, description="No person wrote it: an absence notice, a report of non-delivery, a mailing list."
    )
    internal: bool | None = Field(default=None, description="Written by our own house: it is on no profile.")
    dkim: str | None = Field(default=None, description="What the receiving server says: pass, fail, none …")
    attachments: list[Attachment] | None = None


class EmailReplied(EmailReceived):
    """A person answered one of the hub's own mails: its Message-ID says which, whatever became of the text."""

    answers: str | None = Field(default=None, description="The key of the mail that is answered, a UUID.")
