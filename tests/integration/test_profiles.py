"""Who is who, in the real PostgreSQL: as in memory, whatever the order, the batches and the number of writers."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from consumers.profiles import Profiles
from hub.cache import LocalHints
from hub.components import Letter, Record
from hub.identity import resolve
from hub.identity.evidence import Fact, Words
from hub.identity.ids import as_text
from hub.storage.offsets import PostgresStore
from hub.storage.pool import Pool, transaction
from tests.support.crowd import a_crowd
from tests.support.line import audit, batch_connections, cut, deadlocks, jitter, lines, untouched, versions, write
from tests.support.memory import day, fact, whole

pytestmark = pytest.mark.integration
X, Y = "x@firm.org", "y@firm.org"


@pytest_asyncio.fixture
async def batch_pool(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url) as connections:
        yield connections


def record(headers: dict[str, bytes], value: object) -> Record:
    return Record("inbound.tools", 0, 0, 1_795_305_600_000, None, orjson.dumps(value), list(headers.items()))


async def test_a_form_and_a_cloud_event_of_one_person_become_one_profile(batch_pool: Pool) -> None:
    room = Profiles(LocalHints(), {"": "DE"})
    form = {
        "ce_specversion": b"1.0", "ce_id": b"0190c8a0-0000-8000-8000-000000000001", "ce_source": b"web-eu",
        "ce_type": b"form.submitted", "ce_edge": b"web-eu", "ce_trust": b"public",
        "ce_receivedtime": b"2026-11-20T08:00:00.000Z",
    }  # fmt: skip
    event = {"ce_specversion": b"1.0", "ce_id": b"7", "ce_source": b"crm", "ce_type": b"contact.updated",
             "ce_time": b"2026-11-21T08:00:00Z"}  # fmt: skip
    facts = [
        room.read(record(form, {"name": "Ann Lee", "email": "X@firm.org", "phone": "030 901820", "message": "Hi"})),
        room.read(record(event, {"contact": {"id": "c-1", "email": X, "given_name": "Ann", "family_name": "Fox"}})),
    ]
    await write(batch_pool, facts)
    (line,) = [orjson.loads(line) for line in await lines(batch_pool)]
    assert line["activities"] == 2
    assert line["records"] == [
        {"key": "c-1", "kind": "account", "source": "crm"},
        {"key": X, "kind": "contact_point", "source": "web-eu"},
    ]
    assert line["fields"]["family_name"] == {
        "at": "2026-11-21T08:00:00.000Z", "key": "c-1", "source": "crm", "value": "Fox"
    }  # fmt: skip
    assert {"type": "phone", "value": "+4930901820"} in line["identifiers"]
    assert tuple(await lines(batch_pool)) == whole(facts).lines
    await audit(batch_pool)


async def test_a_repeat_changes_nothing_and_writes_nothing(batch_pool: Pool) -> None:
    facts = a_crowd(1, 60)
    await write(batch_pool, facts)
    before = await untouched(batch_pool)
    await write(batch_pool, facts)
    for one in facts:
        await write(batch_pool, [one, one])
    assert await untouched(batch_pool) == before


async def test_the_same_event_twice_in_a_batch_is_one_activity(batch_pool: Pool) -> None:
    one = fact("shop", Words("1", X))
    await write(batch_pool, [one, one, one])
    assert orjson.loads((await lines(batch_pool))[0])["activities"] == 1


async def test_an_account_that_states_an_address_and_a_number_joins_two_profiles(batch_pool: Pool) -> None:
    shop = fact("shop", Words("1", X, name="Ann Lee"), day(1))
    kiosk = fact("kiosk", Words(phone="+4930901820", name="Ann Lee"), day(2))
    for one in (shop, kiosk, kiosk._replace(event=b"\x01" * 16)):
        await write(batch_pool, [one])
    assert shop.who
    assert kiosk.who
    assert await versions(batch_pool) == {shop.who.record: 1, kiosk.who.record: 2}
    await write(batch_pool, [fact("crm", Words("7", X, "+4930901820", "Ann Lee"), day(3))])
    assert await versions(batch_pool) == {shop.who.record: 3}
    body = await batch_pool.fetch("SELECT body FROM outbox ORDER BY seq")
    messages = [message for row in body for message in orjson.loads(row["body"])]
    old, new = as_text(kiosk.who.record), as_text(shop.who.record)
    redirects = [value for topic, key, _, _, value, _ in messages if topic == "profiles" and key == old]
    assert redirects[-1] == {"merged_into": new, "version": 3}
    merged = [value for topic, _, kind, _, value, _ in messages if (topic, kind) == ("activities", "profile.merged")]
    assert merged == [{"absorbed": [old], "profile_id": new, "version": 3}]
    await audit(batch_pool)


async def test_two_words_of_one_account_in_one_batch_join_both_sides(batch_pool: Pool) -> None:
    facts = [
        fact("shop", Words("1", X, given_name="Ann"), day(1)),
        fact("desk", Words("3", Y, given_name="Ann"), day(2)),
        fact("crm", Words("7", X, given_name="Ann"), day(3)),
        fact("crm", Words("7", Y, given_name="Ann"), day(4)),
    ]
    for batch in (facts[:1], facts[1:2], facts[2:]):
        await write(batch_pool, batch)
    assert await lines(batch_pool) == whole(facts).lines
    assert len(await lines(batch_pool)) == 1
    await audit(batch_pool)


async def test_an_address_that_a_stranger_only_mentions_blocks_nobody(batch_pool: Pool) -> None:
    """A form's second identifier links nothing; it must not lead to a group that nobody keeps, either."""
    phone = "+4930901820"
    facts = [
        fact("shop", Words("1", X, given_name="Ann"), day(1)),
        fact("web", Words(email=X, phone=phone, given_name="Ann"), day(2)),
        fact("web", Words(email=X, phone=phone, given_name="Ann"), day(3)),
        fact("crm", Words("7", phone=phone, name="Ann Lee"), day(4)),
        fact("kiosk", Words(phone=phone, name="Ann Lee"), day(5)),
    ]
    for one in facts:
        await write(batch_pool, [one])
    assert await lines(batch_pool) == whole(facts).lines
    await audit(batch_pool)


