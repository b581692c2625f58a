"""From what somebody has in hand (an address, an account, an old id) to a profile, its records and its timeline."""

from __future__ import annotations

from typing import Any

from hub import clock
from hub.api.problems import NotFound
from hub.errors import Reject
from hub.identity import normalise
from hub.identity.evidence import ACCOUNT, MAILBOX
from hub.identity.ids import as_text, from_text, identifier_id, record_id
from hub.identity.survivorship import versioned
from hub.storage import lookup, timeline
from hub.storage.lookup import Told
from hub.storage.pool import Pool
from hub.storage.timeline import Entry, Mark


async def find(
    pool: Pool, *, email: str | None, phone: str | None, account: str | None, region: str | None = None
) -> bytes:
    """The id of the profile behind exactly one of the three; an e-mail also in another spelling of the same mailbox.

    Raises Reject where not one alone is given or it is no such thing, NotFound, Retry.
    """
    given = {name: value for name, value in (("email", email), ("phone", phone), ("account", account)) if value}
    if len(given) != 1:
        raise Reject("give one of email, phone and account={source}:{id}, and one alone", None)
    ((name, value),) = given.items()
    if name == "account":
        found = await lookup.by_record(pool, _account(value))
    else:
        address = _address(name, value, region)
        found = await lookup.by_identifier(pool, identifier_id(name, address))
        box = normalise.mailbox(address) if found is None and name == "email" else None
        if box:
            found = await lookup.by_identifier(pool, identifier_id(MAILBOX, box))
    if found is None:
        raise NotFound(f"nobody is known by this {name}", name)
    return found


def _account(written: str) -> bytes:
    source, colon, key = written.partition(":")
    if not (source and colon and key):
        raise Reject("an account is written {source}:{id}", "account")
    return record_id(source, ACCOUNT, normalise.clean(key))


def _address(name: str, written: str, region: str | None) -> str:
    if name == "phone":
        # In an address line a plus sign that nobody encoded arrives as a space.
        found = normalise.phone("+" + written[1:] if written[:1] == " " else written, region)
        hint = "" if region else "; without a country it is written +49 …"
    else:
        found, hint = normalise.email(written), ""
    if found is None:
        raise Reject(f"this is no {name} that the hub reads{hint}", name)
    return found.value


async def profile(pool: Pool, written: str) -> Told:
    """The living profile of an id. Raises Reject for what is no id, Moved for an absorbed one, NotFound, Retry."""
    identity = id_of(written)
    told = await lookup.by_id(pool, identity)
    if told is None:
        heir = await lookup.heir(pool, identity)
        raise Moved(heir) if heir else NotFound(f"no profile has the id {written}", "id")
    return told


def id_of(written: str) -> bytes:
    """The 16 bytes of an id. Raises Reject where it is none."""
    identity = from_text(written)
    if identity is None:
        raise Reject("an id is a UUID", "id")
    return identity


class Moved(NotFound):
    """The id leads to another one (16 bytes)."""

    status = 308

    def __init__(self, heir: bytes) -> None:
        super().__init__(f"this profile lives on as {as_text(heir)}", "id")
        self.heir = heir


def told_text(told: Told) -> bytes:
    """The profile as it is told: its line with the version as last key."""
    return versioned(told.line.encode(), told.version)


async def timeline_page(pool: Pool, profile_id: bytes, limit: int, before: str | None) -> dict[str, Any]:
    """A page of a timeline (`hub.api.shapes.TimelinePage`). Raises Reject for a `before` that is none, Retry."""
    found = await timeline.page(pool, profile_id, limit + 1, _mark(before) if before else None)
    page = found[:limit]
    return {
        "entries": [_entry(entry) for entry in page],
        "next": _cursor(page[-1]) if len(found) > limit else None,
    }


def _entry(entry: Entry) -> dict[str, str]:
    return {
        "id": as_text(entry.event),
        "type": entry.type,
        "source": entry.source,
        "at": clock.text(entry.at),
        "received_at": clock.text(entry.received_at),
    }


def _cursor(entry: Entry) -> str:
    return f"{entry.at:%Y%m%dT%H%M%S.%f}Z_{as_text(entry.event)}"


def _mark(written: str) -> Mark:
    """A cursor of ours, or a time alone."""
    at = clock.parse(written.partition("_")[0].replace(" ", "+"))
    event = from_text(written.partition("_")[2] or "00000000-0000-0000-0000-000000000000")
    if at is None or event is None:
        raise Reject("`before` is the `next` of a page, or a time like 2026-11-22T08:15:30Z", "before")
    return Mark(at, event)
