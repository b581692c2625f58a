"""`hub rules compare` and `switch`: who would have been treated differently, and a version on trial that goes live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from typer.testing import CliRunner, Result

from consumers.profiles import Profiles
from hub.api.app import create_app
from hub.cache import LocalHints
from hub.cli.rules import app
from hub.identity.ids import as_text, from_text
from hub.settings import check
from hub.storage.pool import transaction
from tests.support.acting import House, a_rule, happens, hour
from tests.support.line import batch_connections
from tests.support.memory import erased, record

pytestmark = pytest.mark.integration
LIVE: dict[str, Any] = {"if": {"event": "total", "at_least": 5}}
TRIAL: dict[str, Any] = {"if": {"event": "total", "at_least": 8}, "mode": "trial"}
KEY = {"Authorization": "Bearer secret"}


@pytest_asyncio.fixture
async def house(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "POSTGRES__URL": database_url, "KAFKA__SERVERS": "127.0.0.1:1", "REDIS__URL": "redis://127.0.0.1:1/0"
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HUB_{name}", value)
    async with batch_connections(database_url) as connections:
        yield House(connections)


async def hub(*words: str, typed: str | None = None) -> Result:
    """`hub rules …`, in a thread since it brings an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, list(words), typed)


async def answer(*words: str, status: int = 0) -> Any:
    result = await hub(*words, "--json")
    assert result.exit_code == status, result.output
    return orjson.loads(result.stdout)


async def orders(house: House, *totals: int, begin: float = 0) -> list[str]:
    """So many orders, each of somebody else; gives the ids of the profiles."""
    facts = [
        happens("order.placed", f"p{total}", hour(begin + number), {"total": total})
        for number, total in enumerate(totals)
    ]
    await house.live(*facts)
    return [as_text(record(one)) for one in facts]


async def trial(house: House) -> None:
    await house.rules(a_rule(**LIVE))
    await house.rules(a_rule(version=2, **TRIAL))


async def test_who_would_have_been_treated_differently_is_told_with_the_values_that_differ(house: House) -> None:
    await trial(house)
    profiles = await orders(house, 1, 6, 9)
    told = await answer("compare", "some")
    assert told["treated"] == {"both": 1, "neither": 1, "only_live": 1, "only_trial": 0}
    assert (told["live"], told["trial"], told["asked"], told["same_steps"], told["more"]) == (1, 2, 3, True, 0)
    (one,) = told["different"]
    assert (one["profile_id"], one["email"], one["type"]) == (profiles[1], "p6@customers.org", "order.placed")
    assert (one["treated"], one["live"], one["trial"]) == (
        "only_live",
        {"version": 1, "verdict": "fired", "reason": "the conditions hold"},
        {"version": 2, "verdict": "no", "reason": "the conditions do not hold"},
    )
    assert one["values"] == [
        {"asked": "event total at_least 5", "live": {"value": 6, "truth": "true"}, "trial": None},
        {"asked": "event total at_least 8", "live": None, "trial": {"value": 6, "truth": "false"}},
    ]
    shown = (await hub("compare", "some")).output
    for word in ("Of 3 events that both decided about", "p6@customers.org", profiles[1], "event total at_least 8"):
        assert word in shown


async def test_the_limit_and_the_period_are_kept_and_http_says_the_same(house: House) -> None:
    await trial(house)
    await orders(house, 5, 6, 7)
    told = await answer("compare", "some", "--limit", "2")
    assert ([one["email"] for one in told["different"]], told["more"]) == (
        ["p7@customers.org", "p6@customers.org"], 1,
    )  # fmt: skip
    settings = check({"keys": {"crm": {"secret": "secret", "scopes": ["profiles:read"]}}})
    console = create_app(settings, house.pool, _no_lag, {})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(console), base_url="http://hub") as client:
        found = await client.get("/api/rules/some/compare?limit=2", headers=KEY)
        assert {**found.json(), "since": 0} == {**told, "since": 0}
        refused = [
            (await client.get(f"/api/rules/{where}", headers=KEY)).status_code
            for where in ("other/compare", "some/compare?since=week")
        ]
    assert refused == [404, 422]
    last = from_text(told["different"][0]["event_id"])
    await house.pool.execute("UPDATE rule_decision SET at = at - interval '2 days' WHERE event_id = $1", last)
    assert (await answer("compare", "some", "--since", "1d"))["asked"] == 2


