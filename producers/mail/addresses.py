"""Who a mail is from and to. Nothing here raises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import getaddresses

from producers.mail.headers import plain, words

LONGEST_ADDRESS = 320
LONGEST_NAME = 256
MOST_ADDRESSES = 100
_BETWEEN = re.compile(r"[\s<>()\[\],;:\"]+")
_NO_FAMILY_NAME = re.compile(
    r"(?i)\b(inc|ltd|llc|llp|plc|gmbh|ag|kg|se|co|corp|bv|nv|sa|srl|spa|ab|as|oy|jr|sr|ii|iii|phd|md|mba|esq|dr|prof)\b"
)


@dataclass(frozen=True, slots=True)
class Sender:
    """The person in From; `alone`: the mail names no second one. `email` is empty where none is named."""

    email: str = ""
    name: str = ""
    given_name: str = ""
    family_name: str = ""
    alone: bool = True

    @property
    def domain(self) -> str:
        """What stands behind the @, in lower case."""
        return self.email.rpartition("@")[2].lower().rstrip(".")


def sender(fields: list[str]) -> Sender:
    """The first person of the From fields."""
    found = [one for field in fields for one in _addresses(field)]
    if not found:
        return Sender()
    name, email = found[0]
    alone = len({address.lower() for _, address in found}) == 1 and len(fields) == 1
    return Sender(email, *_names(name, email), alone=alone)


def listed(fields: list[str]) -> list[str]:
    """The addresses of these fields, without their names."""
    return [email for field in fields for _, email in _addresses(field)][:MOST_ADDRESSES]


def _addresses(field: str) -> list[tuple[str, str]]:
    """Display names and addresses. The field is cut into addresses before its words are decoded: they hold commas."""
    written = plain(field)
    try:
        parts = getaddresses([written])
    except (ValueError, IndexError, TypeError, AttributeError, RecursionError):
        parts = []
    pairs, before = [], ""
    for name, address in parts:
        if "@" not in address:
            before = f"{before}{name or address}, " if name or address else before  # `Lee, Ann <ann@…>` without quotes
            continue
        if usable := _usable(address):
            pairs.append((words(before + name) if name else words(before.removesuffix(", ")), usable))
        before = ""
    return pairs or [("", usable) for found in _BETWEEN.split(written) if (usable := _usable(found))]


def _usable(address: str) -> str:
    """An address without the spaces and quotes that programs put around it; empty where it is none."""
    address = address.strip(" \t'\"<>.")
    local, _, domain = address.rpartition("@")
    fits = local and domain and len(address) <= LONGEST_ADDRESS and not re.search(r"\s", address)
    return address if fits else ""


def _names(written: str, email: str) -> tuple[str, str, str]:
    """Name, given name, family name out of a display name; `Lee, Ann` is Ann Lee, an address is no name."""
    name = written.strip(" \t'\"`,;")
    if not name or "@" in name or len(name) > LONGEST_NAME or name.lower() == email.lower():
        return "", "", ""
    family, comma, given = (part.strip() for part in name.partition(","))
    if not comma or not family or not given or "," in given or _NO_FAMILY_NAME.search(given):
        return name, "", ""
    if len(family.split()) > 3 or len(given.split()) > 2 or any(sign.isdigit() for sign in name):
        return name, "", ""
    return f"{given} {family}", given, family
