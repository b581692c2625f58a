"""What is compared of a person: one value per trait out of all that the records say.

Every choice is a maximum over a total order, as with survivorship, so the order of the records is of no account.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson

from hub.identity.evidence import LINK, Known, Statement
from hub.identity.normalise import Name, fold, name

ADDRESS = ("street", "postcode", "city", "region")
NOBODYS_BIRTHDAYS = frozenset({"0001-01-01", "1900-01-01", "1970-01-01", "2000-01-01"})
"""Dates that forms and old systems write where they know none."""
LONGEST = 100
"""Signs of a text that are compared; what is longer is no name and no street."""
MOST_CONTACTS = 16
"""E-mail addresses, and numbers, of a person that are compared: each of one with each of the other."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBER = re.compile(r"\d+[a-z]?")
_WAYS = {"ave": "avenue", "ct": "court", "dr": "drive", "ln": "lane", "pl": "place", "rd": "road", "st": "street"}
_STRASSE = re.compile(r"(?<=\w)str$|^str$")


class Traits(NamedTuple):
    """A person for comparing; what is not known is empty.

    Names and places are folded, `birth_date` is ISO text, `street` has neither its number nor short forms, `postcode`
    is letters and digits, e-mail addresses and phone numbers are normalised and in order.
    """

    given: str = ""
    family: str = ""
    birth_date: str = ""
    street: str = ""
    street_number: str = ""
    postcode: str = ""
    city: str = ""
    region: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()


class Address(NamedTuple):
    """Where somebody lives, in the spelling of `Traits`."""

    street: str
    street_number: str
    postcode: str
    city: str
    region: str


def traits_of(records: Iterable[Known]) -> Traits:
    """The traits of a person with these records: per field the statement that ranks highest.

    Blocked and shared identifiers are left out: they belong to nobody in particular. Fields that no record states and
    values that cannot be read are empty.
    """
    people = list(records)
    said = _said(people)
    stated = name(said.get("name", ""), said.get("given_name", ""), said.get("family_name", ""))
    given, family = stated if any(stated) else _longest(people)
    day = said.get("birth_date", "").strip()
    claims = {(claim.namespace, claim.value) for one in people for claim in one.evidence.claims if claim.state == LINK}
    return Traits(
        given[:LONGEST],
        family[:LONGEST],
        day if _DAY.fullmatch(day) and day not in NOBODYS_BIRTHDAYS else "",
        *address(_address(said)),
        emails=_contacts("email", claims),
        phones=_contacts("phone", claims),
    )


def _contacts(namespace: str, claims: set[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted(value for its, value in claims if its == namespace)[:MOST_CONTACTS])


def address(parts: Mapping[str, str]) -> Address:
    """An address in one spelling, out of its parts as people typed them: street (with number), postcode, city, region.

    The first word of the street that begins with a digit is the number; "St", "Rd" and their like are written out.
    """
    words = fold(parts.get("street", "")).split()
    number = next((word for word in words if _NUMBER.fullmatch(word)), "")
    if number:
        words.remove(number)
    street = " ".join(_STRASSE.sub("strasse", _WAYS.get(word, word)) for word in words)
    postcode = fold(parts.get("postcode", "")).replace(" ", "").replace("-", "")
    return Address(street, number, postcode, fold(parts.get("city", "")), fold(parts.get("region", "")))


def _said(records: Iterable[Known]) -> dict[str, str]:
    best: dict[str, Statement] = {}
    for record in records:
        for field, statement in record.evidence.fields.items():
            if field not in best or statement.rank > best[field].rank:
                best[field] = statement
    return {field: said.value if field == "address" else said.value[:LONGEST] for field, said in best.items()}


def _longest(records: Iterable[Known]) -> Name:
    """The fullest of the names that were ever said."""
    names = [one for record in records for one in record.evidence.names]
    return max(names, key=lambda one: (bool(one.family), len(one.given), one), default=Name("", ""))


def _address(said: Mapping[str, str]) -> dict[str, str]:
    """The parts of the one statement `address` (JSON); without it, the fields of that name."""
    try:
        parts = orjson.loads(said.get("address", ""))
    except orjson.JSONDecodeError:
        parts = None
    if not isinstance(parts, dict):
        parts = said
    return {part: parts[part][:LONGEST] for part in ADDRESS if isinstance(parts.get(part), str)}
