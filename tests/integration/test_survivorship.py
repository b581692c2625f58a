"""Traits, things, consents and mailboxes through PostgreSQL: the same lines as by one look at all of them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from consumers.profiles import Profiles
from hub.cache import LocalHints
from hub.identity import things
from hub.identity.consent import Consent
from hub.identity.evidence import Fact, Words
from hub.identity.strategies import rules
from hub.identity.traits import Traits
from hub.settings import check
from hub.storage.pool import Pool, transaction
from tests.support.line import audit, batch_connections, cut, lines, write
from tests.support.memory import day, fact, whole

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def batch_pool(database_url: str) -> AsyncIterator[Pool]:
    async with batch_connections(database_url) as connections:
        yield connections


def a_crowd(seed: int, size: int) -> list[Fact]:
    chance = random.Random(seed)
    emails = ["ann.lee@gmail.com", "annlee@gmail.com", "bob@firm.org", "bob+x@live.com", "bob@live.com", "info@me.com"]
    facts = []
    for number in range(size):
        source = chance.choice(("shop", "crm", "desk", "web"))
        traits = Traits(
            language=chance.choice(("", "de", "en")),
            address=chance.choice(((), ("Ring 1", "", "1010", "Wien"), ("", "", "", "Graz"))),
            tags=chance.choice((None, (), ("a",), ("b", "c"))),
            email_verified=chance.choice((None, None, True, False)),
        )
        account = "" if source == "web" else str(chance.randint(1, 6))
        words = Words(account, chance.choice(emails), given_name=chance.choice(("", "Ann", "Bob")), traits=traits)
        order = things.order(str(chance.randint(1, 9)), "19.90", "EUR", cancelled=chance.random() < 0.2, status="")
        consent = Consent(f"marketing.{words.email}", chance.choice(("given", "withdrawn")))
        facts.append(
            fact(source, words, day(chance.randint(1, 90)), natural_id=f"{seed} {number}")._replace(
                things=chance.choice(((), (order,))), consents=chance.choice(((), (), (consent,)))
            )
        )
    return facts


@pytest.mark.parametrize("seed", [1, 2])
async def test_any_batches_come_to_the_lines_of_the_whole_set(batch_pool: Pool, seed: int) -> None:
    facts, chance = a_crowd(seed, 120), random.Random(seed)
    for batch in cut(facts, chance, 9):
        await write(batch_pool, batch)
    assert await lines(batch_pool) == whole(facts).lines
    await audit(batch_pool)


async def test_the_rules_of_the_installation_reach_the_line(batch_pool: Pool) -> None:
    wished = rules(check({"survivorship": {"priority": {"company": ["crm"]}}}))
    said = [fact("shop", Words("1", "x@firm.org", company="Shop's"), day(9)),
            fact("crm", Words("1", "x@firm.org", company="CRM's"), day(1))]  # fmt: skip
    async with transaction(batch_pool) as connection:
        await Profiles(LocalHints(), {}, rules=wished).write(connection, said)
    (line,) = await lines(batch_pool)
    assert orjson.loads(line)["fields"]["company"]["value"] == "CRM's"
