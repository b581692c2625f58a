"""A word to people of ours about a customer, as a mail: what is to be said, and enough to call them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.components import MailOut

SHOWN = ("name", "given_name", "family_name", "company", "email", "phone")
"""What of the customer stands in it."""


def notice(to: str, text: str, fields: Mapping[str, Any], profile: str) -> MailOut:
    """The mail to one of ours; `fields` are the profile's by name, `profile` its id."""
    known = [f"{name.replace('_', ' ')}: {fields[name]}" for name in SHOWN if fields.get(name)]
    body = "\n".join([text, "", *(known or ["Nothing is known of the customer yet."]), f"profile: {profile}"])
    return MailOut(to, _line(text), f"{body}\n")


def _line(text: str) -> str:
    """One line, as a subject has to be."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:200]
