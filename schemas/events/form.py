"""What web forms say."""

from __future__ import annotations

from pydantic import Field

from schemas.envelope import Raw
from schemas.identifiers import Contact, Shape, Text


class FormSubmitted(Shape):
    """A visitor sent a form. The fields that forms share stand on top, every other one in `fields`."""

    contact: Contact | None = None
    name: Text | None = None
    given_name: Text | None = None
    family_name: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    company: Text | None = None
    message: str | None = None
    submitted_at: Text | None = None
    fields: dict[str, str | list[str]] | None = Field(default=None, description="Every other field as it came.")
    files: list[dict[str, str | int]] | None = Field(default=None, description="name, content_type, bytes of uploads.")
    spam: bool | None = Field(default=None, description="The honeypot was filled: kept apart, on no profile.")
    raw: Raw | None = None
