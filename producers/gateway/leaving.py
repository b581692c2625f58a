"""`/unsubscribe/TOKEN`: a page with one button, and the one click of a mail program (RFC 8058).

Looking changes nothing, for mail filters open every link; a post takes the consent back. The token is in no log.
"""

from __future__ import annotations

from html import escape

import orjson

from hub import clock
from hub.components import Reading
from hub.errors import Reject
from hub.leaving import Leave, Links, read
from producers.gateway import answers, bodies, records
from producers.gateway.answers import Answer, Headers
from producers.gateway.bodies import Receive
from producers.gateway.intake import ACKNOWLEDGED_WITHIN, Publishes, Scope, headers_of
from producers.gateway.records import Edge, Occasion
from schemas.envelope import HUB

WITHDRAWN = "consent.withdrawn"
ALLOWED: Headers = ((b"allow", b"GET, HEAD, POST"),)
GUARDED: Headers = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex"),
    (b"x-content-type-options", b"nosniff"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
)
_EDGE = Edge(HUB, public=True)
"""Whoever has the link may take the consent of its address back, and say nothing else: it joins nobody."""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1.125rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto; padding: 0 1rem;
       color: #1a1a1a; background: #fff; overflow-wrap: anywhere; }}
button {{ font: inherit; padding: .75rem 1.5rem; border: 0; border-radius: .375rem; color: #fff; background: #0b57d0; }}
button:focus-visible {{ outline: 3px solid #1a1a1a; outline-offset: 3px; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""
_BUTTON = '<form method="post"><button name="List-Unsubscribe" value="One-Click">Unsubscribe</button></form>'


class Leaving:
    """The pages of a gateway; without links there are none."""

    def __init__(self, links: Links | None, publisher: Publishes) -> None:
        self._links = links
        self._publisher = publisher

    async def answer(self, token: str, scope: Scope, receive: Receive) -> Answer:
        """A page. Raises Retry where the broker is away, Gone."""
        leave = read(self._links.key, token) if self._links else None
        if leave is None:
            return _page(404, "This link is not complete", "<p>Please open the whole link of the mail.</p>")
        if scope["method"] in {"GET", "HEAD"}:
            return _page(200, "Unsubscribe", f"<p>No more offers to <b>{escape(leave.address)}</b>?</p>\n{_BUTTON}")
        if scope["method"] != "POST":
            return answers.problem(405, "a link is opened, or posted to", extra=ALLOWED)
        await self._withdraw(leave, await _body(scope, receive))
        return _page(200, "You are unsubscribed", f"<p>We send no more offers to <b>{escape(leave.address)}</b>.</p>")

    async def _withdraw(self, leave: Leave, body: bytes) -> None:
        """Safe on the broker when this returns; of one address and day it is one event, however often it is said."""
        now = clock.text(clock.now())
        data = {"contact": {"email": leave.address}, "purpose": leave.purpose, "channel": "email"}
        natural_id = f"unsubscribe {leave.purpose} {leave.address} {now[:10]}"
        reading = Reading(WITHDRAWN, natural_id, data, time=now)
        raw = records.raw(body or orjson.dumps(data), "application/octet-stream", "")
        _, message = records.record(Occasion(_EDGE, HUB, now), reading, raw)
        await self._publisher.send([message], within=ACKNOWLEDGED_WITHIN)


async def _body(scope: Scope, receive: Receive) -> bytes:
    """What was posted. It says nothing that the link does not: a body that cannot be taken changes nothing."""
    try:
        return await bodies.receive_body(receive, headers_of(scope))
    except Reject:
        return b""


def _page(status: int, title: str, body: str) -> Answer:
    return answers.page(status, GUARDED, _PAGE.format(title=title, body=body).encode())
