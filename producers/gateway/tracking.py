"""The tracking calls' addresses: the source is found by its write key, the answer is what their clients know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import orjson

from hub.errors import BadProof, Misconfigured, Reject, Retry
from hub.settings import Settings
from producers import tracking
from producers.gateway import answers, counters
from producers.gateway.answers import Answer, Headers
from producers.gateway.bodies import Gone, Receive
from producers.gateway.instances import Instance
from producers.gateway.intake import Intake, Scope, headers_of, received
from producers.gateway.refusals import Refusals

PREFIX = "/v1/"
KIND = "tracking"
DOOR = "/v1"
"""What a post is counted as while its source is not known."""

ADDRESSES = {call: call for call in (*tracking.CALLS, *tracking.BATCHES)} | {
    call[0]: call for call in (*tracking.CALLS, "batch")
}
"""The last word of the address, and the call that it means; browsers write its first letter alone."""

POST_AND_ASK: Headers = ((b"allow", b"POST, OPTIONS"),)
PREFLIGHT: Headers = (
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"anonymousid, authorization, content-encoding, content-type"),
    (b"access-control-max-age", b"86400"),
)
SUCCESS = answers.document(200, {"success": True})


def check_write_keys(settings: Settings) -> list[str]:
    """What is wrong with the write keys of hub.toml beyond a single source: two that share one."""
    owners: dict[str, str] = {}
    problems = []
    for name, table in settings.sources.items():
        keys = table.own.get("write_keys") if table.kind == KIND else None
        for key in keys if isinstance(keys, list | tuple) else ():
            owner = owners.setdefault(str(key), name)
            if owner != name:
                problems.append(
                    f"sources.{name}.write_keys: {owner!r} has the same key, so nobody could tell who speaks"
                )
    return problems


class Tracking:
    """Every tracking source by its write keys."""

    def __init__(
        self, settings: Settings, instances: Mapping[str, Instance], intake: Intake, refusals: Refusals
    ) -> None:
        problems = check_write_keys(settings)
        if problems:
            raise Misconfigured("\n".join(problems))
        found = [one for one in instances.values() if one.source.name == KIND]
        self._by_key = {key: one for one in found for key in one.settings.write_keys}
        self._intake, self._refusals = intake, refusals

    async def answer(self, name: str, scope: Scope, receive: Receive) -> Answer:
        """The answer to `/v1/{name}`, readable for a page of whatever origin."""
        if name not in ADDRESSES or not self._by_key:
            return answers.problem(404, "there is nothing at this address")
        if scope["method"] == "OPTIONS":
            return answers.for_any_origin(Answer(204, PREFLIGHT, b""))
        if scope["method"] != "POST":
            return answers.problem(405, "tracking calls are posted", extra=POST_AND_ASK)
        return answers.for_any_origin(await self._taken(ADDRESSES[name], scope, receive))

    async def _taken(self, call: str, scope: Scope, receive: Receive) -> Answer:
        door, outcome = DOOR, "failed"
        try:
            request, damage = await received(headers_of(scope), b"", receive)
            instance = self._instance(tracking.write_keys(request))
            door = instance.name
            await self._intake.take(instance, replace(request, query={"call": call}), damage)
            outcome = "accepted"
        except Reject as wrong:
            outcome = "refused"
            self._refusals.note(door, wrong)
            return _refused(wrong)
        except Retry as away:
            outcome = "away"
            return answers.problem(503, str(away))
        except Gone:
            outcome = "gone"
            raise
        finally:
            counters.requests(door, outcome).inc()
        return SUCCESS

    def _instance(self, offered: list[str]) -> Instance:
        for key in offered:
            if key in self._by_key:
                return self._by_key[key]
        raise BadProof("no source has this write key", "writeKey")


def _refused(wrong: Reject) -> Answer:
    """The problem, and beside it the words that the clients look for."""
    problem = answers.refused(wrong)
    told = orjson.loads(problem.body)
    told |= {"success": False, "code": told["title"], "message": told["detail"]}
    headers = [pair for pair in problem.headers if pair[0] != b"content-length"]
    return Answer(problem.status, (*headers, *answers.document(problem.status, told).headers[1:]), orjson.dumps(told))
