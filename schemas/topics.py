"""Every topic, in one place: what it carries, its key, how long it is kept."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.envelope import SETTINGS, TASKS

DAY = 86_400_000
INBOUND_BYTES = 16 * 1024 * 1024
"""Largest record, in bytes: 10 MiB of body as base64 within its event."""


@dataclass(frozen=True)
class Topic:
    """A Kafka topic. `retention_ms` -1 keeps for ever; a compacted topic keeps the newest record of each key."""

    name: str
    description: str
    key: str
    retention_ms: int = 28 * DAY
    compacted: bool = False
    log_append_time: bool = True

    def configuration(self, replication: int) -> dict[str, str]:
        """Kafka's own words for it; `replication` copies, one of which may be away."""
        words = {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(self.retention_ms),
            "message.timestamp.type": "LogAppendTime" if self.log_append_time else "CreateTime",
            "max.message.bytes": str(INBOUND_BYTES),
            "min.insync.replicas": str(max(1, replication - 1)),
        }
        return words | (_compaction(replication) if self.compacted else {})


def _compaction(replication: int) -> dict[str, str]:
    """One broker is a demo that wants to see compaction; several are production (real-broker.md §0)."""
    demo = replication == 1
    return {
        "segment.ms": "60000" if demo else str(DAY),
        "segment.bytes": str((16 if demo else 256) * 1024 * 1024),
        "min.cleanable.dirty.ratio": "0.1" if demo else "0.5",
        "max.compaction.lag.ms": "60000" if demo else str(DAY),
        "delete.retention.ms": "3600000" if demo else str(7 * DAY),
    }


HUB_TOPIC = "inbound.hub"
_HINT = "hash of the strongest identifier (a performance hint, never needed for correctness)"
INBOUND = (
    Topic("inbound.forms", "Posts of web forms.", _HINT),
    Topic("inbound.email", "Mail that came in.", _HINT),
    Topic("inbound.support", "Tickets of support desks.", _HINT),
    Topic("inbound.shop", "Orders, carts, checkouts and subscriptions.", _HINT),
    Topic("inbound.tracking", "Calls of tracking clients.", _HINT),
    Topic("inbound.tools", "Everything that any other tool says.", _HINT),
    Topic(HUB_TOPIC, "What people do in the hub and what its rules set.", _HINT),
)
PROFILES = Topic(
    "profiles",
    "State: the whole profile, its redirect, or nothing (erased).",
    "profile id",
    retention_ms=-1,
    compacted=True,
    log_append_time=False,
)
ACTIVITIES = Topic(
    "activities",
    "What happened, with the profile id; merges and splits; who enters and leaves segments; what rules did.",
    "profile id",
    log_append_time=False,
)
TOPICS = (*INBOUND, PROFILES, ACTIVITIES)

_NOUNS = {
    "form": "inbound.forms",
    "email": "inbound.email",
    "ticket": "inbound.support",
    "order": "inbound.shop",
    "cart": "inbound.shop",
    "checkout": "inbound.shop",
    "subscription": "inbound.shop",
    "records": HUB_TOPIC,
    "decision": HUB_TOPIC,
}


def inbound_topic(event_type: str) -> str:
    """The topic of an event by its noun (design §9, `/events`)."""
    return HUB_TOPIC if event_type in SETTINGS | TASKS else _NOUNS.get(event_type.partition(".")[0], "inbound.tools")
