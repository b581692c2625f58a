"""Deciding about suspected duplicates: what a decision does to a pair, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hub.api import deciding, duplicates
from hub.api.deciding import Author
from hub.api.duplicate_shapes import Duplicate, DuplicatePage
from hub.api.problems import Conflict
from hub.errors import Reject, Retry
from hub.identity.evidence import Words
from hub.identity.ids import as_text
from hub.storage.pool import Pool
from producers.deeds import Deed
from tests.support.line import batch_connections
from tests.support.memory import day, fact
from tests.support.queue import (
    PHONE,
    SAM,
    ana,
    decide,
    do,
    events,
    hear,
    living,
    look,
    made,
    pairs,
    past,
    state,
    told,
    two,
)

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url) as connections:
        yield connections


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


async def test_a_decision_on_its_way_is_not_forgotten_by_a_look_at_its_people(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.api.deciding.WAIT_SECONDS", 0.0)
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
