"""How a person is named in an event: identifiers, and the contact that carries them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(max_length=4096)]
IdentifierType = Literal["account", "email", "phone", "device", "object"]


class Shape(BaseModel):
    """What travels: unknown keys are kept, values are never bent into another type."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)


class Address(Shape):
    """Where a person lives or has the post sent: one fact, never mixed out of two."""

    street: Text | None = Field(default=None, description="The street, with the number where it has no field.")
    street_number: Text | None = None
    postcode: Text | None = None
    city: Text | None = None
    region: Text | None = Field(default=None, description="State, province or county.")
    country: Text | None = Field(default=None, description="Two letters (ISO 3166), else as it was written.")


class Contact(Shape):
    """The person an event is about; every field may be absent."""

    id: Text | None = Field(default=None, description="The person's id in the source: two ids are two accounts.")
    email: Text | None = Field(default=None, description="An e-mail address as it was written.")
    phone: Text | None = Field(default=None, description="A phone number as it was written.")
    name: Text | None = Field(default=None, description="The whole name, given name first.")
    given_name: Text | None = None
    family_name: Text | None = None
    company: Text | None = None
    job_title: Text | None = None
    language: Text | None = Field(default=None, description="BCP 47, as `de` or `pt-BR`; anything else is left out.")
    birth_date: Text | None = Field(default=None, description="YYYY-MM-DD; anything else is left out.")
    tax_id: Text | None = None
    address: Address | None = None
    tags: list[Text] | None = Field(
        default=None, description="All tags that the source has for the person; an empty list says that there are none."
    )
    email_verified: bool | None = Field(default=None, description="Whether the source has proof of `email`.")
    phone_verified: bool | None = Field(default=None, description="Whether the source has proof of `phone`.")
    device: Text | None = Field(default=None, description="An anonymous id: a cookie or an installation.")
    objects: list[Text] | None = Field(
        default=None, description="Things of the source that are this person's alone, `order:123`: they lead to them."
    )
    timezone: Text | None = Field(default=None, description="As `Europe/Berlin`; anything else is left out.")


class Identifier(Shape):
    """One address of a person, normalised: e-mail in lower case, phone as E.164."""

    type: IdentifierType
    value: str
