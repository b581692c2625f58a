"""The sources as everybody is shown them: console, command line, API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub import clock
from hub.errors import Misconfigured
from hub.settings import Instance, Settings
from hub.storage.pool import Pool
from hub.storage.sources import Heard, heard
from producers.gateway import refusals
from producers.sources import SOURCES

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 - nothing listens here


async def report(settings: Settings, pool: Pool) -> dict[str, Any]:
    """Every source of hub.toml, and the doors that refused before a source was known (`hub.api.shapes.SourceReport`).

    Raises Retry where PostgreSQL is away; where Redis is, `refused` is null.
    """
    known = await heard(pool)
    refused = await refusals.read(settings.redis.url, settings.kafka.prefix)
    sources = [_row(name, table, settings, known.get(name), refused) for name, table in settings.sources.items()]
    others = (refused or {}).keys() - settings.sources.keys()
    elsewhere = [{"door": name, "refused": refused[name]} for name in sorted(others)] if refused else []
    return {"sources": sources, "elsewhere": elsewhere}


def _row(
    name: str, table: Instance, settings: Settings, known: Heard | None, refused: Mapping[str, Any] | None
) -> dict[str, Any]:
    nothing = {"count": 0, "statuses": {}, "last": None}
    return {
        "name": name,
        "kind": table.kind,
        "address": address(name, table, settings),
        "last_heard_at": clock.text(known.last_at) if known else None,
        "events": known.events if known else 0,
        "dead_letters": known.dead_letters if known else 0,
        "refused": None if refused is None else refused.get(name, nothing),
    }


def address(name: str, table: Instance, settings: Settings) -> str:
    """Where a source hears: the address of its posts, where it listens, or the mailbox that it reads.

    Secrets are not looked at. An unknown kind has no address: empty.
    """
    try:
        source = SOURCES[table.kind]
    except Misconfigured:
        return ""
    if source.door == "http":
        return gateway(settings) + source.path.format(source=name)
    own = table.own
    if "listen" in own:
        return f"{own.get('protocol', 'smtp')}://{own['listen']}"
    scheme, port = ("imaps", 993) if own.get("tls", True) else ("imap", 143)
    return f"{scheme}://{own.get('host', '')}:{own.get('port') or port}/{own.get('folder', 'INBOX')}"


def gateway(settings: Settings) -> str:
    """The gateway's address as this machine reaches it."""
    host = settings.gateway.host
    host = ANYWHERE.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{host}:{settings.gateway.port}"
