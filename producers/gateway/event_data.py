"""The data of a CloudEvent: a JSON object of the shape that its type has, in texts that can be kept."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from hub.errors import Reject, Unreadable
from producers.texts import read_json, unclean_path
from schemas.events import shape_of


def of_binary(body: bytes, essence: str) -> Any:
    """The data of binary mode: the body, of the content type that goes with it. Raises Unreadable or Reject."""
    if not body:
        return None
    if not _is_json(essence):
        raise Unreadable(f"data is a JSON object, not {essence[:80]}", "datacontenttype")
    return _json(body, "data")


def of_structured(event: Mapping[str, Any]) -> Any:
    """The data of structured mode: `data`, or JSON in `data_base64`. Raises Unreadable or Reject."""
    packed = event.get("data_base64")
    if packed is None:
        return event.get("data")
    try:
        body = b64decode(packed, validate=True)
    except (ValueError, TypeError) as error:
        raise Unreadable(f"data_base64 is no base64: {error}", "data_base64") from error
    return _json(body, "data_base64") if body else None


def checked(event_type: str, data: Any) -> dict[str, Any]:
    """The data as it goes on. Raises Unreadable for no object, Reject where it has not the type's shape."""
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise Unreadable("data is a JSON object", "data")
    path = unclean_path(data)
    if path is not None:
        raise Reject("the text holds the character NUL or a lone surrogate", f"data.{path}")
    data.pop("raw", None)  # the hub's own word for the body as it came
    try:
        shape_of(event_type).model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Reject(str(first["msg"]), ".".join(("data", *map(str, first["loc"])))) from error
    return data


def _json(body: bytes, name: str) -> Any:
    try:
        return read_json(body)[0]
    except Unreadable as error:
        raise Unreadable(str(error), name) from error


def _is_json(essence: str) -> bool:
    return essence in {"", "application/json", "text/json"} or essence.endswith("+json")
