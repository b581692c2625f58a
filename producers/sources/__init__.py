"""The tools that may post to `/in/{source}`: one file per kind, listed here."""

from __future__ import annotations

from hub.registry import Registry
from producers.sources.imap import IMAP
from producers.sources.shopify import SHOPIFY
from producers.sources.smtp import SMTP
from producers.sources.tracking import TRACKING
from producers.sources.web_form import WEB_FORM
from producers.sources.webhook import WEBHOOK
from producers.sources.zendesk import ZENDESK

SOURCES = Registry("source", IMAP, SHOPIFY, SMTP, TRACKING, WEB_FORM, WEBHOOK, ZENDESK)