async def _no_lag() -> dict[str, Any]:
    raise NotImplementedError


async def test_without_a_live_version_all_that_would_fire_is_told_and_without_decisions_what_to_do(
    house: House,
) -> None:
    await house.rules(a_rule(**TRIAL))
    result = await hub("compare", "some")
    assert (result.exit_code, "has decided nothing in this time" in result.output) == (0, True)
    await orders(house, 1, 9)
    told = await answer("compare", "some")
    assert (told["live"], told["asked_alone"], told["treated_alone"]) == (
        None, {"live": 0, "trial": 2}, {"live": 0, "trial": 1},
    )  # fmt: skip
    assert [(one["email"], one["live"], one["values"][0]["live"]) for one in told["different"]] == [
        ("p9@customers.org", None, None)
    ]


async def test_a_trial_that_looks_at_other_events_is_told_of_those_apart(house: House) -> None:
    await house.rules(a_rule())
    await house.rules(a_rule(version=2, when={"event": ["order.placed", "ticket.opened"]}, mode="trial"))
    await house.live(happens("order.placed"), happens("ticket.opened", "bob", hour(1)))
    told = await answer("compare", "some")
    assert (told["asked"], told["treated"]["both"], told["asked_alone"], told["treated_alone"]["trial"]) == (
        1, 1, {"live": 0, "trial": 1}, 1,
    )  # fmt: skip
    assert [one["live"] for one in told["different"]] == [None]


async def test_whoever_got_it_from_the_live_version_before_the_trial_does_not_get_it_again(house: House) -> None:
    await house.rules(a_rule(again="once"))
    await house.live(happens("order.placed"))
    await house.rules(a_rule(version=2, again="once", mode="trial"))
    await house.pool.execute("UPDATE rule_state SET trial_since = clock_timestamp()")
    late = "2030-01-01T00:00:00.000Z"
    await house.live(happens("order.placed", at=late, received=late))
    told = await answer("compare", "some")
    assert (told["treated"], told["different"]) == (
        {"both": 0, "neither": 1, "only_live": 0, "only_trial": 0}, [],
    )  # fmt: skip


async def test_whoever_is_erased_is_nobody_any_more(house: House) -> None:
    await trial(house)
    one = happens("order.placed", data={"total": 6})
    await house.live(one)
    async with transaction(house.pool) as connection:
        await Profiles(LocalHints(), {}).erase(connection, erased([record(one)], at=hour(5)))
    (told,) = (await answer("compare", "some"))["different"]
    assert (told["profile_id"], told["name"], told["email"], told["values"]) == (None, None, None, [])
    assert "nobody any more" in (await hub("compare", "some")).output


async def test_a_switched_version_acts_on_what_arrives_from_then_on_and_on_nothing_that_it_tried(
    house: House, tmp_path: Path
) -> None:
    await trial(house)
    await orders(house, 6, 9)
    assert len(await house.done()) == 2
    (tmp_path / "rules").mkdir()
    file = tmp_path / "rules" / "some.yaml"
    file.write_text("rule: some\nversion: 2\nabout: A rule.\nmode: trial\nwhen: {event: order.placed}\n"
                    "if: {event: total, at_least: 8}\nsteps:\n  - add_tag: {tag: buyer}\n")  # fmt: skip
    refused = await hub("switch", "some", typed="n\n")
    assert (refused.exit_code, "Nothing was changed." in refused.output) == (0, True)
    switched = await hub("switch", "some", typed="y\n")
    assert switched.exit_code == 0, switched.output
    for word in ("Of 2 events", "version 2 is live", "`mode: trial` was taken out of"):
        assert word in switched.output
    assert "mode" not in file.read_text()
    await house.hear(house.heard)
    assert len(await house.done()) == 2
    await orders(house, 7, 10, begin=9)
    assert len(await house.done()) == 3
    assert (await house.verdicts())[-2:] == [("some", 2, "no"), ("some", 2, "fired")]
    assert (await answer("apply"))["changes"] == [{"name": "some", "what": "unchanged", "live": 2, "trial": None}]
    again = await hub("switch", "some", "--yes")
    assert (again.exit_code, "no version of some is on trial" in again.output) == (1, True)