async def test_an_event_id_that_is_used_again_for_somebody_else_leaves_no_trace(batch_pool: Pool) -> None:
    """An idempotency key is the sender's choice; the second person's own event must still find its way."""
    first = fact("web", Words(email=X, given_name="Ann"), natural_id="key")
    other = fact("web", Words(email=Y, phone="+4930901820", given_name="Zed"), natural_id="key")
    known = fact("shop", Words("1", X), day(1))
    more = fact("shop", Words("1", Y), day(1))._replace(event=known.event)
    for one in (first, other, known, more):
        await write(batch_pool, [one])
    await audit(batch_pool)
    real = [
        fact("web", Words(email=Y, phone="+4930901820", given_name="Zed"), day(9)),
        fact("crm", Words("7", Y, "+4930901820", "Zed Fox"), day(9)),
    ]
    for one in real:
        await write(batch_pool, [one])
    assert await lines(batch_pool) == whole([first, known, *real]).lines
    await audit(batch_pool)


async def test_events_of_nobody_are_activities_of_nobody(batch_pool: Pool) -> None:
    spam = fact("web", Words(email=X))._replace(spam=True, who=None)
    nobody = fact("web", Words(name="Ann Lee"))
    await write(batch_pool, [spam, nobody])
    rows = await batch_pool.fetch("SELECT record_id, spam FROM activity ORDER BY spam")
    assert [tuple(row) for row in rows] == [(None, False), (None, True)]
    assert await lines(batch_pool) == ()


@pytest.mark.parametrize("most", [1, 7, 300])
async def test_three_orders_and_batchings_print_the_same_bytes(batch_pool: Pool, most: int) -> None:
    facts = a_crowd(2, 250)
    for batch in cut([*facts, *facts[::9]], random.Random(most), most):
        await write(batch_pool, batch)
    assert await lines(batch_pool) == whole(facts).lines
    await audit(batch_pool)


