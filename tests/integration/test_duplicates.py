"""The queue of suspected duplicates on a real PostgreSQL: who comes in, who leaves, what a decision does to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import count
from typing import Any

import orjson
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from consumers.duplicates import Duplicates, Heard
from consumers.profiles import Profiles
from hub.api import deciding, duplicates
from hub.api.deciding import Author, Draft
from hub.api.duplicate_shapes import Duplicate, DuplicatePage
from hub.api.problems import Conflict
from hub.api.why import why
from hub.cache import LocalHints
from hub.components import Record
from hub.errors import Reject, Retry, Unreadable
from hub.identity.evidence import Fact, Words
from hub.identity.ids import as_text, event_id
from hub.identity.suspects import MOST_IN_BLOCK, Traits, block_keys
from hub.storage.offsets import PostgresStore
from hub.storage.pool import Pool, transaction
from hub.storage.suspects import Key, key_of
from producers.deeds import Deed
from tests.support.line import batch_connections, write
from tests.support.memory import day, fact, record

pytestmark = pytest.mark.integration
SAM = Author("sam", "looked at both")
PHONE = "+4930901820"
OFFSETS = count(1)
TABLES = ("block_key", "suspect_pair")


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url) as connections:
        yield connections


async def never(*_: Deed) -> None:
    raise AssertionError("this is not to be sent")


def told(profile: bytes) -> Record:
    """A message of the topic `profiles`; what it says of the profile is of no account."""
    return Record("profiles", 0, 0, 0, as_text(profile).encode(), b"{}", [])


async def look(pool: Pool, records: Iterable[Record]) -> None:
    """One batch of the worker."""
    room = Duplicates()
    items = [room.read(one) for one in records]
    async with transaction(pool) as connection:
        await room.write(connection, items)


async def hear(pool: Pool, *facts: Fact) -> None:
    """These facts become profiles, and the worker hears of everybody whom they touch."""
    before = await living(pool)
    await write(pool, facts)
    touched = {one.who.record for one in facts if one.who} | (before ^ await living(pool))
    await look(pool, map(told, sorted(touched)))


def events(deeds: Iterable[Deed]) -> list[Record]:
    """Deeds as their events stand on `inbound.hub`."""
    found = []
    for one in deeds:
        headers = {
            "ce_specversion": b"1.0", "ce_id": as_text(one.event).encode(), "ce_source": b"hub", "ce_edge": b"hub",
            "ce_type": one.type.encode(), "ce_time": one.at.encode(), "ce_receivedtime": one.at.encode(),
        }  # fmt: skip
        body = orjson.dumps(one.data)
        found.append(Record("inbound.hub", 0, next(OFFSETS), 1_795_305_600_000, None, body, [*headers.items()]))
    return found


async def living(pool: Pool) -> set[bytes]:
    return {row[0] for row in await pool.fetch("SELECT profile_id FROM profile")}


async def do(pool: Pool, deeds: Iterable[Deed]) -> None:
    """Decisions become part of the records, as the room `profiles` does it."""
    room = Profiles(LocalHints(), {})
    await write(pool, [room.read(one) for one in events(deeds)])
    await past(pool)


async def past(pool: Pool) -> None:
    """The room `profiles` has read everything that was there so far, and more."""
    store, place = PostgresStore(pool), ("inbound.hub", 0)
    async with store.begin() as connection:
        await store.fence(connection, "profiles", [place])
        await store.advance(connection, "profiles", {place: 2 * next(OFFSETS)})


async def made(pool: Pool, draft: Draft) -> None:
    """A decision that was made elsewhere, and that the worker hears of: its event, and whoever moved by it."""
    before = await living(pool)
    await do(pool, draft.deeds)
    await look(pool, [*events(draft.deeds), *map(told, sorted(before ^ await living(pool)))])


async def decide(pool: Pool, pair: Key, verdict: str, author: Author = SAM) -> tuple[str, list[Record]]:
    """Decide about a pair; gives the decision's id, and what the worker will hear."""
    before = await living(pool)
    sent: list[Deed] = []

    async def send(*deeds: Deed) -> None:
        sent.extend(deeds)
        await do(pool, deeds)

    shown = await duplicates.decide(pool, pair, verdict, author, send)
    assert shown["state"] == "done"
    return shown["decisions"][0]["id"], [*events(sent), *map(told, sorted(before ^ await living(pool)))]


