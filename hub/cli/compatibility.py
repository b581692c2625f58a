"""What a change of a contract breaks for others. Pure: two documents in, sentences out.

Others *send* what is inbound: nothing that was fine may be refused now. Others *read* what is outbound: nothing that
they could count on may be absent or other now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

Json = Mapping[str, Any]
Direction = Literal["inbound", "outbound"]

LIMITS = {"maxLength": 1, "maximum": 1, "maxItems": 1, "minLength": -1, "minimum": -1, "minItems": -1}
"""Bounds, and the sign of the direction in which each lets more through."""

METHODS = ("get", "post", "put", "patch", "delete")


def schema_breaks(old: Json, new: Json, direction: Direction) -> list[str]:
    """What breaks between two JSON Schemas, each with the path of the place."""
    return list(_Comparison(old, new, direction).at(old, new, "", frozenset()))


class _Comparison:
    """Two documents side by side; `$ref` is followed within each."""

    def __init__(self, old: Json, new: Json, direction: Direction) -> None:
        self._old, self._new = old, new
        self._inbound = direction == "inbound"

    def at(self, old: Json, new: Json, path: str, seen: frozenset[tuple[str, str]]) -> Iterator[str]:
        step = (str(old.get("$ref")), str(new.get("$ref")))
        if "$ref" in old and step in seen:
            return
        seen |= {step}
        olds, news = _alternatives(self._old, old), _alternatives(self._new, new)
        yield from self._types(olds, news, path or "the message")
        for sort, one in olds.items():
            if sort in news:
                yield from self._alike(one, news[sort], path, seen)

    def _types(self, olds: Mapping[str, Json], news: Mapping[str, Json], path: str) -> Iterator[str]:
        if self._inbound and "any" not in news:
            for sort in sorted(olds.keys() - news.keys()):
                if not (sort == "integer" and "number" in news):
                    yield f"{path}: {sort} is taken no longer"
        if not self._inbound and "any" not in olds:
            for sort in sorted(news.keys() - olds.keys()):
                if not (sort == "integer" and "number" in olds):
                    yield f"{path}: may be {sort} now"

    def _alike(self, old: Json, new: Json, path: str, seen: frozenset[tuple[str, str]]) -> Iterator[str]:
        yield from self._values(old, new, path)
        yield from self._required(old, new, path)
        for name, one in old.get("properties", {}).items():
            inner = f"{path}.{name}".lstrip(".")
            if name not in new.get("properties", {}):
                yield f"{inner}: is gone"
            else:
                yield from self.at(one, new["properties"][name], inner, seen)
        for word in ("items", "additionalProperties"):
            one, other = old.get(word, True), new.get(word, True)
            if isinstance(one, dict) and isinstance(other, dict):
                yield from self.at(one, other, f"{path}[]", seen)
            elif self._inbound and one is not False and other is not one:
                yield f"{path or 'the message'}: takes fewer {word}"

    def _required(self, old: Json, new: Json, path: str) -> Iterator[str]:
        before, after = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(after - before if self._inbound else before - after):
            word = "is required now" if self._inbound else "may be absent now"
            if self._inbound or name in new.get("properties", {}):
                yield f"{path}.{name}: {word}".lstrip(".")

    def _values(self, old: Json, new: Json, path: str) -> Iterator[str]:
        where = path or "the message"
        before, after = _choices(old), _choices(new)
        if self._inbound:
            if after is not None and (before is None or before - after):
                yield f"{where}: fewer values are taken"
            if new.get("pattern") not in {None, old.get("pattern")}:
                yield f"{where}: another pattern is asked for"
            yield from (
                f"{where}: {word} is narrower" for word, sign in LIMITS.items() if _narrower(old, new, word, sign)
            )
        elif before is not None and (after is None or after - before):
            yield f"{where}: may have other values now"


def _alternatives(document: Json, schema: Json) -> dict[str, Json]:
    """The types that a schema lets through, each with the schema that speaks of it; `any` for all of them."""
    schema = _resolved(document, schema)
    branches = schema.get("anyOf") or schema.get("oneOf")
    if branches:
        return {sort: one for branch in branches for sort, one in _alternatives(document, branch).items()}
    sorts = schema.get("type")
    if sorts is None:
        values = _choices(schema)
        return {_sort_of(value): schema for value in values} if values else {"any": schema}
    return dict.fromkeys([sorts] if isinstance(sorts, str) else sorts, schema)


def _resolved(document: Json, schema: Json) -> Json:
    while isinstance(schema.get("$ref"), str) and schema["$ref"].startswith("#/"):
        found: Any = document
        for part in schema["$ref"][2:].split("/"):
            found = found[part]
        schema = found
    return schema


def _choices(schema: Json) -> set[Any] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None


def _sort_of(value: Any) -> str:
    return {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}.get(type(value), "any")


def _narrower(old: Json, new: Json, word: str, sign: int) -> bool:
    before, after = old.get(word), new.get(word)
    return after is not None and (before is None or (before - after) * sign > 0)


def topic_breaks(old: Json, new: Json) -> list[str]:
    """What breaks between two AsyncAPI documents: topics and messages that are gone, other keeping."""
    found = []
    for name, channel in old["channels"].items():
        now = new["channels"].get(name)
        if now is None:
            found.append(f"topic {name}: is gone")
            continue
        gone = channel["messages"].keys() - now["messages"].keys()
        found += [f"topic {name}: {message} travels on it no longer" for message in sorted(gone)]
        before, after = (one["bindings"]["kafka"]["topicConfiguration"] for one in (channel, now))
        if before["cleanup.policy"] != after["cleanup.policy"]:
            found.append(f"topic {name}: is kept in another way")
    return found


def http_breaks(old: Json, new: Json) -> list[str]:
    """What breaks between two OpenAPI documents: addresses, parameters and answers."""
    return [sentence for place in _operations(old) for sentence in _operation_breaks(place, old, new)]


def _operations(document: Json) -> Iterator[tuple[str, str]]:
    for path, methods in document["paths"].items():
        yield from ((path, method) for method in METHODS if method in methods)


def _operation_breaks(place: tuple[str, str], old: Json, new: Json) -> Iterator[str]:
    path, method = place
    before, after = old["paths"][path][method], new["paths"].get(path, {}).get(method)
    where = f"{method.upper()} {path}"
    if after is None:
        yield f"{where}: is gone"
        return
    known = {one["name"]: one for one in before.get("parameters", ())}
    now = {one["name"]: one for one in after.get("parameters", ())}
    yield from (f"{where}: the parameter {name} is gone" for name in sorted(known.keys() - now.keys()))
    for name, parameter in now.items():
        if parameter.get("required") and not known.get(name, {}).get("required"):
            yield f"{where}: the parameter {name} is required now"
        if name in known:
            sides = _Comparison(old, new, "inbound")
            yield from (
                f"{where}: {said}" for said in sides.at(known[name]["schema"], parameter["schema"], name, frozenset())
            )
    for status, answer in before["responses"].items():
        yield from (f"{where}: {said}" for said in _answer_breaks(status, answer, after, (old, new)))


def _answer_breaks(status: str, before: Json, operation: Json, documents: tuple[Json, Json]) -> Iterator[str]:
    after = operation["responses"].get(status)
    if after is None:
        if status.startswith(("2", "3")):
            yield f"never answers {status} any more"
        return
    for kind, content in before.get("content", {}).items():
        other = after.get("content", {}).get(kind)
        if other is None:
            yield f"{status} is no longer {kind}"
        else:
            old, new = documents
            yield from _Comparison(old, new, "outbound").at(
                content.get("schema", {}), other.get("schema", {}), status, frozenset()
            )
