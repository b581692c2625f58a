"""Which partition of an inbound topic an event lies on: mostly that of the other events of the same person.

A performance hint: whoever reads a partition alone waits for nobody else's locks. Correctness never depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any


def key_of(data: Mapping[str, Any], identity: str) -> str:
    """The Kafka key: a hash of the strongest identifier that an event's data states, else of `identity`."""
    return blake2b(_strongest(data, identity).encode("utf-8", "replace"), digest_size=8).hexdigest()


def _strongest(data: Mapping[str, Any], identity: str) -> str:
    contact = data.get("contact")
    for said in (contact, data) if isinstance(contact, dict) else (data,):
        email, phone, account = said.get("email"), said.get("phone"), said.get("id") if said is contact else None
        if email and isinstance(email, str):
            return email.strip().lower()
        if phone and isinstance(phone, str) and (digits := "".join(filter(str.isdigit, phone))):
            return digits
        if account and isinstance(account, str):
            return account
    return identity
