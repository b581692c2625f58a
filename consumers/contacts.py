"""The contact of an event, decoded on the hot path, and its words for `hub.identity`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from hub.identity.evidence import Words
from hub.identity.traits import ADDRESS_PARTS, Traits

Text = Annotated[str, msgspec.Meta(max_length=4096)]
FORM_TRAITS = frozenset(("job_title", "language", "birth_date", "timezone", *ADDRESS_PARTS))
"""Names of further form fields that say a trait; they must be spelled so."""


class Address(msgspec.Struct):
    """`schemas.identifiers.Address` for the hot path."""

    street: Text | None = None
    street_number: Text | None = None
    postcode: Text | None = None
    city: Text | None = None
    region: Text | None = None
    country: Text | None = None


class Contact(msgspec.Struct):
    """`schemas.identifiers.Contact` for the hot path; a test proves that they agree."""

    id: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    name: Text | None = None
    given_name: Text | None = None
    family_name: Text | None = None
    company: Text | None = None
    job_title: Text | None = None
    language: Text | None = None
    birth_date: Text | None = None
    tax_id: Text | None = None
    address: Address | None = None
    tags: list[Text] | None = None
    email_verified: bool | None = None
    phone_verified: bool | None = None
    device: Text | None = None
    objects: list[Text] | None = None
    timezone: Text | None = None


def words_of(contact: Contact, region: str | None) -> Words:
    """The contact as written; `region` is the country of phones that name none."""
    return Words(
        contact.id or "",
        contact.email or "",
        contact.phone or "",
        contact.name or "",
        contact.given_name or "",
        contact.family_name or "",
        contact.company or "",
        region,
        contact.device or "",
        tuple(contact.objects) if contact.objects else (),
        traits_of(contact),
    )


def traits_of(contact: Contact) -> Traits | None:
    """What the contact says beside names and identifiers; None, and quickly, for most."""
    if not (
        contact.job_title
        or contact.language
        or contact.birth_date
        or contact.tax_id
        or contact.address
        or contact.tags is not None
        or contact.email_verified is not None
        or contact.phone_verified is not None
        or contact.timezone
    ):
        return None
    place = contact.address or Address()
    return Traits(
        contact.job_title or "",
        contact.language or "",
        contact.birth_date or "",
        contact.tax_id or "",
        tuple(getattr(place, part) or "" for part in ADDRESS_PARTS),
        None if contact.tags is None else tuple(contact.tags),
        contact.email_verified,
        contact.phone_verified,
        contact.timezone or "",
    )


def form_traits(contact: Contact | None, fields: Mapping[str, str | list[str]]) -> Traits:
    """What a form says: its contact, and upon it the further fields that bear exactly the name of a trait."""
    known = (contact and traits_of(contact)) or Traits()
    said = {name: value for name in FORM_TRAITS if isinstance(value := fields.get(name), str) and value}
    place = tuple(said.get(part, "") for part in ADDRESS_PARTS)
    return known._replace(
        job_title=said.get("job_title", known.job_title),
        language=said.get("language", known.language),
        birth_date=said.get("birth_date", known.birth_date),
        timezone=said.get("timezone", known.timezone),
        address=place if any(place) else known.address,
    )