async def pairs(pool: Pool, state: str | None = None) -> list[dict[str, Any]]:
    rows = await pool.fetch("SELECT * FROM suspect_pair WHERE $1::text IS NULL OR state = $1 ORDER BY 1, 2", state)
    return [dict(row) for row in rows]


async def untouched(pool: Pool) -> list[tuple[str, str]]:
    """Where every row of the worker's lies and who wrote it."""
    return [
        tuple(row)
        for table in TABLES
        for row in await pool.fetch(f"SELECT ctid::text, xmin::text FROM {table} ORDER BY ctid")
    ]


def anna() -> Fact:
    return fact("shop", Words("a", "petrova@firm.org", PHONE, given_name="Anna", family_name="Petrova"), day(1))


def ana(number: int = 2, *, family: str = "Petrova", given: str = "Ana", phone: str = PHONE) -> Fact:
    """The same woman, most likely: another address, a letter less."""
    return fact("desk", Words("b", "petrova@other.org", phone, given_name=given, family_name=family), day(number))


async def two(pool: Pool) -> Key:
    """Two look-alikes in the queue."""
    one, other = anna(), ana()
    await hear(pool, one, other)
    (pair,) = await pairs(pool)
    assert pair["state"] == "open"
    return key_of(record(one), record(other))


async def state(pool: Pool, pair: Key) -> str:
    (found,) = [one for one in await pairs(pool) if (one["rec_a"], one["rec_b"]) == pair]
    return str(found["state"])


async def test_look_alikes_are_in_the_queue_with_reasons_and_others_are_not(pool: Pool) -> None:
    one, other = anna(), ana()
    await hear(pool, one, other, fact("shop", Words("z", "zed@firm.org", given_name="Zed", family_name="Quill")))
    (pair,) = await pairs(pool)
    assert {pair["rec_a"], pair["rec_b"]} == {record(one), record(other)}
    assert (pair["state"], pair["source"], pair["refusal"], pair["band"]) == ("open", "score", None, "likely")
    reasons = {trait: level for trait, level, _ in orjson.loads(pair["reasons"])}
    assert (reasons["family"], reasons["phone"], reasons["street"]) == ("the same", "the same", "not known")


async def test_whoever_comes_later_or_at_the_same_moment_finds_the_other(pool: Pool) -> None:
    await hear(pool, anna())
    assert await pairs(pool) == []
    other, late = ana(), fact("crm", Words("c", "petrova@third.org", PHONE, given_name="Anna", family_name="Petrov"))
    await write(pool, [other, late])
    await asyncio.gather(look(pool, [told(record(other))]), look(pool, [told(record(late))]))
    assert len(await pairs(pool, "open")) == 3


async def test_a_replay_from_the_start_writes_nothing(pool: Pool) -> None:
    pair = await two(pool)
    _, heard = await decide(pool, pair, "different")
    await look(pool, heard)
    await hear(pool, fact("crm", Words("c", "petrova@third.org", PHONE, given_name="Anna", family_name="Petrov")))
    before = await untouched(pool)
    assert [one["state"] for one in await pairs(pool)].count("open") == 2
    await look(pool, [told(one) for one in sorted(await living(pool))])
    for one in [*map(told, sorted(await living(pool))), *heard]:
        await look(pool, [one])
    assert await untouched(pool) == before


async def test_a_lost_queue_comes_back_by_a_replay(pool: Pool) -> None:
    await two(pool)
    columns = "rec_a, rec_b, source, band, weight, probability, reasons::text, fingerprint, weights, state"
    before = await pool.fetch(f"SELECT {columns} FROM suspect_pair")
    await pool.execute("TRUNCATE suspect_pair, block_key")
    await look(pool, [told(one) for one in sorted(await living(pool))])
    assert await pool.fetch(f"SELECT {columns} FROM suspect_pair") == before


