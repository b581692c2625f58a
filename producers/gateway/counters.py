"""What the front door counts, for `/metrics`."""

from __future__ import annotations

from functools import lru_cache

from prometheus_client import Counter

REQUESTS = Counter(
    "hub_gateway_requests",
    "Posts at the front door by source instance or key, and what became of them.",
    ["source", "outcome"],
)
EVENTS = Counter("hub_gateway_events", "Events that are safe on the broker, by source instance or key.", ["source"])


# Looking a label up costs more than counting; sources and outcomes are few.
requests = lru_cache(maxsize=None)(REQUESTS.labels)
events = lru_cache(maxsize=None)(EVENTS.labels)