@pytest.mark.parametrize("seed", range(3))
async def test_four_writers_at_once_end_where_one_would_and_never_in_a_deadlock(
    database_url: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    jitter(monkeypatch, chance)
    monkeypatch.setattr(resolve, "MOST_CLAIMERS", {"email": 6, "mailbox": 6, "phone": 4, "device": 3})
    facts = a_crowd(10 + seed, 500)
    waiting = deque(cut([*facts, *chance.sample(facts, 50)], chance, 30))

    async def writer(pool: Pool) -> None:
        while waiting:
            await write(pool, waiting.popleft(), tries=20)

    async with batch_connections(database_url) as pool:
        await asyncio.gather(*(writer(pool) for _ in range(4)))
        assert await lines(pool) == whole(facts).lines
        await audit(pool)
    assert await deadlocks(database_url) == 0


async def test_writers_that_make_the_same_people_at_once_wait_for_each_other(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every writer takes the whole set, each in its own order: all keys are new to all of them."""
    jitter(monkeypatch, random.Random(7))
    facts = a_crowd(20, 120)

    async def writer(pool: Pool, seed: int) -> None:
        for batch in cut(facts, random.Random(seed), 25):
            await write(pool, batch, tries=20)

    async with batch_connections(database_url) as pool:
        await asyncio.gather(*(writer(pool, seed) for seed in range(6)))
        assert await lines(pool) == whole(facts).lines
        await audit(pool)
    assert await deadlocks(database_url) == 0


@pytest.mark.parametrize("letters", ["a", "abcdefgh"])
async def test_a_known_person_with_a_new_address_meets_a_stranger_with_the_same_one(
    database_url: str, monkeypatch: pytest.MonkeyPatch, letters: str
) -> None:
    """What is made late must not be waited for by one who made something early: no circle, however they meet."""
    jitter(monkeypatch, random.Random(9))
    everything: list[Fact] = []
    async with batch_connections(database_url) as pool:
        for number in range(12):
            addresses = [f"{letter}{number}@firm.org" for letter in letters]
            known = [fact("shop", Words(f"{number} {address}")) for address in addresses]
            await write(pool, known)
            strangers = [fact("desk", Words(f"{number}")) for _ in range(2)]
            late = [fact("shop", Words(f"{number} {address}", address)) for address in addresses[::2]]
            early = [fact("crm", Words(f"{number} {address}", address)) for address in addresses[1::2]]
            one = [strangers[0], *late, *early]
            other = [strangers[1], *(fact("till", Words(f"{number} {address}", address)) for address in addresses)]
            await asyncio.gather(write(pool, one, tries=20), write(pool, other, tries=20))
            everything += [*known, *one, *other]
        assert await lines(pool) == whole(everything).lines
        await audit(pool)
    assert await deadlocks(database_url) == 0


async def test_one_event_id_for_two_people_at_once_is_one_of_them_and_the_other_leaves_no_trace(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jitter(monkeypatch, random.Random(11))
    async with batch_connections(database_url) as pool:
        for number in range(15):
            rivals = [
                fact(source, Words(source, f"{source}{number}@firm.org"), natural_id=f"{number}")._replace(
                    event=bytes([number]) * 16
                )
                for source in ("shop", "crm")
            ]
            await asyncio.gather(*(write(pool, [one]) for one in rivals))
            await audit(pool)
            await asyncio.gather(*(write(pool, [one._replace(event=bytes([100 + number, i]) * 8)])
                                   for i, one in enumerate(rivals)))  # fmt: skip
        await audit(pool)
        counts = sorted(orjson.loads(line)["activities"] for line in await lines(pool))
    assert sum(counts) == 3 * 15
    assert await deadlocks(database_url) == 0


async def test_two_consumers_that_give_up_on_the_same_events_wait_for_each_other_in_one_order(
    database_url: str,
) -> None:
    place = Record("inbound.tools", 0, 0, 0, None, b"no", [])
    async with batch_connections(database_url) as pool:
        store = PostgresStore(pool)
        letters = [Letter(place, "read", "no", "Unreadable", bytes([number]) * 16) for number in range(60)]

        async def give_up(order: list[Letter]) -> None:
            async with transaction(pool) as connection:
                await store.dead_letter(connection, "profiles", order)

        for _ in range(10):
            await asyncio.gather(give_up(letters), give_up(letters[::-1]), return_exceptions=True)
            await pool.execute("DELETE FROM dead_letter")
    assert await deadlocks(database_url) == 0