async def test_who_turns_out_to_be_somebody_else_leaves_the_queue(pool: Pool) -> None:
    one, other = ana(1, phone=""), fact("shop", Words("a", "petrova@firm.org", given_name="Ana", family_name="Petrova"))
    await hear(pool, one, other)
    assert len(await pairs(pool, "open")) == 1
    await hear(pool, ana(9, family="Quill", given="Zoe", phone=""))
    assert await pairs(pool) == []
    keys = {row[0] for row in await pool.fetch("SELECT key FROM block_key WHERE profile_id = $1", record(one))}
    assert keys == block_keys(Traits("zoe", "quill", emails=("petrova@other.org",)))


async def test_a_pair_that_a_rule_joins_is_superseded_and_nobody_is_found_under_the_old_id(pool: Pool) -> None:
    pair = await two(pool)
    joining = fact("shop", Words("a", "petrova@other.org", PHONE, given_name="Anna", family_name="Petrova"), day(3))
    await hear(pool, joining)
    assert len(await living(pool)) == 1
    assert await state(pool, pair) == "superseded"
    assert {row[0] for row in await pool.fetch("SELECT profile_id FROM block_key")} == await living(pool)
    with pytest.raises(Conflict, match="nothing left to decide"):
        await duplicates.decide(pool, pair, "same", SAM, never)


async def test_an_older_record_gives_the_profile_another_id_and_the_pair_goes_with_it(pool: Pool) -> None:
    pair = await two(pool)
    older = fact("crm", Words("o", "petrova@firm.org", given_name="Anna", family_name="Petrova"), day(0))
    await hear(pool, older)
    assert await state(pool, pair) == "superseded"
    (found,) = await pairs(pool, "open")
    assert {found["rec_a"], found["rec_b"]} == {record(older), record(ana())}


async def test_somebody_who_is_erased_leaves_the_queue(pool: Pool) -> None:
    pair = await two(pool)
    await pool.execute("DELETE FROM profile WHERE profile_id = $1", pair[0])
    await pool.execute("DELETE FROM source_record WHERE record_id = $1", pair[0])
    await look(pool, [Record("profiles", 0, 0, 0, as_text(pair[0]).encode(), None, [])])
    assert await state(pool, pair) == "superseded"
    assert await pool.fetchval("SELECT count(*) FROM block_key WHERE profile_id = $1", pair[0]) == 0


async def test_same_makes_one_profile_and_an_undo_opens_the_pair_again(pool: Pool) -> None:
    pair = await two(pool)
    decision, heard = await decide(pool, pair, "same")
    assert await state(pool, pair) == "confirmed"
    await look(pool, heard)
    assert (await state(pool, pair), len(await living(pool))) == ("confirmed", 1)
    await made(pool, await deciding.withdraw(pool, decision, SAM))
    assert (await state(pool, pair), len(await living(pool))) == ("open", 2)
    again, heard = await decide(pool, pair, "same")
    await look(pool, heard)
    assert again != decision
    assert (await state(pool, pair), len(await living(pool))) == ("confirmed", 1)


async def test_different_stays_rejected_until_it_is_withdrawn(pool: Pool) -> None:
    """Nobody moves by either decision, so no profile is told: the worker hears of them on `inbound.hub`."""
    pair = await two(pool)
    decision, heard = await decide(pool, pair, "different")
    for _ in range(2):
        assert await state(pool, pair) == "rejected"
        await look(pool, [*heard, *map(told, pair)])
    await made(pool, await deciding.withdraw(pool, decision, SAM))
    assert await state(pool, pair) == "open"
    again, heard = await decide(pool, pair, "different")
    await look(pool, heard)
    assert again != decision
    assert await state(pool, pair) == "rejected"


async def test_a_decision_on_its_way_is_not_forgotten_by_a_look_at_its_people(pool: Pool) -> None:
    pair = await two(pool)
    sent: list[Deed] = []

    async def send(*deeds: Deed) -> None:
        sent.extend(deeds)

    await duplicates.decide(pool, pair, "different", SAM, send)
    await look(pool, map(told, pair))
    assert await state(pool, pair) == "rejected"
    await do(pool, sent)
    await look(pool, events(sent))
    assert await state(pool, pair) == "rejected"


