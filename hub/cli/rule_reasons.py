"""`hub rules explain`: why rules did something about an event, or nothing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import session

if TYPE_CHECKING:
    from hub.storage.explaining import Done, Event, Verdict, Way
    from hub.storage.pool import Pool

NOT_ASKED = "not asked"
COLOURS = {"fired": "green", "trial": "cyan", "error": "red"}


def explain(
    event: Annotated[str, typer.Argument(help="An event's id, as the 202 gave it.", metavar="EVENT")],
    profile: Annotated[str, typer.Argument(help="The profile's id, or one that it had.", metavar="PROFILE")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Each rule that looks at such an event: what it decided, why, the values it saw, and what was done.

    Status 1: there is no such event of this profile.

    [bold]Examples[/]

        hub profiles show 9c5f1de2-55c0-8a50-9d2f-6f0f3f7a9b11      # its timeline has the events
        hub rules explain 5a3e0b77-8c1d-8f4e-a1c0-2d9b7e64f0aa 9c5f1de2-…
        hub rules explain 5a3e0b77-… 9c5f1de2-… --json | jq '.rules[] | {rule, verdict, reason}'
    """
    told = session.run(_explained(event, profile))
    if as_json:
        session.print_json(told)
    else:
        _print(told)


async def _explained(event: str, profile: str) -> dict[str, Any]:
    from hub.identity.ids import as_text, from_text
    from hub.storage import explaining, lookup

    identity, person = from_text(event), from_text(profile)
    if identity is None or person is None:
        session.fail(f"{event if identity is None else profile} is no id", 2)
    async with session.database() as pool:
        found = await explaining.event(pool, identity)
        lives = await lookup.heir(pool, person)
        if found is None or found.profile is None or found.profile != lives:
            whose = f", but of {as_text(found.profile)}" if found and found.profile else ""
            session.fail(f"{event} is no event of {profile}{whose}")
        verdicts = await explaining.verdicts(pool, identity)
        ways = {(one.rule, one.version): one for one in await explaining.ways(pool, identity, lives)}
        done = await explaining.done(pool, identity, lives)
        told = [_rule(one, ways.get((one.rule, one.version)), done) for one in verdicts]
        told += await _silent(pool, found, {(one.rule, one.version) for one in verdicts})
    return {
        "event_id": event,
        "profile_id": as_text(lives),
        "type": found.type,
        "source": found.source,
        "at": _text(found.at),
        "received_at": _text(found.received_at),
        "rules": told,
    }


def _rule(one: Verdict, way: Way | None, done: list[Done]) -> dict[str, Any]:
    import orjson

    return {
        "rule": one.rule,
        "version": one.version,
        "on_trial": one.on_trial,
        "verdict": one.verdict,
        "reason": one.reason,
        "decided_at": _text(one.at),
        "seen": orjson.loads(one.seen),
        "journey": _way(way, one.body) if way else None,
        "done": [
            {"step": own.step, "verb": own.verb, "state": own.state, "effect": orjson.loads(own.effect),
             "at": _text(own.at)}
            for own in done if (own.rule, own.version) == (one.rule, one.version)
        ],
    }  # fmt: skip


def _way(way: Way, body: str) -> dict[str, Any]:
    import orjson

    from hub.automation.files import parsed
    from hub.automation.program import Pause, program
    from schemas.rules import Rule

    rule, step = parsed(orjson.loads(body)), None
    if way.place is not None and isinstance(rule, Rule):
        instruction = program(rule)[way.place]
        step = instruction.step if isinstance(instruction, Pause) else None
    return {
        "state": "ended" if way.state == "ended" else "waiting",
        "step": step,
        "since": _text(way.since),
        "until": _text(way.until),
        "outcome": way.outcome,
        "began_at": _text(way.began_at),
        "ended_at": _text(way.ended_at),
    }


async def _silent(pool: Pool, event: Event, asked: set[tuple[str, int]]) -> list[dict[str, Any]]:
    """Rules that look at such events now, and decided nothing about this one."""
    import orjson

    from hub.automation.decisions import sets_off
    from hub.automation.files import parsed
    from hub.automation.segments import occasion
    from hub.storage import rules
    from hub.storage.pool import reading
    from schemas.rules import Rule

    told = occasion(event.type, event.at, event.received_at, orjson.loads(event.data))
    async with reading(pool) as connection:
        stands = [one for one in await rules.in_force(connection) if (one.name, one.version) not in asked]
        bodies = await rules.bodies(connection, [(one.name, one.version) for one in stands])
    found = []
    for one in stands:
        rule = parsed(orjson.loads(bodies[one.name, one.version]))
        live = any(name == one.name for name, _ in asked) and not one.on_trial
        if isinstance(rule, Rule) and sets_off(rule, told) and not live:
            since = one.looks_since(told.type, told.subject)
            late = event.received_at <= since
            reason = f"it looks at what arrives after {_text(since)}" if late else "it has not heard of it yet"
            found.append(
                {"rule": one.name, "version": one.version, "on_trial": one.on_trial, "verdict": NOT_ASKED,
                 "reason": reason, "decided_at": None, "seen": [], "journey": None, "done": []}
            )  # fmt: skip
    return found


def _text(at: datetime | None) -> str | None:
    from hub.clock import text

    return text(at) if at else None


def _truth(seen: dict[str, Any]) -> str:
    """A question, and what it came to; a count that made no difference was not made."""
    if seen["truth"] == "unknown":
        return f"{'-':<5}  {seen['asked']}; {seen['reason']}"
    return f"{seen['truth']:<5}  {seen['asked']}; it was {seen['value']!r}"


def _print(told: dict[str, Any]) -> None:
    typer.secho(f"{told['type']} from {told['source']}, {told['at']}", bold=True)
    for one in told["rules"]:
        typer.echo(f"{one['rule']} (version {one['version']}{', on trial' * one['on_trial']}): ", nl=False)
        typer.secho(f"{one['verdict']}: {one['reason']}", fg=COLOURS.get(one["verdict"]))
        for seen in one["seen"]:
            typer.echo(f"  {_truth(seen)}")
        for deed in one["done"]:
            typer.echo(f"  step {deed['step']}: {deed['verb']} {deed['state']}, {_effect(deed['effect'])}")
        if way := one["journey"]:
            waits = f"waits at step {way['step']} until {way['until']}"
            typer.echo(f"  {waits if way['state'] == 'waiting' else 'ended: ' + str(way['outcome'])}")
    if not told["rules"]:
        typer.echo("No rule looks at such events.")


def _effect(effect: dict[str, Any]) -> str:
    if "error" in effect:
        return str(effect["error"])
    said = [{key: value for key, value in one.items() if key not in {"id", "type"}} for one in effect.get("events", ())]
    words = [f"{key}: {'nobody' if value is None else value}" for one in said for key, value in one.items()]
    return ", ".join([*words, *(f"told: {name}" for name in effect.get("tools", ()))])
