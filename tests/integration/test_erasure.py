"""Somebody is erased, in the real PostgreSQL: no row keeps a word of theirs, and everybody else is as in memory."""

from __future__ import annotations

import importlib
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import orjson
import pytest
import pytest_asyncio

from consumers import slow_lane
from consumers.duplicates import Duplicates, Heard
from consumers.profiles import Profiles
from hub.cache import LocalHints
from hub.components import Letter, Record
from hub.identity import resolve
from hub.identity.erasure import again, living
from hub.identity.evidence import Fact
from hub.identity.ids import as_text, identifier_id
from hub.storage import ledger, mails
from hub.storage.ledger import Done
from hub.storage.mails import Mail
from hub.storage.offsets import PostgresStore
from hub.storage.pool import Pool, transaction
from schemas.envelope import ERASED, HUB, MERGED
from tests.support.histories import batches
from tests.support.line import audit, batch_connections, lines, write
from tests.support.memory import day, record, until_of, whole

pytestmark = pytest.mark.integration
ROOM = Profiles(LocalHints(), {"": "DE"})
HISTORIES = 6
TABLES = (
    "source_record", "identifier", "claim", "link_group", "profile", "activity", "erasure", "link_decision",
    "membership_log", "identity_op", "outbox",
)  # fmt: skip
ANN, BOB, FAMILY = "ann.lee@firm.org", "bob.lee@firm.org", "lees@firm.org"


@pytest_asyncio.fixture
async def batch_pool(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url) as connections:
        yield connections


def said(number: object, source: str, contact: dict[str, str], at: str, **more: Any) -> Fact:
    """An event as it stands on a topic, read; one number is one event."""
    value = {
        "specversion": "1.0", "id": str(number), "source": source, "type": "note.added", "time": at,
        "data": {"contact": contact, "text": f"{contact.get('given_name', 'somebody')} wrote", **more},
    }  # fmt: skip
    return ROOM.read(Record("inbound.tools", 0, 0, 1_795_305_600_000, None, orjson.dumps(value), ()))


def done(event_type: str, at: str, number: int, **data: Any) -> Fact:
    """What a person did in the hub."""
    headers = {
        "ce_specversion": b"1.0", "ce_id": f"0190c8a0-0000-8000-8000-{number:012d}".encode(), "ce_source": b"hub",
        "ce_type": event_type.encode(), "ce_edge": HUB.encode(), "ce_time": at.encode(),
        "ce_receivedtime": b"2026-11-20T08:00:00.000Z",
    }  # fmt: skip
    value = orjson.dumps({"by": "eve", **data})
    return ROOM.read(Record("inbound.hub", 0, 0, 1_795_305_600_000, None, value, tuple(headers.items())))


def forgotten(records: Iterable[bytes], emails: Iterable[str], at: str, number: int = 1) -> Fact:
    """The erasure of these records and addresses."""
    return done(
        ERASED, at, number, records=[as_text(one) for one in records],
        identifiers=[as_text(identifier_id("email", one)) for one in emails],
    )  # fmt: skip


async def takes(pool: Pool, *facts: Fact) -> None:
    """A batch, and what it put aside."""
    await write(pool, facts)
    while await slow_lane.once(pool, ROOM):
        pass


async def everything(pool: Pool) -> str:
    """Every row of every table, as text; bytes of messages and letters readable."""
    found = []
    for (table,) in await pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"):
        found += [f"{table} {row[0]}" for row in await pool.fetch(f"SELECT t::text FROM {table} t")]
    for column in ("body FROM dead_letter", "body FROM delivery", "fact FROM slow_lane"):
        found += [repr(bytes(row[0])) for row in await pool.fetch(f"SELECT {column}") if row[0]]
    return "\n".join(found)


async def without_outbox(pool: Pool) -> str:
    """As `everything`, once the relay has put on Kafka what waits for it."""
    await pool.execute("DELETE FROM outbox")
    return await everything(pool)


async def written_by_rules(pool: Pool, ann: Fact, bob: Fact) -> None:
    """What rules wrote down about the two: a deed, and a mail that waits."""
    async with transaction(pool) as connection:
        for number, (one, name) in enumerate(((ann, "Annabella"), (bob, BOB))):
            about = record(one)
            effect = orjson.dumps({"events": [{"type": "tag.added", "tag": f"{name} called"}]}).decode()
            await ledger.write(connection, [Done("asked", one.event, "1", 1, about, "add_tag", "done", effect)])
            await pool.execute(
                "INSERT INTO task (id, record_id, title) VALUES ($1, $2, $3)",
                bytes([number] * 16),
                about,
                f"Call {name}",
            )
            mail = Mail(bytes([number] * 16), f"{name}@firm.org", f"Hello {name}", f"Dear {name}", about)
            await mails.put(connection, [mail])


