"""What is said of a person beside names and identifiers: each trait in one spelling, or left out where it is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import orjson

from hub.identity.normalise import clean

ADDRESS_PARTS = ("street", "street_number", "postcode", "city", "region", "country")
MOST_TAGS, LONGEST_TAG = 200, 256
VERIFIED = {"email": "email_verified", "phone": "phone_verified"}
"""Contact point → the field whose value is the one that the record says is proved; empty where it says it is not."""
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_ZONE = re.compile(r"UTC|[A-Z][A-Za-z]+(?:/[A-Z][A-Za-z0-9_+-]*)+", re.ASCII)
LONGEST_ZONE = 64
_FIRST_DAY = "1900-01-02"
"""The first of January 1900 is what programs write for "not known"."""


class Traits(NamedTuple):
    """Traits as written; what is absent is empty. `address` is in the order of ADDRESS_PARTS."""

    job_title: str = ""
    language: str = ""
    birth_date: str = ""
    tax_id: str = ""
    address: tuple[str, ...] = ()
    tags: tuple[str, ...] | None = None
    email_verified: bool | None = None
    phone_verified: bool | None = None
    timezone: str = ""


def stated(traits: Traits, points: Mapping[str, str]) -> list[tuple[str, str]]:
    """Field → value as text for what these traits say. `points` holds the e-mail and the phone said with them."""
    found = [
        ("address", address(traits.address)),
        ("birth_date", birth_date(traits.birth_date)),
        ("job_title", clean(traits.job_title)),
        ("language", language(traits.language)),
        ("tax_id", clean(traits.tax_id)),
        ("timezone", timezone(traits.timezone)),
    ]
    found = [(field, value) for field, value in found if value]
    if traits.tags is not None:
        found.append(("tags", tags(traits.tags)))
    proved = (("email", traits.email_verified), ("phone", traits.phone_verified))
    found += [(VERIFIED[name], points[name] if so else "") for name, so in proved if so is not None and name in points]
    return found


def language(written: str) -> str:
    """A short BCP 47 tag in its usual capitals, `pt-BR`; empty where it is none."""
    parts = _LANGUAGE.fullmatch(written.strip())
    if parts is None:
        return ""
    tongue, script, region = parts.groups(default="")
    return "-".join(filter(None, (tongue.lower(), script.title(), region.upper())))


def timezone(written: str) -> str:
    """A name as the IANA gives them, `Europe/Berlin`; empty where it has not their form."""
    name = written.strip()
    return name if len(name) <= LONGEST_ZONE and _ZONE.fullmatch(name) else ""


def birth_date(written: str) -> str:
    """A day of the calendar, YYYY-MM-DD; empty where it is none."""
    day = written.strip()
    if not _DAY.fullmatch(day) or day < _FIRST_DAY:
        return ""
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        return ""


def address(parts: tuple[str, ...]) -> str:
    """The parts that are filled as one compact JSON text, keys in order; empty where none is."""
    filled = {name: part for name, written in zip(ADDRESS_PARTS, parts, strict=False) if (part := clean(written))}
    if len(filled.get("country", "")) == 2:
        filled["country"] = filled["country"].upper()
    return orjson.dumps(filled, option=orjson.OPT_SORT_KEYS).decode() if filled else ""


def tags(written: tuple[str, ...]) -> str:
    """The tags as JSON text: each once, in order, MOST_TAGS at the most."""
    known = {tag[:LONGEST_TAG] for one in written if (tag := clean(one))}
    return orjson.dumps(sorted(known)[:MOST_TAGS]).decode()
