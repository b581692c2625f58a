"""The two ways into the hub: HTTP with the proof that each tool gives, and SMTP."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import smtplib
from base64 import b64encode
from collections.abc import Mapping
from typing import NamedTuple

import httpx
import orjson

from hub import clock
from hub.demo.posts import INBOX, KEYS, Post

TRY_SECONDS = 10.0
BUSY = 500
_EVENT = re.compile(rb"id=([0-9a-f-]{36})")


class Answer(NamedTuple):
    """What the hub said: a status (HTTP's or SMTP's), the event id where it took the event in, and its words."""

    is_accepted: bool
    is_busy: bool
    event: str
    words: str


class Doors:
    """The hub as the outside sees it: `address` of its gateway, `mail` (host:port), and the secret of each source."""

    def __init__(self, address: str, mail: str, secrets: Mapping[str, str], connections: int) -> None:
        self._mail = mail
        self._secrets = secrets
        limits = httpx.Limits(max_connections=connections)
        # The hub is on this machine: no proxy that the environment names is asked.
        self._client = httpx.AsyncClient(base_url=address, timeout=TRY_SECONDS, limits=limits, trust_env=False)

    async def knock(self, post: Post) -> Answer:
        """Send it once. Raises OSError or httpx.TransportError where nobody answers."""
        return await (asyncio.to_thread(self._by_mail, post) if post.source == INBOX else self._by_http(post))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _by_http(self, post: Post) -> Answer:
        headers = {**post.headers, **self._proof(post)}
        answer = await self._client.post(post.path, headers=headers, content=post.body)
        accepted = answer.status_code in {202, 303}
        event = orjson.loads(answer.content)["id"] if accepted else ""
        return Answer(accepted, answer.status_code >= BUSY, event, f"{answer.status_code} {answer.text[:200]}")

    def _proof(self, post: Post) -> dict[str, str]:
        secret = self._secrets.get(post.source, "")
        if post.source in KEYS:
            return {"authorization": f"Bearer {secret}"}
        if post.source == "shop":
            return {"x-shopify-hmac-sha256": _signature(secret, post.body)}
        if post.source == "desk":
            at = clock.text(clock.now())
            return {
                "x-zendesk-webhook-signature-timestamp": at,
                "x-zendesk-webhook-signature": _signature(secret, at.encode() + post.body),
            }
        return {}

    def _by_mail(self, post: Post) -> Answer:
        host, _, port = self._mail.rpartition(":")
        try:
            with smtplib.SMTP(host, int(port), local_hostname="the-company.example", timeout=TRY_SECONDS) as client:
                client.ehlo_or_helo_if_needed()
                client.mail(post.headers["from"])
                client.rcpt(post.path)
                status, said = client.data(post.body)
        except smtplib.SMTPException as error:
            return Answer(is_accepted=False, is_busy=True, event="", words=str(error))
        found = _EVENT.search(said)
        accepted = status == 250 and found is not None
        event = found[1].decode() if found else ""
        return Answer(accepted, 400 <= status < BUSY, event, f"{status} {said.decode('utf-8', 'replace')[:200]}")


def _signature(secret: str, signed: bytes) -> str:
    return b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