async def test_no_row_of_any_table_keeps_a_word_of_who_is_erased(batch_pool: Pool) -> None:
    ann = [
        said(1, "shop", {"id": "4711", "email": ANN, "given_name": "Annabella", "phone": "+4930901820"}, day(1)),
        said(2, "desk", {"id": "77", "email": ANN, "given_name": "Annabella"}, day(2), subject="Annabella's lamp"),
        said(3, "crm", {"email": ANN, "family_name": "Leeway"}, day(3)),
    ]
    bob = [said(4, "shop", {"id": "12", "email": BOB, "given_name": "Bob"}, day(1))]
    merged = done(
        MERGED, day(4), 9, records=[as_text(record(ann[0])), as_text(record(bob[0]))], reason="Annabella called"
    )
    for one in (*ann, *bob, merged):
        await takes(batch_pool, one)
    assert len(await lines(batch_pool)) == 1
    await written_by_rules(batch_pool, ann[0], bob[0])
    gone = forgotten(map(record, ann), [ANN], day(5))
    await takes(batch_pool, gone)
    left = await without_outbox(batch_pool)
    for word in ("nnabella", "ann.lee", "Leeway", "901820", "4711"):
        assert word not in left, word
    assert BOB in left
    sent = await batch_pool.fetch("SELECT recipient, state FROM mail ORDER BY id")
    assert [tuple(row) for row in sent] == [("", "dead"), (f"{BOB}@firm.org", "pending")], "nobody writes to the erased"
    assert [row[0] for row in await batch_pool.fetch("SELECT title FROM task")] == [f"Call {BOB}"]
    assert await lines(batch_pool) == whole([*ann, *bob, merged, gone]).lines
    await audit(batch_pool)
    for one in (gone, *ann, *bob, merged):
        await takes(batch_pool, one)
    assert await without_outbox(batch_pool) == left, "a replay brings nothing back"


PEOPLE = [
    {"id": "1", "email": ANN, "given_name": "Ann"},
    {"id": "2", "email": BOB, "phone": "+4930901820", "given_name": "Bob", "family_name": "Lee"},
    {"email": ANN, "given_name": "Ann", "family_name": "Lee"},
    {"email": FAMILY, "given_name": "Ann"},
    {"id": "1", "email": FAMILY},
    {"phone": "+4930901820", "given_name": "Bob", "family_name": "Lee"},
    {"email": BOB},
]


def a_history(chance: random.Random) -> list[Fact]:
    """Events of a family, decisions and erasures among them, late ones and people who come back."""
    facts = [
        said(number, chance.choice(("shop", "desk")), chance.choice(PEOPLE), day(chance.choice((1, 2, 3, 9))))
        for number in range(chance.randint(3, 14))
    ]
    known = sorted({record(one) for one in facts})
    for number in range(chance.randint(0, 2) if len(known) > 1 else 0):
        one, other = (as_text(each) for each in chance.sample(known, 2))
        facts.append(done(MERGED, day(chance.choice((2, 4))), 100 + number, records=[one, other], reason="they called"))
    for number in range(chance.randint(1, 3)):
        named = chance.sample(known, chance.randint(1, min(3, len(known))))
        named += [again(one) for one in named if chance.random() < 0.3]
        emails = chance.sample((ANN, BOB, FAMILY), chance.randint(0, 2))
        facts.append(forgotten(named, emails, day(chance.choice((1, 2, 5))), 200 + number))
    return facts


@pytest.mark.parametrize("seed", range(8))
async def test_any_order_of_events_and_erasures_leaves_the_same_people(
    batch_pool: Pool, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve, "MOST_CLAIMERS", dict.fromkeys(resolve.MOST_CLAIMERS, 1000))
    monkeypatch.setattr(resolve, "MOST_CODES", 1000)
    chance = random.Random(seed)
    for town in range(HISTORIES):
        facts = a_history(chance)
        for batch in batches(facts, chance):
            await write(batch_pool, batch)
            if chance.random() < 0.5:
                await takes(batch_pool)
        await takes(batch_pool)
        assert await lines(batch_pool) == whole(facts).lines, town
        await audit(batch_pool)
        assert await kept(batch_pool, facts) == set()
        await batch_pool.execute(f"TRUNCATE {', '.join(TABLES)}")


async def kept(pool: Pool, facts: Sequence[Fact]) -> set[str]:
    """Events that are erased and stand on a timeline, or in anybody's evidence."""
    until = until_of(facts)
    lost = {one.id for one in facts if one.who and living(one, until).who is None}
    stand = await pool.fetch(
        "SELECT event_id FROM activity WHERE record_id IS NOT NULL OR (data::text <> 'null' AND type = 'note.added')"
    )
    evidence = await pool.fetchval("SELECT coalesce(string_agg(evidence::text, ''), '') FROM source_record")
    return lost & {as_text(row[0]) for row in stand} | {one for one in lost if one in evidence}


