"""Write jars.lock anew: `python -m hub.embedded.relock`. Needs the network; read the difference before a commit."""

from __future__ import annotations

import hashlib

import jgo

from hub.embedded.jars import LOCK, Jar

# Asked one by one: together, the resolver mixes an older kafka-clients into the first.
KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
LOGGER = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"


def resolve(endpoint: str) -> dict[tuple[str, str], Jar]:
    """A coordinate and everything that it needs, by group and artifact."""
    found = {}
    for artifact in jgo.resolve(endpoint):
        content = artifact.resolve().read_bytes()
        name = (artifact.groupId, artifact.artifactId)
        found[name] = Jar(*name, artifact.version, hashlib.sha256(content).hexdigest(), len(content))
    return found


def render(jars: list[Jar], head: str) -> str:
    """The text of a lock."""
    width = max(len(jar.coordinate) for jar in jars)
    return head + "".join(f"{jar.coordinate:<{width}} {jar.sha256} {jar.size:>8}\n" for jar in jars)


def main() -> None:
    """Resolve, and replace the lock below its first comment."""
    # Where both name an artifact, Kafka's choice stands: that is what it was tested with.
    jars = sorted((resolve(LOGGER) | resolve(KAFKA)).values(), key=lambda jar: jar.coordinate)
    head = "".join(line for line in LOCK.read_text(encoding="utf-8").splitlines(keepends=True) if line.startswith("#"))
    LOCK.write_text(render(jars, head), encoding="utf-8")


if __name__ == "__main__":
    main()
