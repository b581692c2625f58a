"""The tools that may post to `/in/{source}`: one file per kind, listed here."""

from __future__ import annotations

from hub.registry import Registry
from producers.sources.tracking import TRACKING
from producers.sources.web_form import WEB_FORM

SOURCES = Registry("source", TRACKING, WEB_FORM)
