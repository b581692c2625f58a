"""Merge, live on, unmerge: in the real PostgreSQL both people are what they would have been."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from consumers.profiles import Profiles
from hub.api import deciding
from hub.api.deciding import Author, Draft
from hub.api.why import why
from hub.cache import LocalHints
from hub.components import Record
from hub.errors import Reject
from hub.identity.evidence import Fact, Words
from hub.identity.ids import as_text
from hub.storage.pool import Pool
from tests.support.crowd import a_crowd, decisions_among
from tests.support.line import audit, batch_connections, cut, deadlocks, jitter, lines, untouched, versions, write
from tests.support.memory import day, fact, record, whole

pytestmark = pytest.mark.integration
X, Y = "x@firm.org", "y@firm.org"
ANN = Author("ann", "they said so")


@pytest_asyncio.fixture
async def batch_pool(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url) as connections:
        yield connections


def read(draft: Draft) -> list[Fact]:
    """The facts of a draft, as they come back from its topic."""
    room, facts = Profiles(LocalHints(), {}), []
    for one in draft.deeds:
        headers = {
            "ce_specversion": b"1.0", "ce_id": as_text(one.event).encode(), "ce_source": b"hub", "ce_edge": b"hub",
            "ce_type": one.type.encode(), "ce_time": one.at.encode(), "ce_receivedtime": one.at.encode(),
        }  # fmt: skip
        facts.append(
            room.read(Record("inbound.hub", 0, 0, 1_795_305_600_000, None, orjson.dumps(one.data), [*headers.items()]))
        )
    return facts


def ann_s(number: int = 40) -> list[Fact]:
    """One person: an account, and forms under one address."""
    forms = [fact("web", Words(email=X, given_name="Ann"), day(2 + n), natural_id=f"ann {n}") for n in range(number)]
    return [fact("shop", Words("a", X, given_name="Ann"), day(1), natural_id="ann"), *forms]


def zed_s(number: int = 40) -> list[Fact]:
    forms = [fact("web", Words(email=Y, given_name="Zed"), day(2 + n), natural_id=f"zed {n}") for n in range(number)]
    return [fact("crm", Words("z", Y, given_name="Zed"), day(1), natural_id="zed"), *forms]


async def timelines(pool: Pool) -> list[tuple[object, ...]]:
    rows = await pool.fetch(
        """
        SELECT r.profile_id, a.event_id, a.type, a.at FROM activity a JOIN source_record r USING (record_id)
        ORDER BY 1, 4, 2
        """
    )
    return [tuple(row) for row in rows]


async def test_merge_live_on_and_unmerge_and_both_are_as_if_it_had_never_been(batch_pool: Pool) -> None:
    ann, zed = ann_s(), zed_s()
    await write(batch_pool, [*ann[:20], *zed[:20]])
    one, other = (as_text(record(facts[0])) for facts in (ann, zed))
    merging = await deciding.merge(batch_pool, one, other, ANN)
    await write(batch_pool, read(merging))
    assert len(await lines(batch_pool)) == 1
    await write(batch_pool, [*ann[20:30], *zed[20:30]])
    operation = (await why(batch_pool, one))["operations"][0]
    assert operation["cause_type"] == "records.merged"
    await write(batch_pool, read(await deciding.part_operation(batch_pool, operation["operation"], ANN)))
    await write(batch_pool, [*ann[30:], *zed[30:]])
    expected = whole([*ann, *zed])
    assert await lines(batch_pool) == expected.lines
    assert {len(line) for line in await lines(batch_pool)} == {len(line) for line in expected.lines}
    told = await timelines(batch_pool)
    assert {row[0] for row in told} == {record(ann[0]), record(zed[0])}
    assert len(told) == len(ann) + len(zed)
    await audit(batch_pool)


async def test_what_rules_joined_can_be_parted_and_stays_apart(batch_pool: Pool) -> None:
    """An account stated both addresses and was wrong; what it joined is undone by the operation's number."""
    ann, zed = fact("shop", Words("a", X), day(1)), fact("crm", Words("z", Y), day(2))
    wrong = fact("shop", Words("a", Y), day(3))
    for one in (ann, zed, wrong):
        await write(batch_pool, [one])
    (operation,) = (await why(batch_pool, as_text(record(ann))))["operations"]
    assert operation["cause"] == wrong.id
    draft = await deciding.part_operation(batch_pool, operation["operation"], ANN)
    shown = deciding.preview(draft)
    assert shown["splits"] == [{"profile_id": as_text(record(ann)), "parts": [as_text(record(zed))]}]
    facts = [ann, zed, wrong, *read(draft), fact("web", Words(email=Y), day(5))]
    await write(batch_pool, facts[3:])
    assert await lines(batch_pool) == whole(facts).lines
    explained = await why(batch_pool, as_text(record(ann)))
    assert [one["refusal"] for one in explained["apart"]] == ["a decision keeps them apart"] * len(explained["apart"])
    assert explained["apart"]
    assert explained["decisions"][0]["in_force"]
    await audit(batch_pool)


