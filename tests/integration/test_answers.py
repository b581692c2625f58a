"""`/api/…` on a real database: who is this, what happened, what was given up on."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from hub.api.app import create_app
from hub.api.serve import serve
from hub.components import Letter, Record
from hub.embedded import Addresses
from hub.errors import Misconfigured
from hub.identity.evidence import Words
from hub.identity.ids import as_text, record_id
from hub.settings import check
from hub.storage import export
from hub.storage.offsets import PostgresStore
from hub.storage.pool import Pool, transaction
from tests.support.line import write
from tests.support.memory import day, fact

pytestmark = pytest.mark.integration

SETTINGS = {
    "region": "DE",
    "keys": {"all": {"secret": "open", "scopes": ["profiles:read", "operations:read"]}},
}
ANN = Words(id="1", email="ann@example.com", phone="+4930901820", name="Ann Lee")
BOB = Words(id="2", email="bob@example.com", name="Bob Fox")
EVENT = bytes.fromhex("0190c8a0000080008000000000000007")


async def no_lag() -> dict[str, Any]:
    return {}


@pytest_asyncio.fixture
async def client(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(check(SETTINGS), pool, no_lag, {})
    key = {"authorization": "Bearer open"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub", headers=key) as found:
        yield found


def account(source: str, key: str) -> str:
    return as_text(record_id(source, "account", key))


async def look_up(client: httpx.AsyncClient, **asked: str) -> str | None:
    """The id that a look-up finds, None for 404."""
    answer = await client.get("/api/profiles/lookup", params=asked)
    if answer.status_code == 404:
        return None
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["profile_id"]
    return found


async def test_a_person_is_found_by_another_spelling_of_their_mailbox_after_the_exact_one(
    client: httpx.AsyncClient, pool: Pool
) -> None:
    ann, zed = "ann.lee@gmail.com", "annlee@gmail.com"
    await write(pool, [fact("crm", Words("1", ann, given_name="Ann")), fact("crm", Words("2", zed, given_name="Zed"))])
    assert await look_up(client, email=ann) == account("crm", "1")
    assert await look_up(client, email=zed) == account("crm", "2")
    assert await look_up(client, email="a.nnlee+news@googlemail.com") is not None
    assert await look_up(client, email="ann.lee@example.com") is None


async def test_a_person_is_found_by_every_spelling_of_an_address(client: httpx.AsyncClient, pool: Pool) -> None:
    await write(pool, [fact("crm", ANN), fact("crm", BOB)])
    ann = account("crm", "1")
    assert await look_up(client, email=" Ann@Example.COM ") == ann
    assert await look_up(client, phone="030 901820") == ann
    assert await look_up(client, phone="+49 30 901820") == ann
    assert await look_up(client, account="crm:1") == ann
    assert await look_up(client, email="bob@example.com") == account("crm", "2")
    assert (await client.get("/api/profiles/lookup?phone=+4930901820")).json()["profile_id"] == ann


async def test_nobody_is_404(client: httpx.AsyncClient, pool: Pool) -> None:
    await write(pool, [fact("crm", ANN)])
    assert await look_up(client, email="carol@example.com") is None
    assert await look_up(client, account="crm:99") is None
    assert await look_up(client, account="shop:1") is None
    assert (await client.get(f"/api/profiles/{account('crm', '99')}")).status_code == 404


async def test_the_answer_is_the_line_with_its_version(client: httpx.AsyncClient, pool: Pool) -> None:
    await write(pool, [fact("crm", ANN)])
    await write(pool, [fact("crm", ANN, day(2))])
    answer = await client.get(f"/api/profiles/{account('crm', '1').upper()}")
    (line,) = [block async for block in export.lines(pool, with_versions=True)]
    assert answer.content + b"\n" == line
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["version"] == 2
    assert answer.json()["activities"] == 2


async def test_a_trusted_word_wins_a_look_up_then_the_older_profile(client: httpx.AsyncClient, pool: Pool) -> None:
    office = "info@firm.org"  # a role address: it links nobody, and several claim it
    stranger = fact("web", Words(email=office, given_name="Zed", family_name="Old"), day(1))
    younger = fact("crm", Words(id="7", email=office, name="Yan Young"), day(9))
    older = fact("shop", Words(id="8", email=office, name="Olga Older"), day(5))
    await write(pool, [stranger])
    assert stranger.who
    assert await look_up(client, email=office) == as_text(stranger.who.record)
    await write(pool, [younger])
    assert await look_up(client, email=office) == account("crm", "7")
    await write(pool, [older])
    assert await look_up(client, email=office) == account("shop", "8")


async def merged(pool: Pool) -> tuple[str, str]:
    """Two people who turn out to be one: the id that lives and the one that was absorbed."""
    await write(pool, [fact("crm", Words(id="1", email="ann@example.com"), day(1))])
    await write(pool, [fact("desk", Words(id="5", email="ann@work.example"), day(2))])
    await write(pool, [fact("desk", Words(id="5", email="ann@example.com"), day(3))])
    return account("crm", "1"), account("desk", "5")


async def test_an_absorbed_id_leads_to_the_one_that_lives(client: httpx.AsyncClient, pool: Pool) -> None:
    lives, absorbed = await merged(pool)
    answer = await client.get(f"/api/profiles/{absorbed}")
    assert (answer.status_code, answer.headers["location"]) == (308, f"/api/profiles/{lives}")
    answer = await client.get(f"/api/profiles/{absorbed}/timeline?limit=2")
    assert (answer.status_code, answer.headers["location"]) == (308, f"/api/profiles/{lives}/timeline?limit=2")
    assert (await client.get(f"/api/profiles/{absorbed}", follow_redirects=True)).json()["profile_id"] == lives
    assert await look_up(client, account="desk:5") == lives
    assert await look_up(client, email="ann@work.example") == lives


async def test_the_timeline_is_that_of_all_records_newest_first(client: httpx.AsyncClient, pool: Pool) -> None:
    lives, _ = await merged(pool)
    page = (await client.get(f"/api/profiles/{lives}/timeline")).json()
    assert [entry["at"] for entry in page["entries"]] == [day(3), day(2), day(1)]
    assert [entry["source"] for entry in page["entries"]] == ["desk", "desk", "crm"]
    assert set(page["entries"][0]) == {"id", "type", "source", "at", "received_at"}
    assert page["next"] is None


async def pages(client: httpx.AsyncClient, person: str, limit: int) -> AsyncIterator[list[str]]:
    """The ids of each page, one after the other."""
    before = ""
    while True:
        answer = await client.get(f"/api/profiles/{person}/timeline?limit={limit}{before}")
        page = answer.json()
        yield [entry["id"] for entry in page["entries"]]
        if page["next"] is None:
            return
        before = f"&before={page['next']}"


async def test_pages_hold_every_entry_once_though_more_arrives_in_between(
    client: httpx.AsyncClient, pool: Pool
) -> None:
    # Seven at the same moment: only the id parts them.
    facts = [fact("crm", ANN, day(1 + number // 7)) for number in range(21)]
    await write(pool, facts)
    seen: list[str] = []
    async for page in pages(client, account("crm", "1"), 4):
        seen += page
        await write(pool, [fact("crm", ANN, day(40))])
    assert len(seen) == len(set(seen)) == 21
    assert set(seen) == {as_text(one.event) for one in facts}
    assert [len(page) async for page in pages(client, account("crm", "1"), 27)] == [27]


async def test_a_page_begins_before_a_time_too(client: httpx.AsyncClient, pool: Pool) -> None:
    await write(pool, [fact("crm", ANN, day(number)) for number in (1, 2, 3)])
    path = f"/api/profiles/{account('crm', '1')}/timeline"
    entries = (await client.get(path, params={"before": "2024-01-03T12:00:00Z"})).json()["entries"]
    assert [entry["at"] for entry in entries] == [day(2), day(1)]
    wrong = await client.get(path, params={"before": "yesterday"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "before")


async def test_spam_and_what_names_nobody_is_on_no_timeline(client: httpx.AsyncClient, pool: Pool) -> None:
    good = fact("web", Words(email="ann@example.com"), day(1))
    spam = fact("web", Words(email="ann@example.com"), day(2))._replace(spam=True)
    nobody = fact("web", Words(), day(3))
    await write(pool, [good, spam, nobody])
    assert good.who
    page = (await client.get(f"/api/profiles/{as_text(good.who.record)}/timeline")).json()
    assert [entry["id"] for entry in page["entries"]] == [as_text(good.event)]


async def test_the_export_is_ordered_and_the_same_in_blocks(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [Words(id=str(number), email=f"p{number}@example.com") for number in range(50)]
    await write(pool, [fact("crm", one) for one in people])
    whole = b"".join([block async for block in export.lines(pool)])
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 7)
    assert b"".join([block async for block in export.lines(pool)]) == whole
    ids = [orjson.loads(line)["profile_id"] for line in whole.splitlines()]
    assert ids == sorted(ids)
    assert len(ids) == 50
    for line in whole.splitlines():
        assert list(orjson.loads(line)) == sorted(orjson.loads(line))


async def given_up(pool: Pool, *letters: Letter) -> None:
    store = PostgresStore(pool)
    async with store.begin() as connection:
        await store.dead_letter(connection, "profiles", letters)


def a_letter(offset: int, value: bytes, event: bytes | None = None, **headers: bytes) -> Letter:
    record = Record("inbound.forms", 1, offset, 1_790_000_000_000, b"key", value, list(headers.items()))
    return Letter(record, "read", "no e-mail", "Unreadable", event, "email", "web-eu")


async def test_dead_letters_are_listed_page_by_page_without_their_bytes(client: httpx.AsyncClient, pool: Pool) -> None:
    await given_up(pool, *(a_letter(number, b"{}") for number in range(5)))
    first = (await client.get("/api/dead-letters?limit=3")).json()
    second = (await client.get(f"/api/dead-letters?limit=3&before={first['next']}")).json()
    assert [one["offset"] for one in first["dead_letters"] + second["dead_letters"]] == [4, 3, 2, 1, 0]
    assert second["next"] is None
    assert set(first["dead_letters"][0]) == {
        *("id", "state", "reason", "error", "field", "stage", "source", "group", "topic", "partition", "offset"),
        *("event_id", "at", "created_at", "failures", "replays"),
    }
    assert (await client.get("/api/dead-letters?state=resolved")).json()["dead_letters"] == []
    assert (await client.get("/api/dead-letters?state=lost")).status_code == 422


async def test_a_dead_letter_shows_its_original_bytes(client: httpx.AsyncClient, pool: Pool) -> None:
    await given_up(pool, a_letter(1, b"\x00\xffbytes", EVENT))
    (listed,) = (await client.get("/api/dead-letters")).json()["dead_letters"]
    shown = (await client.get(f"/api/dead-letters/{listed['id']}")).json()
    assert base64.b64decode(shown["raw_base64"]) == b"\x00\xffbytes"
    assert shown["event_id"] == as_text(EVENT)
    assert (await client.get("/api/dead-letters/99999999999999999999")).status_code == 404
    assert (await client.get("/api/dead-letters/999")).status_code == 404


async def test_deliveries_are_listed_and_an_unknown_one_is_404(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/deliveries")).json() == {"deliveries": [], "next": None}
    assert (await client.get(f"/api/deliveries/{as_text(EVENT)}")).status_code == 404
    assert (await client.get("/api/deliveries?state=lost")).status_code == 422


async def test_queries_go_by_index(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await connection.execute("SET LOCAL enable_seqscan = off")
        plan = "\n".join(
            row[0]
            for row in await connection.fetch(
                """
                EXPLAIN SELECT a.event_id FROM source_record r CROSS JOIN LATERAL (
                    SELECT event_id, at FROM activity WHERE record_id = r.record_id AND NOT spam AND at <= now()
                    ORDER BY at DESC, event_id DESC LIMIT 50) a
                WHERE r.profile_id = '0190c8a0-0000-8000-8000-000000000007'
                """
            )
        )
    assert "activity_record" in plan
    assert "Seq Scan" not in plan


async def test_the_listener_answers_until_it_is_told_to_stop(servers: Addresses, pool: Pool) -> None:
    settings = check(
        SETTINGS | {"console": {"listen": "127.0.0.1:0"}, "kafka": {"servers": servers.kafka, "prefix": "none."}}
    )
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(settings, pool, stop, port.set_result))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{await port}") as client:
            assert (await client.get("/readyz")).json() == {"status": "ok", "checks": {"postgres": "ok", "kafka": "ok"}}
            lag = await client.get("/api/lag", headers={"authorization": "Bearer open"})
            assert lag.json()["groups"] == []
            assert "hub_outbox_pending_messages 0.0" in (await client.get("/metrics")).text
            stop.set()


async def test_a_port_that_somebody_has_stops_the_start(pool: Pool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        taken = f"127.0.0.1:{busy.getsockname()[1]}"
        with pytest.raises(Misconfigured, match=f"console.listen: {taken}: "):
            await serve(check({"console": {"listen": taken}}), pool, asyncio.Event())
