"""Log lines: `key=value` for people at a terminal, JSON for everything else. What is logged is listed here.

A field that is not on the list is dropped, so that no payload, address or secret gets into a log by accident.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

ALLOWED = frozenset(
    (
        *("event", "level", "logger", "timestamp", "error", "exception", "reason", "state", "status"),
        *("role", "lane", "pid", "port", "listen", "address", "version", "seed", "restarts"),
        *("group", "topic", "partition", "offset", "messages", "records", "events", "batches", "count"),
        *("source", "destination", "kind", "field", "stage", "attempt", "attempts", "seconds", "milliseconds"),
        *("event_id", "delivery_id", "letter_id", "profile_id", "key_name", "method", "path"),
    )
)
LONGEST = 2000
_QUIET = ("aiokafka", "asyncio", "uvicorn.error", "httpx", "httpcore", "mail.log")


def configure(level: str = "INFO", out: TextIO | None = None) -> None:
    """Set up logging for this process; `out` is standard error. Libraries speak up from WARNING on."""
    stream = out or sys.stderr
    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        only_allowed,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    last = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(stream)]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def only_allowed(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Drop what is not on the list, and cut what is too long for a line."""
    kept: MutableMapping[str, Any] = {
        name: _short(value) for name, value in event.items() if name in ALLOWED or name.startswith("_")
    }
    return kept


def _short(value: Any) -> Any:
    return value[:LONGEST] + "…" if isinstance(value, str) and len(value) > LONGEST else value


def _renderer(stream: TextIO) -> Processor:
    if stream.isatty():
        return structlog.processors.KeyValueRenderer(
            key_order=["timestamp", "level", "event"], drop_missing=True, repr_native_str=False
        )
    return structlog.processors.JSONRenderer(ensure_ascii=False)