async def test_whoever_is_erased_stays_so_where_phones_are_read_as_another_country_meanwhile(batch_pool: Pool) -> None:
    ann = said(1, "shop", {"phone": "201 555 0123", "given_name": "Annabella"}, day(1))
    bob = said(2, "shop", {"id": "12", "phone": "201 555 0123", "given_name": "Bob"}, day(1))
    await takes(batch_pool, ann, bob)
    await write(batch_pool, [forgotten([record(ann)], [], day(5))])
    assert await slow_lane.once(batch_pool, Profiles(LocalHints(), {"": "US"}))
    assert "nnabella" not in await without_outbox(batch_pool)
    assert len(await lines(batch_pool)) == 1
    await audit(batch_pool)


async def test_no_part_of_a_dead_letter_keeps_an_address_also_where_its_event_comes_once_more(batch_pool: Pool) -> None:
    written = ANN.title().encode()
    letters = [
        Letter(Record("inbound.tools", 0, offset, 0, key, body, headers), "read", reason, "Unreadable", event)
        for offset, (key, body, headers, reason, event) in enumerate((
            (written, b"{", (), "not read", None),
            (None, b"{" + written, (), "not read", None),
            (None, b"{", (("x-customer", written),), "not read", None),
            (None, b"{", (), f"{ANN!r} is no number", b"\x01" * 16),
            (None, b"{" + BOB.encode(), (), "not read", None),
        ))
    ]  # fmt: skip
    ann, store = said(1, "shop", {"id": "4711", "email": ANN}, day(1)), PostgresStore(batch_pool)
    async with transaction(batch_pool) as connection:
        await store.dead_letter(connection, "profiles", letters)
    await takes(batch_pool, ann, forgotten([record(ann)], [ANN], day(5)))
    async with transaction(batch_pool) as connection:
        await store.dead_letter(connection, "profiles", letters)
    left = await without_outbox(batch_pool)
    assert "ann.lee" not in left.lower()
    assert BOB in left, "another one's letter stays"


async def test_what_waits_in_the_slow_lane_is_erased_with_the_rest(batch_pool: Pool) -> None:
    early, late, waits = (said(n, "shop", {"id": "4711", "given_name": "Annabella"}, day(n)) for n in (1, 3, 4))
    await takes(batch_pool, early, forgotten([record(early)], [], day(2), 1), late)
    await batch_pool.execute("UPDATE link_group SET oversize = true")
    await write(batch_pool, [waits, forgotten([record(early)], [], day(5), 2)])
    assert await batch_pool.fetchval("SELECT count(*) FROM slow_lane") == 2
    await takes(batch_pool)
    assert "nnabella" not in await without_outbox(batch_pool)
    await audit(batch_pool)


async def test_a_pair_of_others_does_not_say_what_was_theirs_alone_with_the_erased(batch_pool: Pool) -> None:
    """Two profiles that a mailbox pointed at lose, one after the other, the records that stated it."""
    ann, eve = (
        said(n, "shop", {"id": str(n), "email": address, "given_name": name, "family_name": name}, day(n))
        for n, address, name in ((1, "ann.lee@gmail.com", "Annabella"), (2, "annlee@gmail.com", "Eve"))
    )
    desk = [said(n + 2, "desk", {"id": str(n)}, day(n - 1 or 1)) for n in (1, 2)]
    for n, one in enumerate((ann, eve)):
        joined = done(MERGED, day(3), 10 + n, records=[as_text(record(desk[n])), as_text(record(one))])
        await takes(batch_pool, desk[n], one, joined)
    async with transaction(batch_pool) as connection:
        room = Duplicates()
        profiles = [row[0] for row in await connection.fetch("SELECT profile_id FROM profile")]
        await room.write(connection, [Heard((one,)) for one in profiles])
    box = identifier_id("mailbox", "annlee@gmail.com")
    assert "annlee" in str(await batch_pool.fetchval("SELECT refusal FROM suspect_pair"))
    for n, one in enumerate((ann, eve)):
        gone = done(
            ERASED, day(5), 20 + n, records=[as_text(record(one))],
            identifiers=[as_text(identifier_id("email", "annlee@gmail.com")), as_text(box)] if n else [],
        )  # fmt: skip
        await takes(batch_pool, gone)
    assert "annlee" not in await without_outbox(batch_pool)


async def test_what_was_not_believed_before_there_were_erasures_is_not_believed_after_one(batch_pool: Pool) -> None:
    stranger, known = (said(n, f"web-{n}", {"email": f"p{n}@firm.org"}, day(1)) for n in (1, 2))
    await takes(batch_pool, stranger._replace(trusted=False), known)
    await batch_pool.execute("UPDATE activity SET trusted = true")
    (fill,) = [
        one
        for one in importlib.import_module("hub.storage.migrations.versions.0007_erasure").STATEMENTS
        if one.lstrip().startswith("UPDATE")
    ]
    await batch_pool.execute(fill)
    found = await batch_pool.fetch("SELECT source, trusted FROM activity")
    assert {row[0]: row[1] for row in found} == {"web-1": False, "web-2": True}
