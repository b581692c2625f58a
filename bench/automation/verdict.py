"""What a storm left behind, and whether it is what had to come of it."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from bench.automation.plan import RULE, Key, Plan, mails
from bench.stage import ends
from hub.settings import Kafka
from hub.storage.pool import Pool, reading
from schemas.outgoing import message_id
from schemas.topics import ACTIVITIES, INBOUND
from tests.support.relay import Relay

MOST_TOLD = 5
READ = """
    SELECT coalesce(sum(next_offset) FILTER (WHERE grp LIKE '%profiles'), 0)::bigint,
           coalesce(sum(next_offset) FILTER (WHERE grp LIKE '%automation'), 0)::bigint,
           (SELECT count(*) FROM (SELECT FROM outbox LIMIT 1) x),
           (SELECT count(*) FROM mail WHERE state IN ('pending', 'sending', 'retry')),
           (SELECT count(*) FROM journey WHERE state = 'working')
    FROM stored_offset
"""


async def asked(pool: Pool, statement: str, *words: Any) -> int:
    """A number. Raises Retry."""
    async with reading(pool) as connection:
        return int(await connection.fetchval(statement, *words) or 0)


async def all_wait(pool: Pool, people: int) -> bool:
    """Whether everybody waits, and was looked at once. Raises Retry."""
    found = await asked(pool, "SELECT count(*) FROM journey WHERE state = 'waiting' AND NOT roused AND NOT fresh")
    return found == people


async def nobody_waits(pool: Pool) -> bool:
    """Whether every journey has ended. Raises Retry."""
    return not await asked(pool, "SELECT count(*) FROM journey WHERE state <> 'ended'")


async def all_mails_out(pool: Pool) -> bool:
    """Whether no mail waits. Raises Retry."""
    return not await asked(pool, "SELECT count(*) FROM mail WHERE state IN ('pending', 'sending', 'retry')")


async def over(pool: Pool, plan: Plan, share: float) -> bool:
    """Whether this share of those who are written to was. Raises Retry."""
    found = await asked(pool, "SELECT count(*) FROM mail")
    return found >= share * len(mails(plan.deeds()))


async def too_old(pool: Pool, orders: int) -> bool:
    """Whether every old order was decided about. Raises Retry."""
    found = await asked(
        pool, "SELECT count(DISTINCT event_id) FROM rule_decision WHERE verdict = 'too_old' AND rule = 'thanks'"
    )
    return found == orders


async def is_quiet(pool: Pool, kafka: Kafka) -> bool:
    """Whether everything was read, said and sent. Raises Retry."""
    async with reading(pool) as connection:
        [row] = await connection.fetch(READ)
    if any(row[2:]):
        return False
    inbound = sum([await ends(kafka, topic.name) for topic in INBOUND])
    return (row[0], row[1]) == (inbound, await ends(kafka, ACTIVITIES.name))


async def ones(pool: Pool, plan: Plan, merged: set[int]) -> bool:
    """Whether exactly these second halves are one with their first. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch(
            """
            SELECT a.event_id, r.profile_id FROM activity a JOIN source_record r USING (record_id)
            WHERE a.event_id = ANY($1::uuid[])
            """,
            [plan.asks(number) for pair in plan.pairs for number in pair[:2]],
        )
    of = {row[0]: row[1] for row in rows}
    return all(
        (of.get(plan.asks(pair.first)) == of.get(plan.asks(pair.second))) is (pair.second in merged)
        for pair in plan.pairs
    )


async def profile_of(pool: Pool, event: bytes) -> bytes:
    """Whose event it is now. Raises Retry."""
    async with reading(pool) as connection:
        found: bytes = await connection.fetchval(
            "SELECT profile_id FROM activity JOIN source_record USING (record_id) WHERE event_id = $1", event
        )
    return found


async def operation_of(pool: Pool, profile: bytes) -> int:
    """The number of the last merge into a profile. Raises Retry."""
    return await asked(pool, "SELECT max(op_id) FROM membership_log WHERE to_profile = $1", profile)


async def read_again(pool: Pool) -> None:
    """Both groups begin at the beginning. Raises Retry."""
    async with reading(pool) as connection:
        await connection.execute("UPDATE stored_offset SET next_offset = 0")


async def everything_done(pool: Pool) -> dict[str, int]:
    """How much rules did, and what came of it. Raises Retry."""
    tables = {"deeds": "ledger", "journeys": "journey", "mails": "mail", "statements": "activity WHERE source = 'hub'"}
    return {name: await asked(pool, f"SELECT count(*) FROM {table}") for name, table in tables.items()}


async def owners(pool: Pool) -> str:
    """How many customers each of the team was given. Raises Retry."""
    return ", ".join(f"{owner} {count:,}" for owner, count in sorted((await _owners(pool)).items()))


async def _owners(pool: Pool) -> Counter[str]:
    async with reading(pool) as connection:
        rows = await connection.fetch(
            "SELECT effect->'events'->0->>'owner', count(*) FROM ledger WHERE verb = 'assign_owner' GROUP BY 1"
        )
    return Counter({row[0]: row[1] for row in rows})


async def differences(plan: Plan, pool: Pool, relay: Relay) -> list[str]:
    """Everything that is not as the plan says, in words. Raises Retry."""
    async with reading(pool) as connection:
        rows = await connection.fetch("SELECT rule, event_id, step, version, state FROM ledger")
        dead = await connection.fetchval("SELECT count(*) FROM dead_letter")
        gone = await connection.fetchval("SELECT count(*) FROM mail WHERE state <> 'sent'")
    found = {(row[0], row[1], row[2]): row[3] for row in rows if row[4] == "done"}
    wrong = _compared("deeds", plan.deeds(), found)
    wanted = {message_id(UUID(bytes=identity), "example.com") for identity in mails(plan.deeds())}
    taken = {letter["Message-ID"] for letter in relay.took}
    wrong += [f"mails: {len(wanted - taken)} missing, {len(taken - wanted)} too many"] if wanted != taken else []
    wrong += [f"{dead} dead letters"] if dead else []
    wrong += [f"{gone} mails that were not sent"] if gone else []
    given = await _owners(pool)
    uneven = max(given.values(), default=0) - min(given.values(), default=0)
    wrong += [f"not in turn: {dict(given)}"] if uneven > 1 or len(given) != 2 else []
    return wrong


def _compared(what: str, wanted: dict[Key, int], found: dict[Key, int]) -> list[str]:
    missing, more = wanted.keys() - found.keys(), found.keys() - wanted.keys()
    other = {key for key in wanted.keys() & found.keys() if wanted[key] != found[key]}
    return [
        f"{what} {word}: {len(keys)}, for instance {sorted(keys)[:MOST_TOLD]}"
        for word, keys in (("missing", missing), ("too many", more), (f"of another version of {RULE}", other))
        if keys
    ]