async def test_a_decision_twice_writes_nothing(batch_pool: Pool) -> None:
    ann, zed = ann_s(1), zed_s(1)
    await write(batch_pool, [*ann, *zed])
    facts = read(await deciding.merge(batch_pool, as_text(record(ann[0])), as_text(record(zed[0])), ANN))
    await write(batch_pool, facts)
    before = await untouched(batch_pool)
    await write(batch_pool, facts)
    assert await untouched(batch_pool) == before


async def test_records_are_taken_out_of_a_profile_and_put_back(batch_pool: Pool) -> None:
    facts = [
        fact("shop", Words("a", X), day(1)),
        fact("crm", Words("b", X), day(2)),
        fact("desk", Words("c", X), day(3)),
    ]
    await write(batch_pool, facts)
    identity = as_text(record(facts[0]))
    out = await deciding.extract(batch_pool, identity, ["crm:b", as_text(record(facts[2]))], ANN)
    await write(batch_pool, read(out))
    assert await versions(batch_pool) == {record(facts[0]): 2, record(facts[1]): 2}
    told = (await why(batch_pool, identity))["decisions"]
    back = await deciding.withdraw(batch_pool, told[0]["id"], ANN)
    await write(batch_pool, read(back))
    assert await lines(batch_pool) == whole(facts).lines
    assert [one["in_force"] for one in (await why(batch_pool, identity))["decisions"]] == [False, False]
    await audit(batch_pool)


async def test_merging_again_what_was_parted_takes_the_cut_back(batch_pool: Pool) -> None:
    facts = [fact("shop", Words("a", X), day(1)), fact("crm", Words("b", X), day(2)), fact("web", Words(email=X))]
    await write(batch_pool, facts)
    one, other = as_text(record(facts[0])), as_text(record(facts[1]))
    await write(batch_pool, read(await deciding.extract(batch_pool, one, ["crm:b"], ANN)))
    assert len(await lines(batch_pool)) == 2
    await write(batch_pool, read(await deciding.merge(batch_pool, other, one, ANN)))
    assert await lines(batch_pool) == whole(facts).lines


@pytest.mark.parametrize(
    ("records", "field"), [(["shop:a", "crm:b"], "records"), (["nobody:7"], "records"), (["shop:zzz"], "records")]
)
async def test_what_cannot_be_taken_out_is_refused_by_name(batch_pool: Pool, records: list[str], field: str) -> None:
    facts = [fact("shop", Words("a", X)), fact("crm", Words("b", X))]
    await write(batch_pool, facts)
    with pytest.raises(Reject) as refused:
        await deciding.extract(batch_pool, as_text(record(facts[0])), records, ANN)
    assert refused.value.field == field


async def test_a_merge_of_one_person_with_themselves_is_refused(batch_pool: Pool) -> None:
    facts = [fact("shop", Words("a", X), day(1)), fact("crm", Words("b", X), day(2))]
    await write(batch_pool, facts)
    one, other = (as_text(record(one)) for one in facts)
    with pytest.raises(Reject, match="one person already"):
        await deciding.merge(batch_pool, one, other, ANN)


@pytest.mark.parametrize("most", [1, 5, 40])
async def test_decisions_among_events_come_to_the_same_bytes_in_any_order(batch_pool: Pool, most: int) -> None:
    chance = random.Random(most)
    facts = a_crowd(3, 120)
    known = sorted({one.who.record for one in facts if one.who})
    made = decisions_among(known, chance)
    for batch in cut([*facts, *made, *made[::2]], chance, most):
        await write(batch_pool, batch)
    assert await lines(batch_pool) == whole([*facts, *made]).lines
    await audit(batch_pool)


async def test_four_writers_with_decisions_end_where_one_would(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(5)
    jitter(monkeypatch, chance)
    facts = a_crowd(31, 200)
    made = decisions_among(sorted({one.who.record for one in facts if one.who}), chance, 20)
    waiting = deque(cut([*facts, *made, *made[::3]], chance, 20))

    async def writer(pool: Pool) -> None:
        while waiting:
            await write(pool, waiting.popleft(), tries=20)

    async with batch_connections(database_url) as pool:
        await asyncio.gather(*(writer(pool) for _ in range(4)))
        assert await lines(pool) == whole([*facts, *made]).lines
        await audit(pool)
    assert await deadlocks(database_url) == 0
