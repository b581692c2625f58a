"""The published contracts, made from the code: JSON Schema per message, AsyncAPI for topics, OpenAPI for HTTP. Pure.

What others send to the hub is *inbound*, what they read from it *outbound*: the two break in opposite ways.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas.actions import ACTIONS
from schemas.envelope import Envelope
from schemas.events import EVENTS
from schemas.events.contact import Occurrence
from schemas.events.hub import CallWritten, NoteWritten
from schemas.events.segment import SegmentChanged
from schemas.profile import (
    ActionFired,
    Activity,
    Merged,
    Profile,
    ProfileRedirect,
    ProfileState,
    Split,
    TimelineEntry,
    Told,
    ToldOfAction,
)
from schemas.rules import Rule, Segment
from schemas.topics import ACTIVITIES, HUB_TOPIC, INBOUND, PROFILES, TOPICS, Topic, inbound_topic

Json = dict[str, Any]

OF_THE_EDGE = ("source.unreadable", "source.ignored")
"""Types that the hub's own edge makes."""

NOTES: dict[str, type[BaseModel]] = {"hub.note.added": NoteWritten, "hub.call.logged": CallWritten}
"""What people write down in the hub: types that tools say too, in another shape on another topic."""
EVERY_INBOUND: dict[str, type[BaseModel]] = {"envelope": Envelope, "occurrence": Occurrence, **EVENTS, **NOTES}
EVERY_OUTBOUND: dict[str, type[BaseModel]] = {
    "profile.line": Profile,
    "profile.state": ProfileState,
    "profile.redirect": ProfileRedirect,
    "profile.merged": Merged,
    "profile.split": Split,
    "activity": Activity,
    "segment.entered": SegmentChanged,
    "segment.left": SegmentChanged,
    "action.fired": ActionFired,
    "timeline.entry": TimelineEntry,
    "webhook": Told,
    "webhook.action": ToldOfAction,
}
FILES: dict[str, type[BaseModel]] = {"rule": Rule, "segment": Segment}
"""Files that people write: an editor completes them by these."""
OF_ACTIVITIES = ("activity", "profile.merged", "profile.split", "action.fired")
"""What stands on the topic `activities`."""
ATTRIBUTES = (
    "id",
    "source",
    "type",
    "time",
    "subject",
    "receivedtime",
    "edge",
    "trust",
    "origin",
    "hops",
    "traceparent",
)


def contracts() -> dict[str, Json]:
    """Every contract by the path of its file below `docs`."""
    from hub.cli.http_contract import openapi

    schemas = {f"schemas/{name}.json": schema(name, model) for name, model in (EVERY_INBOUND | EVERY_OUTBOUND).items()}
    schemas |= {f"schemas/{name}.json": file_schema(name, model) for name, model in FILES.items()}
    return schemas | {"asyncapi.json": asyncapi(), "openapi.json": openapi()}


def written(contract: Json) -> str:
    """A contract as its file's text."""
    return json.dumps(contract, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def is_inbound(path: str) -> bool:
    """Whether the schema in this file is of what others send, or write."""
    return path.removeprefix("schemas/").removesuffix(".json") in EVERY_INBOUND | FILES


def schema(name: str, model: type[BaseModel]) -> Json:
    """A message's JSON Schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{name}.json",
        **model.model_json_schema(),
        "title": name,
    }


def file_schema(name: str, model: type[BaseModel]) -> Json:
    """The JSON Schema of a file; where it has steps, with the settings of every verb."""
    made = schema(name, model)
    step = made["$defs"].get("ActionStep")
    if step is not None:
        _, settings = models_json_schema([(one, "validation") for one in ACTIONS.values()])
        made["$defs"] |= settings["$defs"]
        step.pop("patternProperties", None)
        step |= {"properties": {verb: {"$ref": f"#/$defs/{one.__name__}"} for verb, one in ACTIONS.items()}}
        step |= {"additionalProperties": False, "minProperties": 1, "maxProperties": 1}
    return made


def asyncapi() -> Json:
    """The topics as AsyncAPI 3.0; payloads are the schemas beside it."""
    types = [name for name in EVENTS if name not in OF_THE_EDGE]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Customer integration hub: topics",
            "version": "1",
            "description": "CloudEvents 1.0 in binary mode: attributes are headers `ce_<name>`, the data is the value. "
            "Structured mode is accepted on inbound topics.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {f"{'read' if topic in INBOUND else 'tell'}.{topic.name}": _operation(topic) for topic in TOPICS},
        "components": {
            "messages": {
                **{name: _message(name, name) for name in (*types, *OF_THE_EDGE)},
                **{name: _message(name.removeprefix("hub."), name) for name in NOTES},
                "any": _message("any other type", "occurrence"),
                **{name: _message(name, name) for name in ("profile.state", "profile.redirect")},
                **{name: _message(name, name) for name in OF_ACTIVITIES},
            },
            "schemas": {"attributes": _attributes()},
        },
    }


def _channel(topic: Topic) -> Json:
    configuration = {
        "cleanup.policy": ["compact" if topic.compacted else "delete"],
        "retention.ms": topic.retention_ms,
    }
    return {
        "address": topic.name,
        "description": f"{topic.description} Key: {topic.key}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages_of(topic)},
        "bindings": {"kafka": {"topic": topic.name, "topicConfiguration": configuration, "bindingVersion": "0.5.0"}},
    }


def _messages_of(topic: Topic) -> list[str]:
    if topic == PROFILES:
        return ["profile.state", "profile.redirect"]
    if topic == ACTIVITIES:
        return list(OF_ACTIVITIES)
    notes = NOTES if topic.name == HUB_TOPIC else ()
    return [*(name for name in EVENTS if inbound_topic(name) == topic.name), *notes, "any"]


def _operation(topic: Topic) -> Json:
    return {
        "action": "receive" if topic in INBOUND else "send",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": topic.description,
    }


def _message(title: str, schema_name: str) -> Json:
    return {
        "name": title,
        "headers": {"$ref": "#/components/schemas/attributes"},
        "payload": {
            "schemaFormat": "application/schema+json;version=2020-12",
            "schema": {"$ref": f"./schemas/{schema_name}.json"},
        },
    }


def _attributes() -> Json:
    """The headers of a record, out of the envelope."""
    fields = Envelope.model_json_schema()["properties"]
    properties = {
        f"ce_{name}": {"type": "string", "description": fields[name].get("description", "")} for name in ATTRIBUTES
    }
    properties["ce_specversion"] = {"type": "string", "const": "1.0"}
    required = ["ce_specversion", "ce_id", "ce_source", "ce_type"]
    return {"type": "object", "properties": properties, "required": required}
