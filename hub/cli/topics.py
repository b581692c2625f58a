"""`hub topics`: the topics as they should be, and as the broker has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hub.settings import Kafka
    from hub.streams.broker import TopicFound
    from schemas.topics import Topic

app = typer.Typer(rich_markup_mode="rich")


@app.command()
def topics(
    create: Annotated[bool, typer.Option("--create", help="Make those that are missing, change none.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """The topics as they should be, and as the broker has them. Status 1: one is missing or other than it should be.

    [bold]Examples[/]

        hub topics
        hub topics --create       # where the hub itself may make none
        hub topics --json | jq '.topics[] | select(.problems != [])'
    """
    found = session.run(_topics(create))
    if as_json:
        session.print_json({"topics": found})
    else:
        _print(found)
    if any(topic["problems"] for topic in found):
        raise typer.Exit(session.FOUND_WRONG)


async def _topics(create: bool) -> list[dict[str, Any]]:
    settings = session.resolved(session.settings(), start=False)
    if create:
        from hub.streams.topics import create_topics

        await create_topics(settings.kafka)
    return await compared(settings.kafka)


async def compared(kafka: Kafka) -> list[dict[str, Any]]:
    """Every topic of the hub beside what the broker has. Raises Retry where it is away."""
    from hub.streams.broker import open_broker
    from schemas.topics import TOPICS

    async with open_broker(kafka) as broker:
        found = await broker.topics({kafka.prefix + topic.name for topic in TOPICS})
    return [_compared(kafka, topic, found.get(kafka.prefix + topic.name)) for topic in TOPICS]


def _compared(kafka: Kafka, topic: Topic, found: TopicFound | None) -> dict[str, Any]:
    wanted = topic.configuration(kafka.replication)
    return {
        "topic": kafka.prefix + topic.name,
        "description": topic.description,
        "key": topic.key,
        "partitions": len(found.partitions) if found else 0,
        "replication": found.replication if found else 0,
        "configuration": {name: found.configuration.get(name) if found else None for name in wanted},
        "problems": ["missing: `hub topics --create`"] if found is None else _problems(kafka, wanted, found),
    }


def _problems(kafka: Kafka, wanted: Mapping[str, str], found: TopicFound) -> list[str]:
    """What is other than it should be. More partitions are fine: somebody needed them."""
    problems = []
    if len(found.partitions) < kafka.partitions:
        problems.append(f"{len(found.partitions)} partitions, not {kafka.partitions}")
    if found.replication < kafka.replication:
        problems.append(f"{found.replication} copies, not {kafka.replication}")
    return problems + [
        f"{name} is {found.configuration.get(name)}, not {value}"
        for name, value in wanted.items()
        if found.configuration.get(name) != value
    ]


def _print(found: Sequence[Mapping[str, Any]]) -> None:
    from rich.table import Table

    from hub.cli.lag import span

    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("topic", "partitions", "copies", "kept", "what", "problem"):
        table.add_column(column, justify="right" if column in {"partitions", "copies"} else "left", overflow="fold")
    for topic in found:
        settings = topic["configuration"]
        milliseconds = int(settings["retention.ms"] or -1)
        kept = "newest of each key" if settings["cleanup.policy"] == "compact" else "for ever"
        table.add_row(
            topic["topic"],
            str(topic["partitions"]),
            str(topic["replication"]),
            span(milliseconds / 1000) if milliseconds > 0 else kept,
            topic["description"],
            f"[red]{'; '.join(topic['problems'])}[/]",
        )
    session.console().print(table)
