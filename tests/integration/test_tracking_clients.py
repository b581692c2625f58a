"""The tracking calls as the tools' own client libraries make them, from their programs to profiles in PostgreSQL."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from consumers.reading import read
from hub.components import Record
from hub.embedded import Addresses
from hub.settings import environment
from tests.support.gateway import Gateway, gateway, read_back, until_ready
from tests.support.line import batch_connections, lines, write

pytestmark = pytest.mark.integration
SUPPORT = Path(__file__).parents[1] / "support"
TOPIC = "inbound.tracking"
PYTHON = sys.executable
CLIENTS = (
    pytest.param((PYTHON, "clients/segment_python.py"), "seg-1", "ann.lee@example.com", "Ann", id="segment-python"),
    pytest.param((PYTHON, "clients/rudder_python.py"), "rud-1", "bob@example.com", "Bob", id="rudderstack-python"),
    pytest.param(("node", "node/segment.cjs"), "node-1", "cem@example.com", "Cem", id="segment-node"),
)
"""The program, and whom it speaks of: account, e-mail, given name."""


@pytest.fixture
async def hub(servers: Addresses) -> AsyncIterator[Gateway]:
    async with gateway(servers.kafka) as running:
        await until_ready(running)
        yield running


async def run(*words: str, **around: str) -> None:
    """Run a program to its end; what it says is shown where it fails."""
    process = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=environment() | around
    )
    said, _ = await asyncio.wait_for(process.communicate(), 100)
    assert process.returncode == 0, said.decode(errors="replace")


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Node's libraries as their lock says, in a folder that the next session finds again."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed; .ci/run installs it")
    lock = (SUPPORT / "node/package-lock.json").read_bytes()
    folder = Path(tempfile.gettempdir()) / f"hub-tests-node-{os.getuid()}-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not (folder / "done").exists():
        folder.mkdir(exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            (folder / name).write_bytes((SUPPORT / "node" / name).read_bytes())
        asyncio.run(run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)))
        (folder / "done").touch()
    return folder / "node_modules"


@pytest.mark.parametrize(("client", "account", "email", "given_name"), CLIENTS)
async def test_what_a_client_says_becomes_activities_and_a_profile_with_its_traits(
    hub: Gateway,
    database_url: str,
    request: pytest.FixtureRequest,
    client: tuple[str, str],
    account: str,
    email: str,
    given_name: str,
) -> None:
    program, script = client
    libraries = request.getfixturevalue("node_modules") if program == "node" else ""
    await run(program, str(SUPPORT / script), f"http://127.0.0.1:{hub.port}", "wk_site", NODE_PATH=str(libraries))
    told = await hub.wrote(TOPIC)
    assert len(told) == len({one.headers["ce_id"] for one in told}) == 5
    assert all({"ce_time", "ce_trust"} <= one.headers.keys() for one in told)
    assert {one.value["contact"]["id"] for one in told} == {account}
    said = [one.value for one in told if one.headers["ce_type"] == "contact.updated"]
    assert [one["contact"] for one in said if "traits" not in one] == [{"id": account, "device": "anon-1"}]
    (traits,) = [one["traits"] for one in said if "traits" in one]
    assert (traits["firstName"], traits["plan"]) == (given_name, "pro")
    events = {one.headers["ce_type"]: one.value for one in told}
    tracked, joined, viewed = events["event.tracked"], events["group.joined"], events["page.viewed"]
    assert (tracked["contact"]["device"], tracked["name"]) == ("anon-1", "Signed Up")
    assert tracked["properties"] == {"plan": "pro"}
    assert (joined["name"], joined["properties"]) == ("acme", {"name": "Acme"})
    assert (viewed["name"], viewed["category"]) == ("Prices", "Shop")
    profile = await profile_of(account, hub, database_url)
    assert profile["fields"]["given_name"]["value"] == given_name
    assert {"type": "email", "value": email} in profile["identifiers"]


async def profile_of(account: str, hub: Gateway, database_url: str) -> dict[str, Any]:
    """The one profile with this account, after everything on the topic was read."""
    facts = [read(_record(one), {"site": "DE"}) for one in await read_back(hub.settings, (TOPIC,))]
    async with batch_connections(database_url) as pool:
        await write(pool, facts)
        found: list[dict[str, Any]] = [orjson.loads(line) for line in await lines(pool)]
        assert await pool.fetchval("SELECT count(*) FROM activity") == len(facts)
    (profile,) = [one for one in found if account in [record["key"] for record in one["records"]]]
    return profile


def _record(one: Any) -> Record:
    return Record(one.topic, one.partition, one.offset, one.timestamp, one.key, one.value, one.headers)


async def test_a_bad_call_in_a_good_batch_is_kept_and_loses_nobody(hub: Gateway) -> None:
    good = [b'{"type":"track","messageId":"g%d","userId":"u","event":"e"}' % number for number in range(3)]
    bad = [
        b'{"type": "track", "userId": {"no": "text"}, "event":"e"}',
        b'{"type":"track","event":"half \\ud83d","userId":"u"}',
        b'{"type":"page","name":"\\u0000"}',
        b"17",
        b'{"type":"track","userId":"u","properties":' + b'{"a":' * 300 + b"1" + b"}" * 300 + b',"event":"deep"}',
    ]
    body = b'{"writeKey":"wk_site", "batch": [' + b", ".join([*good, *bad]) + b"]}"
    answer = await hub.http.post("/v1/batch", content=body, headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    told = await hub.wrote(TOPIC)
    assert sorted(one.raw for one in told if one.headers["ce_type"] == "event.tracked") == sorted(good)
    kept = {one.raw: one.value.get("field") for one in told if one.headers["ce_type"] == "source.unreadable"}
    assert sorted(kept) == sorted(bad)
    assert [kept[one] for one in bad[:3]] == ["userId", "event", "name"]


async def test_a_repeat_is_the_same_event_whichever_address_it_comes_by(hub: Gateway) -> None:
    call = {"type": "track", "messageId": "m-1", "userId": "u", "event": "e"}
    answers = [
        await hub.http.post(address, json=body, auth=("wk_site", ""))
        for address, body in (
            ("/v1/track", call),
            ("/v1/t", call),
            ("/v1/import", {"batch": [call]}),
            ("/v1/b", {"batch": []}),
        )
    ]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({one.headers["ce_id"] for one in await hub.wrote(TOPIC)}) == 1


async def test_refusals_are_problems_that_the_clients_understand(hub: Gateway) -> None:
    answer = await hub.http.post("/v1/track", content=b'{"userId":"u"', auth=("wk_site", ""))
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert {"success": False, "code": "Bad Request"}.items() <= answer.json().items()
    unknown = await hub.http.post("/v1/track", json={"userId": "u", "event": "e"}, auth=("other", ""))
    assert (unknown.status_code, unknown.json()["field"]) == (401, "writeKey")
    large = await hub.http.post("/v1/batch", content=json.dumps({"batch": ["x" * 2**20]}), auth=("wk_site", ""))
    assert large.status_code == 413
    assert (await hub.http.post("/v1/delete", json={}, auth=("wk_site", ""))).status_code == 404
    assert (await hub.http.get("/v1/track")).status_code == 405
    assert await hub.wrote(TOPIC) == []


async def test_a_browser_of_any_page_may_post(hub: Gateway) -> None:
    asked = await hub.http.options("/v1/track", headers={"origin": "https://www.example.com"})
    assert asked.status_code == 204
    assert "authorization" in asked.headers["access-control-allow-headers"]
    posted: httpx.Response = await hub.http.post("/v1/t", json={"writeKey": "wk_site", "event": "e", "userId": "u"})
    assert (posted.status_code, posted.headers["access-control-allow-origin"]) == (200, "*")
