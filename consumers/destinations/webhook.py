"""Webhooks as Standard Webhooks 1.0 describes them: JSON, a stable id, a signature over id, time and body."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

import orjson
from pydantic import Field, ValidationInfo, field_validator
from standardwebhooks import Webhook

from consumers.tools import Manners, action_of
from hub.destinations import Call, Destination, Fired, Notice
from hub.egress import url_problem
from hub.settings import OneOrSeveral, read_secrets
from schemas.envelope import ACTION_FIRED

PREFIX = "whsec_"
SHORTEST, LONGEST = 16, 64
_OTHERS = {"profile.merged": b"absorbed", "profile.split": b"parts", "profile.erased": b"erased"}


class Settings(Manners):
    """A webhook's table in hub.toml."""

    url: str = Field(description="Where the posts go: https://…")
    secret_file: Path | None = Field(
        default=None, description="The file that holds the secret, or several, one a line."
    )
    secret: OneOrSeveral = Field(
        default=(),
        validate_default=True,
        repr=False,
        description="whsec_ and base64; while it is being changed, a list: every post is signed with each.",
    )
    events: OneOrSeveral = Field(default=("profile.*",), description="Which types are told, as `action.*`.")

    @field_validator("url")
    @classmethod
    def _reachable(cls, url: str, info: ValidationInfo) -> str:
        if problem := url_problem(url, allow_private=info.data.get("allow_private", False)):
            raise ValueError(problem)
        return url

    @field_validator("secret")
    @classmethod
    def _signing(cls, secrets: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        secrets = read_secrets(secrets, info.data.get("secret_file"))
        if not secrets or not all(map(_is_key, secrets)):
            raise ValueError(f"must be {PREFIX} and the base64 of {SHORTEST} to {LONGEST} random bytes")
        return secrets


def render(_: Settings, notice: Notice) -> bytes:
    """The body, byte for byte a function of the notice."""
    extra = _OTHERS.get(notice.type)
    tail = b',"%s":%s' % (extra, orjson.dumps(notice.others)) if extra else b""
    return b'{"type":"%s","timestamp":"%s","data":{"profile":%s%s}}' % (
        notice.type.encode(),
        notice.timestamp.encode(),
        notice.profile,
        tail,
    )


def fired(_: Settings, one: Fired) -> bytes:
    """The body that tells what a rule did."""
    return orjson.dumps({"type": ACTION_FIRED, "timestamp": one.timestamp, "data": {"action": action_of(one)}})


def call(settings: Settings, delivery_id: str, at_seconds: int, body: bytes) -> Call:
    """One try, signed for its own second with every secret."""
    at, text = datetime.fromtimestamp(at_seconds, UTC), body.decode()
    signatures = " ".join(_signer(secret).sign(delivery_id, at, text) for secret in settings.secret)
    return Call(
        url=settings.url,
        body=body,
        headers={
            "content-type": "application/json",
            "user-agent": "customer-integration-hub",
            "webhook-id": delivery_id,
            "webhook-timestamp": str(at_seconds),
            "webhook-signature": signatures,
        },
    )


def wants(settings: Settings, event_type: str) -> bool:
    """Whether the type is subscribed; `profile.*` stands for all of a noun."""
    return any(fnmatchcase(event_type, pattern) for pattern in settings.events)


@lru_cache(maxsize=256)
def _signer(secret: str) -> Webhook:
    return Webhook(secret)


def _is_key(secret: str) -> bool:
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        return False
    return secret.startswith(PREFIX) and SHORTEST <= len(key) <= LONGEST


WEBHOOK = Destination(
    name="webhook",
    description="Posts signed JSON (Standard Webhooks) to one URL.",
    settings=Settings,
    render=render,
    fired=fired,
    call=call,
    wants=wants,
)
