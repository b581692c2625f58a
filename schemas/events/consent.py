"""What people allow: a purpose, for an e-mail address or a phone number."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from schemas.events.contact import Occurrence
from schemas.identifiers import Contact

Purpose = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]


class ConsentStated(Occurrence):
    """A person consented, or took it back. It holds for the contact's e-mail and phone, or for that of `channel`."""

    contact: Contact = Field(description="Its `email` and `phone` are what the statement is about; one must be there.")
    purpose: Purpose = Field(default="marketing", description="What for, in small letters.")
    channel: Literal["email", "phone"] | None = Field(
        default=None, description="The one of the two that it is about; absent: both that are there."
    )

    @model_validator(mode="after")
    def _has_a_contact_point(self) -> ConsentStated:
        if not (getattr(self.contact, self.channel) if self.channel else self.contact.email or self.contact.phone):
            raise ValueError("the contact has no " + (self.channel or "email and no phone"))
        return self
