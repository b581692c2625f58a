"""How a person is named in an event: identifiers, and the contact that carries them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(max_length=4096)]
IdentifierType = Literal["account", "email", "phone", "device", "object"]


class Shape(BaseModel):
    """What travels: unknown keys are kept, values are never bent into another type."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)


class Contact(Shape):
    """The person an event is about; every field may be absent."""

    id: Text | None = Field(default=None, description="The person's id in the source: two ids are two accounts.")
    email: Text | None = Field(default=None, description="An e-mail address as it was written.")
    phone: Text | None = Field(default=None, description="A phone number as it was written.")
    name: Text | None = Field(default=None, description="The whole name, given name first.")
    given_name: Text | None = None
    family_name: Text | None = None
    device: Text | None = Field(default=None, description="An anonymous id: a cookie or an installation.")
    objects: list[Text] | None = Field(
        default=None, description="Things of the source that are this person's alone, `order:123`: they lead to them."
    )


class Identifier(Shape):
    """One address of a person, normalised: e-mail in lower case, phone as E.164."""

    type: IdentifierType
    value: str
