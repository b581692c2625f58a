"""The tools that can be told: one file per kind, listed here."""

from __future__ import annotations

from consumers.destinations.slack import SLACK
from consumers.destinations.webhook import WEBHOOK
from hub.registry import Registry

DESTINATIONS = Registry("destination", SLACK, WEBHOOK)
