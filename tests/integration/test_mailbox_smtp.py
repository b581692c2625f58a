"""Mail servers hand over by SMTP and LMTP: real clients, the real Kafka."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import smtplib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub import clock
from hub.embedded import Addresses
from hub.embedded.ports import LOOPBACK
from hub.errors import Misconfigured
from hub.identity.ids import as_text, event_id
from producers.mailbox import intake
from producers.mailbox.run import run
from tests.support.gateway import broker_pid, free_port
from tests.support.mailbox import Mailbox, a_mail, at_work, tables, until_taken
from tests.support.mails import mails

pytestmark = pytest.mark.integration
LISTENER = {"kind": "smtp", "listen": f"{LOOPBACK}:0", "domains": ["example.com"], "authserv_id": "mx.example.com"}
SOURCES = {"inbox": LISTENER, "box": LISTENER | {"protocol": "lmtp"}}


@pytest.fixture
async def mailbox(servers: Addresses, tmp_path: Path) -> AsyncIterator[Mailbox]:
    async with at_work(tables(servers.kafka, tmp_path, SOURCES)) as running:
        await until_taken(running, a_mail("first"))
        yield running


async def swaks(*words: str) -> tuple[int, str]:
    """The mail administrator's tool; its exit status and what was said."""
    if not shutil.which("swaks"):
        pytest.skip("swaks is not installed")
    program = await asyncio.create_subprocess_exec("swaks", *words, stdout=asyncio.subprocess.PIPE, stderr=2)
    said, _ = await program.communicate()
    return program.returncode or 0, said.decode()


async def test_a_mail_that_is_answered_with_250_is_on_the_topic_to_the_byte(mailbox: Mailbox) -> None:
    status, said = await mailbox.hand_over(a_mail("one"))
    record = (await mailbox.wrote())[-1]
    assert (status, said) == (250, f"2.0.0 safe id={record.headers['ce_id']}")
    assert record.headers["ce_id"] == as_text(event_id("inbox", "one@example.net"))
    assert record.raw == a_mail("one")
    assert record.value["raw"]["content_type"] == "message/rfc822"
    assert (record.headers["ce_type"], record.headers["ce_time"]) == ("email.received", "2026-11-22T08:10:00.000Z")
    assert (record.headers["ce_edge"], record.headers["ce_trust"]) == ("inbox", "public")


async def test_a_mail_that_its_domain_signed_is_believed(mailbox: Mailbox) -> None:
    ours = b"Authentication-Results: mx.example.com; dkim=pass header.d=example.net\r\n"
    await mailbox.hand_over(ours + a_mail("signed"))
    await mailbox.hand_over(ours.replace(b"mx.example.com", b"elsewhere.example") + a_mail("said to be"))
    trusts = {record.value["subject"]: record.headers.get("ce_trust") for record in await mailbox.wrote()}
    assert trusts == {"Hello first": "public", "Hello signed": None, "Hello said to be": "public"}


async def test_a_repeat_gets_the_same_id(mailbox: Mailbox) -> None:
    answers = [await mailbox.hand_over(a_mail("again")) for _ in range(2)]
    assert answers[0] == answers[1]


async def test_swaks_hands_over_by_both_protocols(mailbox: Mailbox) -> None:
    about = ("--from", "ann@example.net", "--to", "sales@example.com,help@example.com", "--header", "Subject: swaks")
    for name, protocol in (("inbox", "ESMTP"), ("box", "LMTP")):
        server = f"{LOOPBACK}:{mailbox.ports[name]}"
        status, said = await swaks("--server", server, "--protocol", protocol, *about)
        assert (status, said.count("safe id=")) == (0, 1 if protocol == "ESMTP" else 2), said
    assert (await mailbox.subjects()).count("swaks") == 2


async def test_lmtp_answers_for_each_recipient(mailbox: Mailbox) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, mailbox.ports["box"])
    head = b"LHLO mx\r\nMAIL FROM:<>\r\nRCPT TO:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n"
    writer.write(head + a_mail("two") + b".\r\nQUIT\r\n")
    said = (await asyncio.wait_for(reader.read(), 10)).splitlines()
    assert [line[:3] for line in said[-3:]] == [b"250", b"250", b"221"]
    assert said[-3] == said[-2]
    writer.close()
    reader, writer = await asyncio.open_connection(LOOPBACK, mailbox.ports["box"])
    writer.write(head + (b"x" * 1000 + b"\r\n") * 10500 + b".\r\nQUIT\r\n")
    said = (await asyncio.wait_for(reader.read(), 20)).splitlines()
    assert [line[:3] for line in said[-3:]] == [b"552", b"552", b"221"]
    writer.close()


