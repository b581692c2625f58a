"""The gateway as a plain ASGI application: two hot addresses, tracking calls, cold ones, problems for the rest."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from prometheus_client import REGISTRY, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from hub.errors import Reject, Retry
from hub.leaving import PATH as LEAVING
from hub.leaving import links
from hub.settings import Scope as Permission
from hub.settings import Settings
from producers.gateway import answers, counters
from producers.gateway.answers import Answer, Headers
from producers.gateway.bodies import Gone, Receive
from producers.gateway.instances import Instance, instances
from producers.gateway.intake import Intake, Publishes, Scope, headers_of
from producers.gateway.keys import read_keys
from producers.gateway.leaving import Leaving
from producers.gateway.refusals import Refusals
from producers.gateway.tracking import PREFIX, Tracking

IN = "/in/"
SCOPE: Permission = "events:write"
POST_ONLY: Headers = ((b"allow", b"POST"),)
POST_AND_ASK: Headers = ((b"allow", b"POST, OPTIONS"),)
READ_ONLY: Headers = ((b"allow", b"GET, HEAD"),)

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Health = Callable[[], Awaitable[Sequence[str]]]
"""What is not well, one sentence each; empty when the hub can take events."""

log = logging.getLogger(__name__)


def create_app(settings: Settings, publisher: Publishes, health: Health, refusals: Refusals | None = None) -> ASGIApp:
    """The application. Raises Misconfigured that names every wrong source, or a key without its secret.

    `refusals` is told of every post that is refused.
    """
    return Gateway(settings, publisher, health, refusals)


class Gateway:
    """What the application keeps between requests: instances, keys, and where records go."""

    def __init__(
        self, settings: Settings, publisher: Publishes, health: Health, refusals: Refusals | None = None
    ) -> None:
        self._instances = instances(settings)
        self._keys = read_keys(settings)
        self._intake = Intake(publisher)
        self._refusals = refusals or Refusals()
        self._tracking = Tracking(settings, self._instances, self._intake, self._refusals)
        self._leaving = Leaving(links(settings), publisher)
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI 3)."""
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except Gone:
            return
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        path: str = scope["path"]
        try:
            if path.startswith(IN):
                return await self._in(path[len(IN) :], scope, receive)
            if path == "/events":
                return await self._events(scope, receive)
            if path.startswith(PREFIX):
                return await self._tracking.answer(path[len(PREFIX) :], scope, receive)
            if path.startswith(LEAVING):
                return await self._counted("unsubscribe", self._leaving.answer(path[len(LEAVING) :], scope, receive))
            return await self._cold(path, scope["method"])
        except Gone:
            raise
        except Exception:
            log.exception("a request to %s failed", LEAVING if path.startswith(LEAVING) else path)
            return answers.problem(500, "the hub failed; what was sent may not be safe")

    async def _in(self, name: str, scope: Scope, receive: Receive) -> Answer:
        instance = self._instances.get(name)
        if instance is None:
            return answers.problem(404, "there is no such source")
        if scope["method"] == "POST":
            answer = await self._counted(name, self._intake.post(instance, scope, receive))
        else:
            answer = _not_posted(scope["method"], instance)
        return answers.for_any_origin(answer) if instance.source.public else answer

    async def _events(self, scope: Scope, receive: Receive) -> Answer:
        if scope["method"] != "POST":
            return answers.problem(405, "events are posted", extra=POST_ONLY)
        headers = headers_of(scope)
        try:
            edge = self._keys.opening(headers.get("authorization", ""), SCOPE)
        except Reject as wrong:
            counters.requests("events", "refused").inc()
            self._refusals.note("/events", wrong)
            return answers.refused(wrong)
        return await self._counted(edge.name, self._intake.events(edge, headers, receive))

    async def _counted(self, name: str, taking: Awaitable[Answer]) -> Answer:
        """The answer, or the problem that it became; counted by what became of it."""
        outcome = "failed"
        try:
            answer = await taking
            outcome = "accepted"
        except Reject as wrong:
            outcome, answer = "refused", answers.refused(wrong)
            self._refusals.note(name, wrong)
        except Retry as away:
            outcome, answer = "away", answers.problem(503, str(away))
        except Gone:
            outcome = "gone"
            raise
        finally:
            counters.requests(name, outcome).inc()
        return answer

    async def _cold(self, path: str, method: str) -> Answer:
        if path not in {"/healthz", "/readyz", "/metrics"}:
            return answers.problem(404, "there is nothing at this address")
        if method not in {"GET", "HEAD"}:
            return answers.problem(405, "this address is only read", extra=READ_ONLY)
        if path == "/metrics":
            return answers.text(CONTENT_TYPE_LATEST, generate_latest(REGISTRY))
        if path == "/healthz":
            return answers.document(200, {"status": "ok"})
        return _readiness(await self._health())


def _readiness(problems: Sequence[str]) -> Answer:
    status = "not ready" if problems else "ready"
    return answers.document(503 if problems else 200, {"status": status, "problems": list(problems)})


def _not_posted(method: str, instance: Instance) -> Answer:
    """A browser asks before it posts JSON to another origin; a form's key is public, so any origin may."""
    if method == "OPTIONS" and instance.source.public:
        return Answer(204, answers.PREFLIGHT, b"")
    return answers.problem(405, "events are posted", extra=POST_AND_ASK if instance.source.public else POST_ONLY)