async def test_a_rejected_pair_comes_back_when_the_two_say_something_new(pool: Pool) -> None:
    pair = await two(pool)
    _, heard = await decide(pool, pair, "different")
    await look(pool, heard)
    await hear(pool, ana(5, given="Anna"))
    for _ in range(2):
        assert await state(pool, pair) == "open"
        await look(pool, [*heard, *map(told, pair)])
    (before,) = (await duplicates.whole(pool, pair))["before"]
    assert (before["type"], before["by"], before["in_force"]) == ("records.parted", "sam", True)
    _, heard = await decide(pool, pair, "different")
    await look(pool, heard)
    assert await state(pool, pair) == "rejected"
    await hear(pool, ana(6, given="Anne"))
    _, heard = await decide(pool, pair, "same")
    await look(pool, heard)
    assert (await state(pool, pair), len(await living(pool))) == ("confirmed", 1)


async def test_what_was_decided_elsewhere_is_decided_here(pool: Pool) -> None:
    pair = await two(pool)
    one, other = map(as_text, pair)
    parted = await deciding.part(pool, one, other, SAM)
    await made(pool, parted)
    (found,) = await pairs(pool)
    assert (found["state"], found["decided_by"]) == ("rejected", "sam")
    await made(pool, await deciding.merge(pool, one, other, Author("ann")))
    (found,) = await pairs(pool)
    assert (found["state"], found["decided_by"]) == ("confirmed", "ann")


async def test_two_accounts_of_one_source_under_one_address_are_asked_about_with_the_reason(pool: Pool) -> None:
    facts = [fact("shop", Words(key, "kim@firm.org", given_name="Kim"), day(n)) for n, key in enumerate("ab", 1)]
    await hear(pool, *facts)
    (pair,) = await pairs(pool)
    assert (pair["source"], pair["state"]) == ("refused", "open")
    assert pair["refusal"] == "both state the e-mail kim@firm.org, but: two accounts of one source"
    shown = await duplicates.whole(pool, key_of(*map(record, facts)))
    assert shown["why"] == pair["refusal"]
    _, heard = await decide(pool, key_of(*map(record, facts)), "different")
    await look(pool, heard)
    assert len(await pairs(pool, "rejected")) == 1


async def test_what_only_strangers_say_is_no_case(pool: Pool) -> None:
    address = "kim@firm.org"
    facts = [
        fact("shop", Words("a", address, given_name="Kim"), day(1)),
        fact("web", Words(email=address), day(2)),
        fact("web", Words(email=address, given_name="Bob"), day(3)),
    ]
    await hear(pool, *facts)
    refused = [one["sentence"] for one in (await why(pool, as_text(record(facts[0]))))["apart"]]
    assert any("two given names" in one for one in refused)
    assert [one for one in await pairs(pool) if one["source"] == "refused"] == []


async def test_a_key_that_too_many_have_is_left_out_and_counted(pool: Pool) -> None:
    def left_out() -> float:
        return REGISTRY.get_sample_value("hub_duplicates_blocks_left_out_total") or 0.0

    def one_of_many(number: int, source: str = "shop", more: str = "") -> Fact:
        own = event_id("name", str(number)).hex().translate(str.maketrans("0123456789", "ghijklmnop"))
        given, family = f"Ann{own[:8]}", f"Lees{own[8:]}{more}"
        return fact(source, Words(own, f"{own}{more}@{source}.org", given_name=given, family_name=family))

    await hear(pool, *(one_of_many(number) for number in range(MOST_IN_BLOCK)))
    before = left_out()
    await hear(pool, one_of_many(1, "desk", "x"))
    assert left_out() - before == len({"f", "w"})
    assert await pairs(pool) == []
    await hear(pool, one_of_many(1, "desk"))
    assert len(await pairs(pool)) == 1, "under another key they are found"


