"""Owner, stage, tags and notes in the real PostgreSQL: lines, facts, timelines, replays, and who is erased."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from consumers import slow_lane
from consumers.profiles import Profiles
from hub.api import people, remarking
from hub.api.app import create_app
from hub.api.remarking import Author
from hub.cache import LocalHints
from hub.errors import Reject
from hub.identity.decisions import SAME, WITHDRAWN
from hub.identity.erasure import again
from hub.identity.evidence import Fact, Words
from hub.identity.ids import as_text
from hub.identity.remarks import ADDED, OWNER, REMOVED, STAGE
from hub.settings import check
from hub.storage.pool import Pool
from tests.support.crowd import a_crowd, decisions_among
from tests.support.histories import batches
from tests.support.line import audit, batch_connections, cut, deadlocks, jitter, lines, untouched, versions, write
from tests.support.memory import day, decided, erased, fact, record, whole
from tests.support.remarks import ANN, BOB, NOTE, URGENT, VIP, by_rule, on_its_topic, remarks_among, said_of

pytestmark = pytest.mark.integration
ROOM = Profiles(LocalHints(), {})
X, Y = "x@firm.org", "y@firm.org"
HISTORIES = 8
VALUES = {NOTE: ("called",), OWNER: (ANN, BOB, ""), STAGE: ("lead", "customer"), URGENT: (ADDED, REMOVED)}


@pytest_asyncio.fixture
async def batch_pool(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url) as connections:
        yield connections


def said(target: Fact, field: str, value: str, at: str, by: str = "eve") -> Fact:
    """A remark as it comes back from its topic."""
    return ROOM.read(on_its_topic(said_of(record(target), field, value, at, by=by)))


async def facts_lines(pool: Pool) -> tuple[bytes, ...]:
    """What `--facts` prints, a line per profile."""
    return await lines(pool, facts=True)


async def timeline(pool: Pool, of: Fact) -> list[str]:
    found: dict[str, Any] = await people.timeline_page(pool, record(of), 50, None)
    return [entry["type"] for entry in found["entries"]]


async def takes(pool: Pool, facts: list[Fact]) -> None:
    await write(pool, facts)
    while await slow_lane.once(pool, ROOM):
        pass


def a_history(chance: random.Random) -> list[Fact]:
    """A few people who may be one, and what persons and rules say of them; in half of the cases one is erased."""
    said_by = [
        fact("shop", Words("a", X, given_name="Ann"), day(1)),
        fact("web", Words(email=X, given_name="Ann"), day(3)),
        fact("crm", Words("b", Y, given_name="Bob"), day(2)),
        fact("desk", Words("c", X, phone="+4930901820"), day(4)),
    ]
    found = list(said_by)
    for _ in range(chance.randint(3, 12)):
        field = chance.choice(list(VALUES))
        by = chance.choice(("eve", "rule:welcome") if field else ("eve",))
        at = day(chance.choice((1, 2, 3, 9)))
        found.append(said(chance.choice(said_by), field, chance.choice(VALUES[field]), at, by))
    one, other = chance.sample(said_by, 2)
    merge = decided(SAME, [record(one)], [record(other)], day(5))
    found.append(merge)
    if chance.random() < 0.5:
        found.append(decided(WITHDRAWN, [record(one)], [record(other)], day(6), withdraws=[merge]))
    if chance.random() < 0.5:
        found.append(erased([record(chance.choice(said_by))], at=day(7)))
    return found


async def test_any_order_comes_to_the_lines_and_the_facts_of_one_look_and_a_replay_writes_nothing(
    batch_pool: Pool,
) -> None:
    for number in range(HISTORIES):
        chance = random.Random(number)
        for table in ("source_record", "identifier", "claim", "link_group", "profile", "activity", "erasure",
                      "link_decision", "membership_log", "identity_op", "outbox", "slow_lane"):  # fmt: skip
            await batch_pool.execute(f"DELETE FROM {table}")
        history = a_history(chance)
        for batch in batches(history, chance):
            await takes(batch_pool, list(batch))
        expected = whole(history)
        assert (await lines(batch_pool), await facts_lines(batch_pool)) == (expected.lines, expected.facts)
        if not any(one.erasure for one in history):
            without = whole([one for one in history if not by_rule(one)])
            assert await facts_lines(batch_pool) == without.lines
        await audit(batch_pool)
        before = await untouched(batch_pool)
        await takes(batch_pool, chance.sample(history, len(history)))
        assert await untouched(batch_pool) == before


async def test_what_rules_set_is_left_out_of_the_facts_and_comes_and_goes_with_a_person_s_word(
    batch_pool: Pool,
) -> None:
    ann = fact("shop", Words("a", X))
    await write(batch_pool, [ann])
    plain = await lines(batch_pool)
    await write(batch_pool, [said(ann, OWNER, ANN, day(2), "rule:turn")])
    assert await facts_lines(batch_pool) == plain != await lines(batch_pool)
    await write(batch_pool, [fact("web", Words(email=X))])
    assert await facts_lines(batch_pool) != await lines(batch_pool)
    await write(batch_pool, [said(ann, OWNER, ANN, day(1))])
    assert await facts_lines(batch_pool) == await lines(batch_pool)
    assert await batch_pool.fetchval("SELECT count(*) FROM profile WHERE facts IS NOT NULL") == 0


async def test_notes_are_on_the_timeline_and_what_is_set_is_in_the_line_alone(batch_pool: Pool) -> None:
    ann = fact("shop", Words("a", X))
    remarks = [said(ann, NOTE, "called", day(2)), said(ann, STAGE, "lead", day(3)), said(ann, VIP, ADDED, day(4))]
    await write(batch_pool, [ann, *remarks])
    assert await timeline(batch_pool, ann) == ["note.added", "contact.updated"]
    (line,) = map(orjson.loads, await lines(batch_pool))
    assert (line["activities"], line["stage"], line["tags"]) == (2, "lead", ["vip"])
    kinds = await batch_pool.fetch("SELECT type FROM activity WHERE record_id = $1 ORDER BY at", record(ann))
    assert [row[0] for row in kinds] == ["contact.updated", "note.added", "stage.set", "tag.added"]


async def test_what_happened_is_told_with_the_profile_and_no_version_where_nothing_changed(batch_pool: Pool) -> None:
    ann = fact("shop", Words("a", X))
    await write(batch_pool, [ann, said(ann, STAGE, "lead", day(2))])
    assert await versions(batch_pool) == {record(ann): 1}
    await batch_pool.execute("DELETE FROM outbox")
    await write(batch_pool, [said(ann, STAGE, "customer", day(3), "rule:first order")])
    assert await versions(batch_pool) == {record(ann): 1}
    (row,) = await batch_pool.fetch("SELECT body FROM outbox")
    assert '"stage.set"' in row[0]
    assert as_text(record(ann)) in row[0]
    assert '"profile.updated"' not in row[0]
    await audit(batch_pool)


async def test_a_word_on_a_record_that_nobody_has_heard_of_waits_on_a_bare_row(batch_pool: Pool) -> None:
    ann = fact("shop", Words("a", X))
    await write(batch_pool, [said(ann, STAGE, "lead", day(2)), said(ann, NOTE, "called", day(2))])
    assert await lines(batch_pool) == ()
    await audit(batch_pool)
    assert await batch_pool.fetchval("SELECT count(*) FROM outbox") == 0
    await write(batch_pool, [ann])
    (line,) = map(orjson.loads, await lines(batch_pool))
    assert (line["stage"], line["activities"]) == ("lead", 2)
    await audit(batch_pool)


async def test_no_row_keeps_a_word_on_who_is_erased(batch_pool: Pool) -> None:
    ann, bob = fact("shop", Words("a", X)), fact("crm", Words("b", Y))
    words = [
        said(ann, NOTE, "Annabella's lamp", day(2)), said(ann, OWNER, "keeper@firm.example", day(2)),
        said(ann, URGENT, ADDED, day(2)),
    ]  # fmt: skip
    late = said(ann, STAGE, "Annabella's stage", day(9))
    await takes(batch_pool, [ann, bob, *words, erased([record(ann)], at=day(3))])
    for _ in range(2):
        await takes(batch_pool, [late, *words])
        await batch_pool.execute("DELETE FROM outbox")
        rows = [row[0] for table in ("activity", "source_record", "profile")
                for row in await batch_pool.fetch(f"SELECT t::text FROM {table} t")]  # fmt: skip
        for word in ("nnabella", "keeper", "urgent"):
            assert word not in "\n".join(rows), word
    assert await lines(batch_pool) == whole([bob]).lines
    await audit(batch_pool)


@pytest.mark.parametrize("number", range(4))
async def test_a_word_on_who_comes_back_may_be_heard_before_the_erasure(batch_pool: Pool, number: int) -> None:
    ann = fact("kiosk", Words(phone="+493012345678", given_name=f"Ann{number}"), day(9))
    history = [said_of(again(record(ann)), NOTE, "called", day(9)), ann, erased([record(ann)], at=day(3))]
    for one in history:
        await takes(batch_pool, [one])
    assert await lines(batch_pool) == whole(history).lines
    await audit(batch_pool)
    assert await batch_pool.fetchval("SELECT count(*) FROM identifier") == 1


async def test_a_deed_names_the_founder_and_comes_after_whatever_was_set_before(batch_pool: Pool) -> None:
    ann, crm = fact("shop", Words("a", X)), fact("crm", Words("b", X), day(2))
    await write(batch_pool, [ann, crm, said(crm, STAGE, "lead", "2031-01-01T00:00:00.000Z")])
    draft = await remarking.draft(batch_pool, as_text(record(crm)), "stage.set", {"stage": " customer "}, Author("eve"))
    assert draft.profile == record(ann)
    assert draft.deed.data == {"by": "eve", "record": as_text(record(ann)), "stage": "customer"}
    assert draft.deed.at == "2031-01-01T00:00:00.001Z"


async def test_one_key_is_one_word_of_one_author(batch_pool: Pool) -> None:
    ann = fact("shop", Words("a", X))
    await write(batch_pool, [ann])

    async def event(event_type: str, author: Author, **words: str) -> bytes:
        draft = await remarking.draft(batch_pool, as_text(record(ann)), event_type, words, author)
        return draft.deed.event

    first = await event("note.added", Author("eve", "1"), text="a")
    assert await event("note.added", Author("eve", "1"), text="a") == first
    others = [
        await event("note.added", Author("eve"), text="a"),
        await event("note.added", Author("joe", "1"), text="a"),
        await event("stage.set", Author("eve", "1"), stage="a"),
    ]
    assert len({first, *others}) == 4


@pytest.mark.parametrize(
    ("event_type", "words", "field"),
    [("owner.assigned", {"owner": "nobody"}, "owner"), ("stage.set", {"stage": " "}, "stage"),
     ("call.logged", {"text": "x", "duration_seconds": -1}, "duration_seconds")],
)  # fmt: skip
async def test_what_the_room_would_not_read_is_not_said(
    batch_pool: Pool, event_type: str, words: dict[str, Any], field: str
) -> None:
    ann = fact("shop", Words("a", X))
    await write(batch_pool, [ann])
    with pytest.raises(Reject) as wrong:
        await remarking.draft(batch_pool, as_text(record(ann)), event_type, words, Author("eve"))
    assert (wrong.value.field, "regex" in str(wrong.value)) == (field, False)


async def test_four_writers_with_remarks_end_where_one_would(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)
    jitter(monkeypatch, chance)
    facts = a_crowd(17, 150)
    known = sorted({record(one) for one in facts if one.who})
    made = [*decisions_among(known, chance, 8), *remarks_among([*known, b"\x07" * 16], chance, 80)]
    waiting = deque(cut([*facts, *made, *made[::3]], chance, 20))

    async def writer(pool: Pool) -> None:
        while waiting:
            await write(pool, waiting.popleft(), tries=20)

    async with batch_connections(database_url) as pool:
        await asyncio.gather(*(writer(pool) for _ in range(4)))
        expected = whole([*facts, *made])
        assert (await lines(pool), await facts_lines(pool)) == (expected.lines, expected.facts)
        await audit(pool)
    assert await deadlocks(database_url) == 0


async def no_lag() -> dict[str, Any]:
    return {}


Ask = Callable[..., Coroutine[Any, Any, httpx.Response]]


@pytest_asyncio.fixture
async def ask(pool: Pool) -> AsyncIterator[Ask]:
    """What the console answers where somebody says something of nobody, or says it wrongly."""
    keys = {"eve": {"secret": "w", "scopes": ["profiles:write"]}, "joe": {"secret": "r", "scopes": ["profiles:read"]}}
    transport = httpx.ASGITransport(app=create_app(check({"keys": keys}), pool, no_lag, {}))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:

        async def answer(path: str, body: object, secret: str = "w") -> httpx.Response:
            where = f"/api/profiles/{as_text(b'x' * 16)}/{path}"
            return await client.post(where, json=body, headers={"authorization": f"Bearer {secret}"})

        yield answer


GOOD = {"owner": {"owner": None}, "stage": {"stage": "lead"}, "tags": {"tag": "vip"}, "notes": {"text": "x"},
        "calls": {"text": "x", "outcome": "y", "duration_seconds": 3}}  # fmt: skip
BAD = [("owner", {}), ("owner", {"owner": "eve"}), ("stage", {"stage": " "}), ("tags", {"tag": "x" * 101}),
       ("tags", {"tag": "x", "remove": "yes"}), ("notes", {"text": ""}), ("notes", {"text": "x", "more": 1}),
       ("calls", {"text": "x", "duration_seconds": -1})]  # fmt: skip


@pytest.mark.parametrize("path", GOOD)
async def test_only_a_key_that_may_write_says_something_and_of_somebody(ask: Ask, path: str) -> None:
    assert (await ask(path, GOOD[path], "r")).status_code == 403
    assert (await ask(path, GOOD[path])).status_code == 404


@pytest.mark.parametrize(("path", "body"), BAD)
async def test_what_is_said_wrongly_is_refused(ask: Ask, path: str, body: dict[str, Any]) -> None:
    assert (await ask(path, body)).status_code == 422
