"""A mailbox on a real Dovecot: what is there, what arrives, and what happens while somebody is away."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import clock
from hub.embedded import Addresses
from producers.gateway import counters
from producers.mailbox import fetcher, intake
from tests.support.dovecot import Dovecot, dovecot
from tests.support.gateway import broker_pid
from tests.support.line import until
from tests.support.mailbox import Mailbox, a_mail, at_work, tables
from tests.support.mails import mails

pytestmark = pytest.mark.integration


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with dovecot() as running:
        yield running


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher, "LONGEST_PAUSE", 0.5)


def hellos(*names: str) -> list[str]:
    return [f"Hello {name}" for name in names]


async def test_mails_that_are_there_and_mails_that_arrive_are_found_in_order_and_left_as_they_are(
    server: Dovecot, servers: Addresses, tmp_path: Path
) -> None:
    server.deliver(a_mail("one"), a_mail("two"))
    async with at_work(tables(servers.kafka, tmp_path, {"box": server.source()})) as running:
        await running.until(hellos("one", "two"))
        for name in ("three", "four", "five"):
            await asyncio.to_thread(server.deliver, a_mail(name))
            began = clock.monotonic()
            await running.until([*await running.subjects(), f"Hello {name}"])
            assert clock.monotonic() - began < 5  # the server tells, nobody polls
        records = await running.wrote()
    assert [record.value["subject"] for record in records] == hellos("one", "two", "three", "four", "five")
    assert all(record.raw.endswith(b"\r\n\r\nPlease call me.\r\n") for record in records)
    assert records[0].value["contact"]["email"] == "ann.lee@example.net"
    assert server.flags() == [("\\Recent",)] * 5  # nobody has opened the box yet, as far as it knows


async def test_after_a_restart_of_the_hub_only_what_is_new_is_fetched(
    server: Dovecot, servers: Addresses, tmp_path: Path
) -> None:
    settings = tables(servers.kafka, tmp_path, {"box": server.source()})
    server.deliver(a_mail("one"), a_mail("two"))
    async with at_work(settings) as running:
        await running.until(hellos("one", "two"))
    server.deliver(a_mail("three"))
    async with at_work(settings) as running:
        await running.until(hellos("one", "two", "three"))
        assert len(await running.wrote()) == 3


@pytest.mark.parametrize("damage", ["lost", "nonsense", "another uidvalidity"])
async def test_without_its_place_all_is_read_again_and_known_by_the_ids(
    server: Dovecot, servers: Addresses, tmp_path: Path, damage: str
) -> None:
    settings = tables(servers.kafka, tmp_path, {"box": server.source()})
    server.deliver(a_mail("one"), a_mail("two"))
    async with at_work(settings) as running:
        await running.until(hellos("one", "two"))
        first = {record.headers["ce_id"] for record in await running.wrote()}
    place = tmp_path / "mailbox/box.json"
    kept = json.loads(place.read_text(encoding="utf-8"))
    assert kept["uid"] == 2
    place.write_text(json.dumps(kept | {"uidvalidity": 1, "uid": 70}) if damage[0] == "a" else "?", encoding="utf-8")
    if damage == "lost":
        place.unlink()
    server.deliver(a_mail("three"))
    async with at_work(settings) as running:
        await running.until(hellos("one", "two", "three"))
        records = await running.wrote()
    assert len(records) == 5
    assert len({record.headers["ce_id"] for record in records} - first) == 1


async def test_a_mail_server_that_goes_away_and_comes_back_loses_nothing(
    server: Dovecot, servers: Addresses, tmp_path: Path
) -> None:
    server.deliver(a_mail("one"))
    async with at_work(tables(servers.kafka, tmp_path, {"box": server.source()})) as running:
        await running.until(hellos("one"))
        for name in ("two", "three"):
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            await asyncio.to_thread(server.deliver, a_mail(name))
            await running.until([*await running.subjects(), f"Hello {name}"])
        assert await running.subjects() == sorted(hellos("one", "two", "three"))


async def test_while_kafka_stands_still_mail_stays_where_it_is(
    server: Dovecot, servers: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "ACKNOWLEDGED_WITHIN", 0.5)
    pid = broker_pid(servers.kafka[0])
    if not pid:
        pytest.skip("the broker is no process of this machine")
    server.deliver(a_mail("one"))
    async with at_work(tables(servers.kafka, tmp_path, {"box": server.source()})) as running:
        await running.until(hellos("one"))
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.to_thread(server.deliver, a_mail("two"), a_mail("three"))
            await until(lambda: counted("away") >= 2, "the mail is held back")
            assert json.loads((tmp_path / "mailbox/box.json").read_text(encoding="utf-8"))["uid"] == 1
        finally:
            os.kill(pid, signal.SIGCONT)
        await running.until(hellos("one", "two", "three"))
        order = list(dict.fromkeys(record.value["subject"] for record in await running.wrote()))
    assert order == hellos("one", "two", "three")


def counted(outcome: str) -> float:
    """How many mails of the box became that."""
    return float(counters.requests("box", outcome)._value.get())


async def test_two_hundred_horrors_are_fetched_and_none_stops_the_others(
    server: Dovecot, servers: Addresses, tmp_path: Path
) -> None:
    # Mails of one id are one event: each gets its own, the first of two counts.
    horrors = [b"Message-ID: <horror-%d@example.net>\r\n" % n + mail for n, (_, mail) in enumerate(mails())]
    server.deliver(*horrors, a_mail("last"))
    async with at_work(tables(servers.kafka, tmp_path, {"box": server.source()})) as running:
        await until(lambda: there(running, "Hello last"), "all are there", within=60)
        records = await running.wrote()
    assert len({record.headers["ce_id"] for record in records}) == len(horrors) + 1
    assert {record.headers["ce_type"] for record in records} == {"email.received"}


async def there(running: Mailbox, subject: str) -> bool:
    return subject in await running.subjects()


async def test_the_line_is_encrypted_and_the_server_is_who_it_says(
    server: Dovecot, servers: Addresses, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.deliver(a_mail("one"))
    encrypted = server.source(port=server.imaps, tls=True)
    believed = encrypted | {"ca_file": str(server.folder / "cert.pem")}
    async with at_work(tables(servers.kafka, tmp_path / "a", {"box": encrypted})) as running:
        stranger = running.settings.state / "mailbox/box.json"
        async with at_work(tables(servers.kafka, tmp_path / "b", {"box": believed})) as other:
            await other.until(hellos("one"))
            await asyncio.to_thread(server.deliver, a_mail("two"))
            await other.until(hellos("one", "two"))
        assert await running.subjects() == []
    assert not stranger.exists()


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"folder": "Nowhere"}, {"port": 1}, {"host": "no.invalid"}])
async def test_a_box_that_cannot_be_opened_is_tried_again_and_lets_the_hub_stop(
    server: Dovecot, servers: Addresses, tmp_path: Path, wrong: dict[str, str]
) -> None:
    async with at_work(tables(servers.kafka, tmp_path, {"box": server.source(**wrong)})) as running:
        assert await running.subjects() == []
        began = clock.monotonic()
    assert clock.monotonic() - began < 3


async def test_it_stops_while_it_waits_for_mail(server: Dovecot, servers: Addresses, tmp_path: Path) -> None:
    server.deliver(a_mail("one"))
    async with at_work(tables(servers.kafka, tmp_path, {"box": server.source()})) as running:
        await running.until(hellos("one"))
        began = clock.monotonic()
    assert clock.monotonic() - began < 3
