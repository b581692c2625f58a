"""The hub's own mails: each goes out once, always with the same bytes, through refusals, silence and death."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from consumers import mailer
from consumers.mailer import Mailer
from consumers.mailing import message
from hub.cache import LocalHints
from hub.egress.smtp import Place, post
from hub.embedded.ports import LOOPBACK, keep_or_choose
from hub.identity.ids import hash_id
from hub.storage import mails
from hub.storage.mails import Mail
from hub.storage.pool import Pool, transaction
from schemas.outgoing import key_of
from tests.support.relay import OK, Relay, dripping

pytestmark = pytest.mark.integration
SENDER = "Example <hello@example.com>"
SOON = (0.01,) * 20


def a_mail(name: str, **more: str) -> Mail:
    return Mail(hash_id("test", name), f"{name}@example.net", f"Hello {name}", f"Dear {name},\nbye.\n", None, more)


async def put(pool: Pool, *names: str) -> None:
    async with transaction(pool) as connection:
        await mails.put(connection, [a_mail(name) for name in names])


async def states(pool: Pool) -> dict[str, str]:
    return {row[0].partition("@")[0]: row[1] for row in await pool.fetch("SELECT recipient, state FROM mail")}


async def worked_off(sends: Mailer, pool: Pool) -> None:
    """Turns until nothing waits; what is to be tried again comes due in a moment."""
    async with asyncio.timeout(20):
        while {"pending", "retry", "sending"} & set((await states(pool)).values()):
            await sends.turn()


async def test_a_mail_goes_out_as_it_was_written_down(pool: Pool) -> None:
    async with Relay().serving() as relay:
        async with transaction(pool) as connection:
            await mails.put(connection, [a_mail("ann", **{"List-Unsubscribe": "<https://example.com/u/1>"})])
        assert await Mailer(pool, relay.place, SENDER).turn() == 1
        (mail,) = relay.took
        assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, "ann@example.net", "Hello ann")
        assert (mail["Auto-Submitted"], mail["List-Unsubscribe"]) == ("auto-generated", "<https://example.com/u/1>")
        assert mail.get_content() == "Dear ann,\r\nbye.\r\n" or mail.get_content() == "Dear ann,\nbye.\n"
        assert key_of(mail["Message-ID"]) == UUID(bytes=hash_id("test", "ann"))
        assert relay.senders == ["hello@example.com"]
        assert await states(pool) == {"ann": "sent"}


async def test_the_same_mail_written_down_again_goes_out_once(pool: Pool) -> None:
    async with Relay().serving() as relay:
        sends = Mailer(pool, relay.place, SENDER)
        await put(pool, "ann")
        await worked_off(sends, pool)
        await put(pool, "ann")
        assert await sends.turn() == 0
        assert len(relay.took) == 1


async def test_a_refusal_for_now_is_tried_again_with_the_same_bytes_and_one_for_good_is_not(pool: Pool) -> None:
    answers = {"ann@example.net": ["451 later", "421 later still", OK], "bob@example.net": ["550 nobody here"]}
    async with Relay(lambda to: answers[to].pop(0)).serving() as relay:
        await put(pool, "ann", "bob")
        await worked_off(Mailer(pool, relay.place, SENDER, SOON), pool)
        assert await states(pool) == {"ann": "sent", "bob": "dead"}
        to_ann = {content for content in relay.offered if b"ann@example.net" in content}
        assert len(to_ann) == 1
        assert await pool.fetchval("SELECT answer FROM mail WHERE state = 'dead'") == "550 nobody here"


async def test_while_the_relay_is_away_mails_wait(pool: Pool) -> None:
    await put(pool, "ann")
    nowhere = Place(LOOPBACK, int(keep_or_choose(None)), "never")
    assert await Mailer(pool, nowhere, SENDER, SOON).turn() == 1
    assert await states(pool) == {"ann": "retry"}
    async with Relay().serving() as relay:
        await worked_off(Mailer(pool, relay.place, SENDER, SOON), pool)
        assert len(relay.took) == 1


async def test_who_dies_between_the_answer_and_the_commit_leaves_a_copy_under_one_message_id(pool: Pool) -> None:
    async with Relay().serving() as relay:
        await put(pool, "ann")
        async with transaction(pool) as connection:
            (held,) = await mails.take(connection, 8, 60)
        dead = Mailer(pool, relay.place, SENDER)
        await dead._send(held)
        await pool.execute("UPDATE mail SET lease_until = clock_timestamp() - interval '1 second'")
        await worked_off(Mailer(pool, relay.place, SENDER), pool)
        assert len(relay.took) == 2
        assert len({str(mail["Message-ID"]) for mail in relay.took}) == 1
        assert relay.offered[0] == relay.offered[1]


async def test_several_mailers_at_once_send_each_mail_once(pool: Pool) -> None:
    async with Relay().serving() as relay:
        await put(pool, *(f"p{number}" for number in range(60)))
        mailers = [Mailer(pool, relay.place, SENDER, SOON) for _ in range(4)]
        async with asyncio.TaskGroup() as tasks:
            for one in mailers:
                tasks.create_task(worked_off(one, pool))
        assert sorted(str(mail["To"]) for mail in relay.took) == sorted(
            f"p{number}@example.net" for number in range(60)
        )


async def test_a_header_that_would_break_out_ends_the_mail(pool: Pool) -> None:
    async with Relay().serving() as relay:
        async with transaction(pool) as connection:
            await mails.put(connection, [a_mail("ann")._replace(subject="Hi\nBcc: eve@example.net")])
        await Mailer(pool, relay.place, SENDER).turn()
        assert (relay.offered, await states(pool)) == ([], {"ann": "dead"})


async def test_a_relay_that_is_slow_at_every_word_is_left_before_the_lease_ends(pool: Pool) -> None:
    made = message(a_mail("ann"), SENDER, datetime(2026, 11, 22, tzinfo=UTC))
    async with dripping(0.2) as (place, _):
        said = await post(place, "hello@example.com", "ann@example.net", made, 0.5)
    assert (said.code, said.text.partition(":")[0]) == (None, "TimeoutError")
    assert mailer.SEND_SECONDS < mailer.LEASE_SECONDS


async def test_a_relay_that_says_yes_to_everything_has_taken_nothing() -> None:
    """It never asks for the mail (354), so its 250 is no word about one."""
    made = message(a_mail("ann"), SENDER, datetime(2026, 11, 22, tzinfo=UTC))
    async with dripping(0.0) as (place, _):
        said = await post(place, "hello@example.com", "ann@example.net", made, 5)
    assert said.code is None
    assert "250" in said.text


async def test_who_is_told_to_stop_does_not_wait_for_a_relay_that_is_silent(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailer, "GRACE_SECONDS", 0.1)
    await put(pool, "ann")
    stop = asyncio.Event()
    async with dripping(3600) as (place, spoken_to), asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(mailer.run(Mailer(pool, place, SENDER), LocalHints(), stop))
        await spoken_to.wait()
        stop.set()
    assert await states(pool) == {"ann": "sending"}, "whoever comes next takes it when the lease is over"
