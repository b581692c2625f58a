"""What the doctor looks at, one function each: this machine, the servers, the tables, the topics, the queues."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Literal, NamedTuple

from hub import clock
from hub.cli import lock, session
from hub.cli.config import everything_found, taken
from hub.errors import HubError
from hub.settings import Mail, Settings
from hub.storage.pool import Pool

Verdict = Literal["ok", "warning", "wrong"]

LEAST_FREE_BYTES = 2 * 2**30
MOST_SKEW_SECONDS = 2.0
OLDEST_OUTBOX_SECONDS = 30.0
OLDEST_DELIVERY_SECONDS = 300.0
RELAY_SECONDS = 5.0
MEND = "Mend hub.toml, the variable of that name, or the file."


class Finding(NamedTuple):
    """What was looked at, how it is, and what to do about it."""

    verdict: Verdict
    about: str
    found: str
    advice: str = ""


async def examine() -> list[Finding]:
    """Everything, in the order in which one thing needs the other. Raises nothing that it can tell as a finding."""
    said = everything_found()
    found = [Finding("wrong", "settings", problem, MEND) for problem in said.wrong]
    found += [Finding("warning", "settings", doubt, MEND) for doubt in said.odd]
    try:
        settings = session.settings()
    except HubError:
        return found
    found = found or [Finding("ok", "settings", "nothing wrong in them")]
    found += [finding for look in (_disk, _hub, _ports, _parts) for finding in look(settings)]
    found += await _relay(settings.mail)
    try:
        there = session.resolved(settings, start=False)
    except HubError as error:
        advice = "hub serve, or hub embedded start for the servers alone."
        return [*found, Finding("wrong", "servers", str(error).splitlines()[0], advice)]
    return found + [finding async for finding in _servers(there)]


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.state.expanduser().absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    verdict: Verdict = "ok" if free >= LEAST_FREE_BYTES else "wrong"
    advice = "Kafka stops when the disk is full: make room, or set `state` to another disk."
    yield Finding(verdict, "disk", f"{free / 2**30:.1f} GiB free for {settings.state}", advice)


def _hub(settings: Settings) -> Iterator[Finding]:
    pid = lock.holder(settings.state)
    if pid:
        yield Finding("ok", "hub", f"serves {settings.state} (process {pid})")
    else:
        yield Finding("warning", "hub", f"none serves {settings.state}", "hub serve")


def _ports(settings: Settings) -> Iterator[Finding]:
    ours = lock.held(settings.state)
    for name, listener in (("gateway", settings.gateway), ("console", settings.console)):
        problem = taken(listener)
        advice = f"Set {name}.listen to another port, or end what listens there."
        if problem and not ours:
            yield Finding("wrong", f"{name} port", f"{listener.listen}: {problem}", advice)
        elif problem:
            yield Finding("ok", f"{name} port", f"{listener.listen} is taken, by our hub")
        elif ours:
            yield Finding("warning", f"{name} port", f"nobody listens on {listener.listen}", "The hub's log says why.")
        else:
            yield Finding("ok", f"{name} port", f"{listener.listen} is free")


def _parts(settings: Settings) -> Iterator[Finding]:
    """The programs of the private servers, where they are needed."""
    from hub.embedded import parts

    needed: tuple[tuple[str, bool, Callable[[], object]], ...] = (
        ("Java for Kafka", not settings.kafka.servers, parts.java),
        ("PostgreSQL", not settings.postgres.url, lambda: parts.postgres("postgres")),
        ("Valkey", not settings.redis.url, parts.valkey),
    )
    for name, wanted, find in needed:
        if wanted:
            try:
                find()
            except HubError as error:
                first, *rest = str(error).splitlines()
                yield Finding("wrong", name, first, " ".join(line.strip() for line in rest))
            else:
                yield Finding("ok", name, "is installed")


async def _relay(mail: Mail) -> list[Finding]:
    """The mail server that takes what rules and reminders write; no mail is sent."""
    from consumers.mailer import relay
    from hub.egress.smtp import greet

    if mail.relay is None:
        return []
    try:
        said = await greet(relay(mail, mail.relay), RELAY_SECONDS)
    except HubError:
        return []  # the password file: told as a setting
    if said.code is not None and said.code < 400:
        return [Finding("ok", "mail relay", f"{mail.relay} answers")]
    advice = "Mails wait for it for two days. Is [mail] right: address, tls, user? Does the server run?"
    return [Finding("wrong", "mail relay", f"{mail.relay}: {said.text}", advice)]


async def _servers(settings: Settings) -> AsyncIterator[Finding]:
    for about, look in (("Redis", _redis), ("Kafka", _kafka), ("PostgreSQL", _database)):
        try:
            for finding in await look(settings):
                yield finding
        except HubError as error:
            advice = "Is its address right, does it run, does a firewall stand between? hub embedded status"
            yield Finding("wrong", about, str(error).splitlines()[0], advice)


async def _redis(settings: Settings) -> list[Finding]:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    if not settings.redis.url:
        return []
    client = Redis.from_url(settings.redis.url, socket_connect_timeout=3, socket_timeout=3)
    try:
        version = (await client.info("server"))["redis_version"]
    except (RedisError, OSError) as error:
        return [Finding("warning", "Redis", f"away: {error}", "Nothing is lost without it; limits are per process.")]
    finally:
        await client.aclose()
    return [Finding("ok", "Redis", f"answers, version {version}")]


async def _kafka(settings: Settings) -> list[Finding]:
    from hub.cli.topics import compared
    from hub.streams.broker import open_broker

    async with open_broker(settings.kafka) as broker:
        servers = await broker.servers()
    found = [Finding("ok", "Kafka", f"answers: {', '.join(servers)}")]
    topics = await compared(settings.kafka)
    for topic in topics:
        if topic["problems"]:
            advice = "hub topics --create makes what is missing; kafka-configs changes what is other than it should be."
            found.append(Finding("wrong", f"topic {topic['topic']}", "; ".join(topic["problems"]), advice))
    if len(found) == 1:
        found.append(Finding("ok", "topics", f"all {len(topics)} are as they should be"))
    return found


async def _database(settings: Settings) -> list[Finding]:
    async with session.database(settings) as pool:
        found, up_to_date = await _tables(pool)
        if up_to_date:
            found += [await _rules(settings, pool), *await _queues(settings, pool)]
    return found


async def _tables(pool: Pool) -> tuple[list[Finding], bool]:
    """How the database is, and whether the queues can be looked at."""
    from hub.storage.migrate import newest
    from hub.storage.standing import standing

    before = clock.now()
    there = await standing(pool)
    skew = abs((there.now - before).total_seconds())
    found = [Finding("ok", "PostgreSQL", f"answers, version {there.version}")]
    clocks: Verdict = "ok" if skew <= MOST_SKEW_SECONDS else "wrong"
    found.append(
        Finding(clocks, "clocks", f"the database is {skew:.1f} s apart from here", "Set both by NTP; leases need it.")
    )
    head = newest()
    if there.revision == head:
        return [*found, Finding("ok", "tables", f"revision {head}")], True
    advice = "hub serve brings them up to date when it starts."
    return [*found, Finding("wrong", "tables", f"revision {there.revision or 'none'}, not {head}", advice)], False


async def _rules(settings: Settings, pool: Pool) -> Finding:
    """Which rules act; a folder with files that were never taken over looks as if they did."""
    from hub.cli.applying import files_of
    from hub.storage import rules

    known = await rules.listing(pool)
    counts = (
        (sum(1 for one in known if one.live and one.kind == "rule" and not one.paused), "live"),
        (sum(1 for one in known if one.trial), "on trial"),
        (sum(1 for one in known if one.paused and (one.live or one.trial)), "paused"),
        (sum(1 for one in known if one.live and one.kind == "segment"), "segments"),
    )
    told = ", ".join(f"{count} {word}" for count, word in counts if count) or "none"
    new = {file.stem for file in files_of([settings.rules.folder])} - {one.name for one in known}
    if new:
        advice = "hub rules apply --dry-run says what they would change, hub rules apply takes them over."
        return Finding("warning", "rules", f"{told}; not taken over: {', '.join(sorted(new))}", advice)
    return Finding("ok", "rules", told)


async def _queues(settings: Settings, pool: Pool) -> list[Finding]:
    from consumers.monitor import Monitor

    async with Monitor(settings, pool) as monitor:
        report = await monitor.report()
    return [*_consumers(report), *_outbox(report["outbox"]), *_deliveries(report["deliveries"]), *_letters(report)]


def _consumers(report: dict[str, Any]) -> Iterator[Finding]:
    bad: dict[tuple[str, str], int] = {}
    for row in report["groups"]:
        if row["state"] != "ok":
            place = (row["group"], row["state"])
            bad[place] = bad.get(place, 0) + row["messages"]
    for (group, state), messages in sorted(bad.items()):
        verdict: Verdict = "wrong" if state in {"stopped", "stalled"} else "warning"
        yield Finding(verdict, f"group {group}", f"{state}, {messages:,} messages behind", ADVICE[state])
    lost = {row["group"] for row in report["groups"] if row["seconds_to_loss"] == 0}
    for group in sorted(lost):
        yield Finding("wrong", f"group {group}", "records were deleted before it read them", LOST)
    if not bad:
        yield Finding("ok", "consumers", "all keep up")


ADVICE = {
    "stopped": "Nobody reads: hub serve, or the role of that name on its own.",
    "stalled": "A reader is there and does not move: its log says why. A partition that our own code fails on stops; "
    "hub dead-letters list shows what it failed on.",
    "slow": "It falls behind: more workers (hub serve profiles --workers 4), or wait for the burst to end.",
    "rewound": "It reads again what it had read: repeats change nothing, it only takes time.",
    "unknown": "Look again in half a minute: there is no history yet. If it stays, hub lag --watch.",
}
LOST = "Publish them again from their source if it still has them, and give the topic more retention."


def _outbox(queue: dict[str, Any]) -> Iterator[Finding]:
    age = queue["oldest_seconds"] or 0
    if age > OLDEST_OUTBOX_SECONDS:
        found = f"{queue['pending']:,} messages, the oldest for {age:.0f} s"
        yield Finding("wrong", "outbox", found, "The relay does not put them on Kafka: does the role relay run?")
    else:
        yield Finding("ok", "outbox", f"{queue['pending']:,} messages wait")


def _deliveries(queue: dict[str, Any]) -> Iterator[Finding]:
    for name, tool in queue["destinations"].items():
        age = tool["oldest_seconds"] or 0
        if age > OLDEST_DELIVERY_SECONDS:
            advice = f"Does the tool answer? hub deliveries list --destination {name}"
            yield Finding("wrong", f"deliveries to {name}", f"the oldest is due for {age:.0f} s", advice)
        elif tool["dead"]:
            advice = "See what it answered, mend it, then: hub deliveries retry"
            yield Finding("warning", f"deliveries to {name}", f"{tool['dead']:,} were given up on", advice)
        else:
            yield Finding("ok", f"deliveries to {name}", f"{tool['pending'] + tool['retry']:,} wait")


def _letters(report: dict[str, Any]) -> Iterator[Finding]:
    count = report["dead_letters"]
    if count:
        advice = "hub dead-letters list says why; hub dead-letters retry --all sends them again."
        yield Finding("warning", "dead letters", f"{count:,} are open", advice)
    else:
        yield Finding("ok", "dead letters", "none")
