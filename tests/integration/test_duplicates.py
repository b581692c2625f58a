"""The queue of suspected duplicates on a real PostgreSQL: who comes in, and who leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from consumers.duplicates import Duplicates, Heard
from hub.api import duplicates
from hub.api.problems import Conflict
from hub.api.why import why
from hub.components import Record
from hub.errors import Unreadable
from hub.identity.evidence import Fact, Words
from hub.identity.ids import as_text, event_id
from hub.identity.suspects import MOST_IN_BLOCK, Traits, block_keys
from hub.storage.pool import Pool
from hub.storage.suspects import key_of
from tests.support.line import batch_connections, write
from tests.support.memory import day, fact, record
from tests.support.queue import (
    PHONE,
    SAM,
    ana,
    anna,
    decide,
    hear,
    living,
    look,
    never,
    pairs,
    state,
    told,
    two,
    untouched,
)

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url) as connections:
        yield connections


async def test_look_alikes_are_in_the_queue_with_reasons_and_others_are_not(pool: Pool) -> None:
    one, other = anna(), ana()
    await hear(pool, one, other, fact("shop", Words("z", "zed@firm.org", given_name="Zed", family_name="Quill")))
    (pair,) = await pairs(pool)
    assert {pair["rec_a"], pair["rec_b"]} == {record(one), record(other)}
    assert (pair["state"], pair["source"], pair["band"]) == ("open", "refused", "likely")
    assert pair["refusal"] == f"both state the phone {PHONE}, but: two full names"
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


def test_what_is_no_profile_is_unreadable_and_what_is_no_decision_is_nobody_s_business() -> None:
    room = Duplicates()
    with pytest.raises(Unreadable):
        room.read(Record("profiles", 0, 0, 0, b"ann", b"{}", []))
    assert room.read(Record("eu.inbound.hub", 0, 0, 0, None, b"no event", [])) == Heard(())
