"""Making the hub's topics, and reading what the broker answered: the admin client raises for no error code."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from hub.errors import Misconfigured, Retry
from hub.settings import Kafka
from hub.streams.clients import admin, started
from schemas.topics import TOPICS, Topic


async def create_topics(kafka: Kafka, topics: Sequence[Topic] = TOPICS) -> list[str]:
    """Make every topic that is not there; gives the names that were made.

    Raises Misconfigured where the broker refuses one (its reason and the topic are named), Retry where it is away.
    """
    client = admin(kafka)
    async with started(client):
        try:
            answer = await client.create_topics([_new(kafka, topic) for topic in topics])
        except (KafkaError, OSError, AttributeError) as error:  # the last where no broker is in the cluster yet
            raise Retry(f"Kafka does not make topics: {error}") from error
    made = []
    for name, code, *message in answer.topic_errors:
        refusal = for_code(code)
        if code == 0:
            made.append(name)
        elif refusal is not TopicAlreadyExistsError:
            raise Misconfigured(f"Kafka refuses the topic {name}: {refusal.__name__} {' '.join(map(str, message))}")
    return made


def _new(kafka: Kafka, topic: Topic) -> NewTopic:
    return NewTopic(
        kafka.prefix + topic.name,
        kafka.partitions,
        kafka.replication,
        topic_configs=topic.configuration(kafka.replication),
    )