async def test_what_is_too_long_is_refused_before_and_after_it_was_sent(mailbox: Mailbox) -> None:
    def told_and_untold() -> list[int]:
        with mailbox.speak() as client:
            client.ehlo()
            told, _ = client.mail("ann@example.net", [f"size={intake.MAIL_BYTES + 1}"])
            client.mail("ann@example.net")
            client.rcpt("sales@example.com")
            untold, _ = client.data(a_mail("long") + b"x" * intake.MAIL_BYTES)
            return [told, untold]

    assert await asyncio.to_thread(told_and_untold) == [552, 552]


async def test_ten_megabytes_of_anything_arrive(mailbox: Mailbox) -> None:
    room = intake.MAIL_BYTES - 1000
    for name, filling in (
        ("quotes", b'"' * room),
        ("nul", b"\0" * room),
        ("marks", b"\x01" * (intake.AS_TEXT_BYTES - 1000)),
    ):
        mail = a_mail(name) + filling + b"\r\n"
        assert (await mailbox.hand_over(mail))[0] == 250
        assert (await mailbox.wrote())[-1].raw == mail


async def test_two_hundred_horrors_are_all_taken_and_all_there_to_the_byte(mailbox: Mailbox) -> None:
    horrors = [mail if mail.endswith(b"\r\n") else mail + b"\r\n" for _, mail in mails()]

    def send() -> list[int]:
        with mailbox.speak() as client:
            client.ehlo()
            return [_data(client, mail) for mail in horrors]

    assert set(await asyncio.to_thread(send)) == {250}
    records = (await mailbox.wrote())[1:]
    assert [record.raw for record in records] == horrors
    assert {record.headers["ce_type"] for record in records} == {"email.received"}


def _data(client: smtplib.SMTP, mail: bytes) -> int:
    client.mail("<>")
    client.rcpt("sales@example.com")
    return client.data(mail)[0]


async def test_bytes_that_are_no_mail_are_kept_for_people_to_see(mailbox: Mailbox) -> None:
    status, said = await mailbox.hand_over(b"\x00\xff no mail\r\n")
    record = (await mailbox.wrote())[-1]
    assert (status, said) == (250, f"2.0.0 safe id={record.headers['ce_id']}")
    assert (record.headers["ce_type"], record.raw) == ("source.unreadable", b"\x00\xff no mail\r\n")


async def test_without_a_broker_the_mail_server_keeps_its_mail(tmp_path: Path) -> None:
    settings = tables((f"{LOOPBACK}:{free_port()}",), tmp_path, SOURCES)
    async with at_work(settings, topics=False) as away:
        status, said = await away.hand_over(a_mail("one"))
    assert (status, said.partition(" ")[0]) == (451, "4.3.0")


async def test_a_broker_that_stands_still_is_a_451_in_time_and_later_a_250(
    mailbox: Mailbox, servers: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "ACKNOWLEDGED_WITHIN", 1.0)
    pid = broker_pid(servers.kafka[0])
    if not pid:
        pytest.skip("the broker is no process of this machine")
    os.kill(pid, signal.SIGSTOP)
    try:
        began = clock.monotonic()
        answers = await asyncio.gather(*(mailbox.hand_over(a_mail(f"frozen {n}")) for n in range(3)))
        assert clock.monotonic() - began < 3
        assert [status for status, _ in answers] == [451] * 3
    finally:
        os.kill(pid, signal.SIGCONT)
    await until_taken(mailbox, a_mail("frozen 0"))
    assert "Hello frozen 0" in await mailbox.subjects()


async def test_it_stops_while_a_client_says_nothing(servers: Addresses, tmp_path: Path) -> None:
    async with at_work(tables(servers.kafka, tmp_path, SOURCES)) as running:
        client = await asyncio.to_thread(running.speak)
        await asyncio.to_thread(client.ehlo)
        began = clock.monotonic()
    assert clock.monotonic() - began < 2
    client.close()


async def test_a_port_in_use_is_told_by_the_settings_name(mailbox: Mailbox) -> None:
    taken = tables(mailbox.settings.kafka.servers, mailbox.settings.state, {
        "inbox": LISTENER | {"listen": "192.0.2.1:25"},
    })  # fmt: skip
    with pytest.raises(Misconfigured, match=r"sources\.inbox\.listen"):
        await run(taken, asyncio.Event())