async def test_of_two_who_decide_at_once_the_second_hears_who_decided_what(pool: Pool) -> None:
    pair = await two(pool)
    deciders = (decide(pool, pair, "same", Author("ann")), decide(pool, pair, "different", Author("bob")))
    answers = await asyncio.gather(*deciders, return_exceptions=True)
    assert sum(isinstance(one, Conflict) for one in answers) == 1, answers
    (refused,) = [one for one in answers if isinstance(one, Conflict)]
    by, said = {"confirmed": ("ann", "one person"), "rejected": ("bob", "two people")}[await state(pool, pair)]
    assert str(refused).startswith(f"{by} decided at ")
    assert f"that they are {said} (decision " in str(refused)
    assert await pool.fetchval("SELECT count(*) FROM activity WHERE source = 'hub'") == 1


async def test_nothing_is_noted_where_kafka_does_not_answer(pool: Pool) -> None:
    pair = await two(pool)

    async def away(*_: Deed) -> None:
        raise Retry("Kafka does not answer")

    with pytest.raises(Retry):
        await duplicates.decide(pool, pair, "same", SAM, away)
    assert await state(pool, pair) == "open"


async def test_a_decision_that_is_not_written_yet_is_waited_for(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = await two(pool)
    draft = await deciding.part(pool, as_text(pair[0]), as_text(pair[1]), SAM)
    monkeypatch.setattr("consumers.duplicates.WAIT_SECONDS", 0.0)
    with pytest.raises(Retry, match="not written yet"):
        await look(pool, events(draft.deeds))
    monkeypatch.setattr("consumers.duplicates.WAIT_SECONDS", 20.0)
    await asyncio.gather(look(pool, events(draft.deeds)), do(pool, draft.deeds))
    assert await state(pool, pair) == "rejected"


async def test_a_decision_that_was_given_up_on_is_not_waited_for(pool: Pool) -> None:
    pair = await two(pool)
    draft = await deciding.part(pool, as_text(pair[0]), as_text(pair[1]), SAM)
    heard = events(draft.deeds)
    await past(pool)
    await look(pool, heard)
    assert await state(pool, pair) == "open"


async def test_a_pair_is_told_side_by_side_with_what_would_become_of_whom(pool: Pool) -> None:
    pair = await two(pool)
    shown = Duplicate.model_validate(await duplicates.whole(pool, pair)).model_dump()
    assert (shown["band"], shown["chance"], shown["state"]) == ("likely", "99 in 100", "open")
    verdicts = {row["field"]: row["verdict"] for row in shown["fields"]}
    expected = {"given_name": "similar", "family_name": "equal", "phone": "equal", "email": "similar"}
    assert {field: verdicts[field] for field in expected} == expected
    (merge,) = shown["same"]["merges"]
    assert {merge["profile_id"], *merge["absorbed"]} == {as_text(one) for one in pair}
    assert await state(pool, pair) == "open"


async def test_the_queue_comes_in_pages_the_surest_first(pool: Pool) -> None:
    await two(pool)
    await hear(pool, fact("crm", Words("c", "petrova@third.org", PHONE, given_name="Anna", family_name="Petrov")))
    await hear(pool, *(fact("shop", Words(key, "kim@firm.org", given_name="Kim"), day(7)) for key in "ef"))
    found, before = [], None
    while True:
        page = DuplicatePage.model_validate(await duplicates.page(pool, limit=1, before=before)).model_dump()
        found += page["duplicates"]
        if (before := page["next"]) is None:
            break
    assert [one["id"] for one in found] == [one["id"] for one in (await duplicates.page(pool))["duplicates"]]
    assert len(found) == 4
    likely = await duplicates.page(pool, band="likely")
    assert likely["duplicates"] == [one for one in found if one["band"] == "likely"]
    with pytest.raises(Reject, match="`next` of a page"):
        await duplicates.page(pool, before="tomorrow")


def test_what_is_no_profile_is_unreadable_and_what_is_no_decision_is_nobody_s_business() -> None:
    room = Duplicates()
    with pytest.raises(Unreadable):
        room.read(Record("profiles", 0, 0, 0, b"ann", b"{}", []))
    assert room.read(Record("eu.inbound.hub", 0, 0, 0, None, b"no event", [])) == Heard(())
