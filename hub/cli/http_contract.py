"""Both listeners as one OpenAPI document: the console's made by its application, the gateway's written here."""

from __future__ import annotations

from functools import cache
from typing import Any

Json = dict[str, Any]

GATEWAY = {"url": "http://127.0.0.1:8080", "description": "The gateway: takes events in."}
CONSOLE = {"url": "http://127.0.0.1:8090", "description": "The console: answers questions."}
ID = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "format": "uuid"}}}
IDS = {
    "type": "object",
    "required": ["ids"],
    "properties": {"ids": {"type": "array", "items": {"type": "string", "format": "uuid"}}},
}


def openapi() -> Json:
    """OpenAPI 3.1 of everything that is spoken over HTTP."""
    document = _console()
    paths = {path: {"servers": [GATEWAY], **methods} for path, methods in _gateway().items()}
    schemes = {**document["components"]["securitySchemes"], "WriteKey": {"type": "http", "scheme": "basic"}}
    components = {**document["components"], "securitySchemes": schemes}
    return {**document, "servers": [CONSOLE], "paths": {**document["paths"], **paths}, "components": components}


@cache
def _console() -> Json:
    from hub.api.app import create_app
    from hub.settings import Settings

    return create_app(Settings(), None, _no_lag, {}).openapi()


async def _no_lag() -> Json:
    raise NotImplementedError


def _gateway() -> Json:
    return {
        "/in/{source}": {"post": _post_to_source()},
        "/events": {"post": _post_events()},
        "/v1/{call}": {"post": _post_tracking()},
        "/unsubscribe/{token}": {"get": _unsubscribing("get"), "post": _unsubscribing("post")},
    }


def _post_to_source() -> Json:
    source = {
        "name": "source",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
        "description": "A source instance of hub.toml.",
    }
    bodies = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
    return {
        "operationId": "post_to_source",
        "tags": ["gateway"],
        "summary": "Hand in an event in the words of a source's kind.",
        "parameters": [source],
        "requestBody": {"required": True, "content": {body: {"schema": {}} for body in bodies}},
        "responses": {**_accepted(ID), "303": {"description": "Safe; a form's visitor is led on."}, **_refused()},
    }


def _post_events() -> Json:
    events = {
        "application/json": {"$ref": "./schemas/occurrence.json"},
        "application/cloudevents+json": {"$ref": "./schemas/envelope.json"},
        "application/cloudevents-batch+json": {"type": "array", "items": {"$ref": "./schemas/envelope.json"}},
    }
    return {
        "operationId": "post_events",
        "tags": ["gateway"],
        "summary": "Hand in CloudEvents 1.0: binary (headers `ce-…`), structured, or a batch.",
        "security": [{"HTTPBearer": []}],
        "requestBody": {"required": True, "content": {body: {"schema": shape} for body, shape in events.items()}},
        "responses": {**_accepted({"oneOf": [ID, IDS]}), **_refused()},
    }


def _post_tracking() -> Json:
    calls = ["identify", "track", "page", "screen", "group", "alias", "batch", "import"]
    call = {"name": "call", "in": "path", "required": True, "schema": {"type": "string", "enum": calls}}
    success = {"type": "object", "required": ["success"], "properties": {"success": {"const": True}}}
    safe = {"description": "Safe on the broker.", "content": {"application/json": {"schema": success}}}
    return {
        "operationId": "post_tracking",
        "tags": ["gateway"],
        "summary": "Hand in tracking calls as the client libraries of Segment and RudderStack make them.",
        "description": "The write key is Basic's user, a bearer token, or `writeKey` in the body.",
        "security": [{"WriteKey": []}, {"HTTPBearer": []}, {}],
        "parameters": [call],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {"200": safe, **_refused()},
    }


def _unsubscribing(method: str) -> Json:
    token = {"name": "token", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 1024}}
    page = {"content": {"text/html": {"schema": {"type": "string"}}}}
    away = {"503": _refused()["503"]} if method == "post" else {}
    return {
        "operationId": f"{method}_unsubscribe",
        "tags": ["gateway"],
        "summary": "Take a consent back by the link of a mail." if method == "post" else "The page behind that link.",
        "security": [{}],
        "parameters": [token],
        "responses": {
            "200": {"description": "Taken back." if method == "post" else "One button.", **page},
            "404": {"description": "No link of this hub.", **page},
            **away,
        },
    }


def _accepted(answer: Json) -> Json:
    return {"202": {"description": "Safe on the broker.", "content": {"application/json": {"schema": answer}}}}


def _refused() -> Json:
    from hub.api.problems import responses

    found = responses(400, 401, 403, 404, 405, 408, 413, 415, 422, 503)
    return {str(status): answer for status, answer in found.items()}
