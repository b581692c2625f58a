"""The catalogue keeps its conventions, and gauges follow the report."""

from __future__ import annotations

import copy
import re
from typing import Any

from prometheus_client import CollectorRegistry

from hub.telemetry.metrics import CATALOGUE, Gauges, exposition

REPORT: dict[str, Any] = {
    "groups": [
        {
            "group": "profiles",
            "topic": "inbound.forms",
            "partition": 3,
            "messages": 7,
            "seconds": 1.5,
            "state": "slow",
            "seconds_to_loss": 900.0,
        }
    ],
    "outbox": {"pending": 4, "oldest_seconds": None},
    "deliveries": {
        "destinations": {"sales": {"pending": 1, "sending": 0, "retry": 2, "dead": 3, "oldest_seconds": 9.0}}
    },
    "timers": {"pending": 0, "oldest_seconds": None},
    "dead_letters": 5,
}
PLACE = {"group": "profiles", "topic": "inbound.forms", "partition": "3"}


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


def test_names_have_the_house_in_front_and_their_unit_at_the_end() -> None:
    for metric in CATALOGUE:
        assert re.fullmatch(r"hub_[a-z]+(_[a-z]+)*", metric.name)
        assert metric.help.endswith(".")
        if "second" in metric.help.lower() or "Age" in metric.help or "How long" in metric.help:
            assert metric.name.endswith("_seconds")


def test_a_report_becomes_gauges() -> None:
    registry = CollectorRegistry()
    Gauges(registry).show(REPORT, 1_700_000_000.0)
    assert value(registry, "hub_lag_messages", **PLACE) == 7
    assert value(registry, "hub_lag_seconds", **PLACE) == 1.5
    assert value(registry, "hub_lag_to_loss_seconds", **PLACE) == 900
    assert value(registry, "hub_lag_state", **PLACE, state="slow") == 1
    assert value(registry, "hub_lag_state", **PLACE, state="ok") == 0
    assert value(registry, "hub_outbox_pending_messages") == 4
    assert value(registry, "hub_deliveries", destination="sales", state="retry") == 2
    assert value(registry, "hub_delivery_oldest_due_seconds", destination="sales") == 9
    assert value(registry, "hub_dead_letters_open") == 5
    assert value(registry, "hub_monitor_looked_timestamp_seconds") == 1_700_000_000


def test_what_is_not_known_any_more_is_absent_and_not_zero() -> None:
    registry = CollectorRegistry()
    gauges = Gauges(registry)
    gauges.show(REPORT, 1.0)
    later = copy.deepcopy(REPORT)
    later["groups"][0] |= {"seconds": None, "seconds_to_loss": None}
    gauges.show(later, 2.0)
    assert value(registry, "hub_lag_to_loss_seconds", **PLACE) is None
    assert value(registry, "hub_lag_seconds", **PLACE) is None
    gauges.show({**REPORT, "groups": []}, 3.0)
    assert value(registry, "hub_lag_messages", **PLACE) is None


def test_the_text_is_what_prometheus_reads() -> None:
    registry = CollectorRegistry()
    Gauges(registry).show(REPORT, 1.0)
    content_type, text = exposition(registry)
    assert content_type.startswith("text/plain")
    assert b'hub_lag_messages{group="profiles",partition="3",topic="inbound.forms"} 7.0' in text
