"""Ids are 128-bit hashes of natural keys, written as UUIDs of version 8: no id has to be read back.

In memory an id is its 16 bytes; at the faces of the product it is the UUID's text.
"""

from __future__ import annotations

from hashlib import blake2b

BYTES = 16
_CLEAR_VERSION, _VERSION = ~(0xF << 76), 0x8 << 76
_CLEAR_VARIANT, _VARIANT = ~(0x3 << 62), 0x2 << 62


def hash_id(domain: str, *parts: str) -> bytes:
    """The id of a natural key: 16 bytes. `domain` keeps ids of different sorts apart (at most 16 letters)."""
    key = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    digest = blake2b(key, digest_size=BYTES, person=domain.encode()).digest()
    number = int.from_bytes(digest, "big") & _CLEAR_VERSION & _CLEAR_VARIANT | _VERSION | _VARIANT
    return number.to_bytes(BYTES, "big")


def event_id(instance: str, natural_id: str) -> bytes:
    """The id of an event: a repeat gets the same one without a look-up (design §9)."""
    return hash_id("event", instance, natural_id)


def record_id(source: str, kind: str, key: str) -> bytes:
    """The id of a source record."""
    return hash_id("record", source, kind, key)


def identifier_id(namespace: str, value: str) -> bytes:
    """The id of a normalised identifier."""
    return hash_id("identifier", namespace, value)


def as_text(identity: bytes) -> str:
    """The UUID's text of an id, for people and tools."""
    digits = identity.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def from_text(written: str) -> bytes | None:
    """The id that a UUID's text stands for, or None where it is none."""
    try:
        identity = bytes.fromhex(written.replace("-", ""))
    except ValueError:
        return None
    return identity if len(identity) == BYTES else None