async def test_events_that_the_trial_alone_looked_at_stay_past_when_it_is_switched(house: House) -> None:
    """The live version never looked at tickets, so only the trial's own decision says that they are past."""
    await house.rules(a_rule())
    await house.rules(a_rule(version=2, when={"event": "ticket.opened"}, mode="trial"))
    await house.live(happens("ticket.opened"))
    assert (await answer("switch", "some", "--yes"))["live"] == 2
    before = await house.untouched()
    await house.hear(house.heard)
    assert await house.untouched() == before
    await house.live(happens("ticket.opened", at="2030-01-01T00:00:00.000Z"))
    assert len(await house.done()) == 1


async def test_a_first_version_that_is_switched_leaves_all_that_arrived_before_alone(house: House) -> None:
    await house.rules(a_rule(mode="trial"))
    records = await house.happen(happens("order.placed", data={"total": 9}))
    assert (await answer("switch", "some", "--yes"))["before"] is None
    await house.hear(records)
    assert (await house.verdicts(), await house.done()) == ([], [])


async def test_a_file_that_still_says_trial_is_told_and_the_version_stays_live(house: House, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    said = orjson.dumps({"rule": "some", "version": 1, "about": "A rule.", "mode": "trial",
                         "when": {"event": "order.placed"}, "steps": [{"add_tag": {"tag": "x"}}]})  # fmt: skip
    (tmp_path / "rules" / "some.yaml").write_bytes(said)
    await answer("apply")
    told = await answer("switch", "some", "--yes")
    assert told["file"].startswith("Take `mode: trial` out of rules/some.yaml")
    applied = await answer("apply")
    assert [one["what"] for one in applied["changes"]] == ["unchanged"]
    assert [(one["path"], one["grade"]) for one in applied["problems"]] == [("mode", "warning")]
    (listed,) = (await answer("list"))["rules"]
    assert (listed["live"], listed["trial"], "On trial" in listed["sentence"]) == (1, None, False)


@pytest.mark.parametrize("verb", ["compare", "switch"])
async def test_what_is_no_rule_or_not_on_trial_or_asked_wrongly_has_its_status(house: House, verb: str) -> None:
    await house.rules(a_rule())
    for name, said in (("sme", "did you mean some?"), ("some", "no version of some is on trial")):
        result = await hub(verb, name)
        assert (result.exit_code, said in result.output) == (1, True), result.output
    assert (await hub(verb, "some", "--since", "a week")).exit_code == 2
    assert (await hub("switch", "some", "--json")).exit_code == 2


async def test_a_paused_rule_stays_paused_when_it_is_switched_and_explain_tells_who_was_on_trial(house: House) -> None:
    await trial(house)
    one = happens("order.placed", data={"total": 6})
    await house.live(one)
    await hub("pause", "some")
    result = await hub("switch", "some", "--yes")
    assert (result.exit_code, "the rule is paused: hub rules resume" in result.output) == (0, True)
    told = await answer("explain", one.id, as_text(record(one)))
    assert [(each["version"], each["on_trial"], each["verdict"]) for each in told["rules"]] == [
        (1, False, "fired"), (2, True, "no"),
    ]  # fmt: skip
    await orders(house, 9, begin=2)
    assert len(await house.done()) == 1
    await hub("resume", "some")
    assert (await answer("show", "some"))["state"] == "live 2"
