"""What the hub measures beside its front door: the catalogue, in one place. Base units; seconds end in `_seconds`.

A gauge without a value is absent, never 0: nothing to lose and nothing known are not the same as no time left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.registry import REGISTRY

from hub.telemetry.lagstate import STATES


class Metric(NamedTuple):
    """A line of the catalogue."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


_PLACE = ("group", "topic", "partition")
LAG_MESSAGES = Metric("hub_lag_messages", "Records that the group has not read yet.", _PLACE)
LAG_SECONDS = Metric("hub_lag_seconds", "Age of the first record that the group has not read.", _PLACE)
LAG_TO_LOSS = Metric("hub_lag_to_loss_seconds", "Until the first unread record may be deleted.", _PLACE)
LAG_STATE = Metric("hub_lag_state", "1 for the state the group is in, 0 for the others.", (*_PLACE, "state"))
OUTBOX = Metric("hub_outbox_pending_messages", "Messages that are committed and not on Kafka yet.")
OUTBOX_OLDEST = Metric("hub_outbox_oldest_seconds", "Age of the oldest row of the outbox.")
DELIVERIES = Metric("hub_deliveries", "Deliveries that are not at their end, and dead ones.", ("destination", "state"))
DELIVERY_OLDEST = Metric("hub_delivery_oldest_due_seconds", "How long the longest due has been due.", ("destination",))
TIMERS = Metric("hub_timers_pending", "Timers that wait.")
TIMER_OLDEST = Metric("hub_timer_oldest_due_seconds", "How long the longest due has been due.")
DEAD_LETTERS = Metric("hub_dead_letters_open", "Records that were given up on and wait for a person.")
LOOKED = Metric("hub_monitor_looked_timestamp_seconds", "When lag was looked at last, in seconds since 1970.")

CATALOGUE = (
    LAG_MESSAGES,
    LAG_SECONDS,
    LAG_TO_LOSS,
    LAG_STATE,
    OUTBOX,
    OUTBOX_OLDEST,
    DELIVERIES,
    DELIVERY_OLDEST,
    TIMERS,
    TIMER_OLDEST,
    DEAD_LETTERS,
    LOOKED,
)

Values = dict[tuple[str, ...], float]
Places = dict[tuple[str, ...], Mapping[str, Any]]


class Gauges:
    """The catalogue as gauges of a registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._gauges = {one.name: Gauge(one.name, one.help, one.labels, registry=registry) for one in CATALOGUE}
        self._shown: dict[str, set[tuple[str, ...]]] = {one.name: set() for one in CATALOGUE}

    def show(self, report: Mapping[str, Any], at: float) -> None:
        """Take over a report of `hub lag --json`, looked at `at` (seconds since 1970)."""
        self._show_lag(report["groups"])
        self._put(OUTBOX, {(): report["outbox"]["pending"]})
        self._put(OUTBOX_OLDEST, {(): report["outbox"]["oldest_seconds"] or 0})
        self._put(TIMERS, {(): report["timers"]["pending"]})
        self._put(TIMER_OLDEST, {(): report["timers"]["oldest_seconds"] or 0})
        self._put(DEAD_LETTERS, {(): report["dead_letters"]})
        self._show_deliveries(report["deliveries"]["destinations"])
        self._put(LOOKED, {(): at})

    def _show_lag(self, rows: Iterable[Mapping[str, Any]]) -> None:
        places: Places = {(row["group"], row["topic"], str(row["partition"])): row for row in rows}
        self._put(LAG_MESSAGES, {place: row["messages"] for place, row in places.items()})
        self._put(LAG_SECONDS, _known(places, "seconds"))
        self._put(LAG_TO_LOSS, _known(places, "seconds_to_loss"))
        states: Values = {
            (*place, state): float(row["state"] == state) for place, row in places.items() for state in STATES
        }
        self._put(LAG_STATE, states)

    def _show_deliveries(self, tools: Mapping[str, Mapping[str, Any]]) -> None:
        states: Values = {
            (name, state): float(count)
            for name, tool in tools.items()
            for state, count in tool.items()
            if state != "oldest_seconds"
        }
        self._put(DELIVERIES, states)
        self._put(DELIVERY_OLDEST, {(name,): tool["oldest_seconds"] or 0 for name, tool in tools.items()})

    def _put(self, metric: Metric, values: Values) -> None:
        gauge = self._gauges[metric.name]
        for gone in self._shown[metric.name] - values.keys():
            gauge.remove(*gone)
        for labels, value in values.items():
            (gauge.labels(*labels) if labels else gauge).set(value)
        self._shown[metric.name] = {labels for labels in values if labels}


def _known(places: Places, name: str) -> Values:
    return {place: row[name] for place, row in places.items() if row[name] is not None}


@cache
def shared() -> Gauges:
    """The gauges of this process: a registry takes each name once."""
    return Gauges()


def exposition(registry: CollectorRegistry = REGISTRY) -> tuple[str, bytes]:
    """The content type and the text that Prometheus reads."""
    return CONTENT_TYPE, generate_latest(registry)
