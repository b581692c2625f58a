"""What the gateway says: status, headers and body as bytes, errors as RFC 9457 problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson

from hub.errors import Reject

Headers = Sequence[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")
PROBLEM = (b"content-type", b"application/problem+json")
ANY_ORIGIN = (b"access-control-allow-origin", b"*")
PREFLIGHT: Headers = (
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"content-type, content-encoding, idempotency-key"),
    (b"access-control-max-age", b"86400"),
)
HEADER_NAMES = frozenset(("authorization", "content-type", "content-encoding", "content-length", "idempotency-key"))
"""What a Reject may name as its field though it stands among the headers; names with `ce-` or `x-` in front as well."""

EXTRA: Mapping[int, Headers] = {
    HTTPStatus.UNAUTHORIZED: ((b"www-authenticate", b"Bearer"),),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ((b"accept-encoding", b"gzip, deflate, identity"),),
    HTTPStatus.SERVICE_UNAVAILABLE: ((b"retry-after", b"2"),),
}


class Answer(NamedTuple):
    """A whole response."""

    status: int
    headers: Headers
    body: bytes


def accepted(event_id: str) -> Answer:
    """202: the event is safe."""
    return _with_length(202, JSON, b'{"id":"%b"}' % event_id.encode())


def accepted_all(event_ids: Sequence[str]) -> Answer:
    """202: every event of the batch is safe."""
    return _with_length(202, JSON, orjson.dumps({"ids": list(event_ids)}))


def see_other(event_id: str, location: str) -> Answer:
    """303: the event is safe, and the visitor's browser goes on to `location`."""
    body = b'{"id":"%b"}' % event_id.encode()
    return Answer(303, ((b"location", location.encode("ascii")), JSON, _length(body)), body)


def document(status: int, content: Any) -> Answer:
    """Any JSON."""
    return _with_length(status, JSON, orjson.dumps(content))


def text(content_type: str, body: bytes) -> Answer:
    """200 with another sort of text."""
    return _with_length(200, (b"content-type", content_type.encode()), body)


def page(status: int, headers: Headers, body: bytes) -> Answer:
    """A page for people, its type among the headers."""
    return Answer(status, (*headers, _length(body)), body)


def problem(status: int, detail: str, *, names: str | None = None, extra: Headers = ()) -> Answer:
    """An error; `names` is the field or header that is wrong."""
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    if names is not None:
        content["header" if _is_header(names) else "field"] = _printable(names)
    body = orjson.dumps(content | {"detail": _printable(detail)})
    return Answer(status, (PROBLEM, _length(body), *EXTRA.get(status, ()), *extra), body)


def for_any_origin(answer: Answer) -> Answer:
    """The answer, readable for a page of whatever origin."""
    return Answer(answer.status, (*answer.headers, ANY_ORIGIN), answer.body)


def refused(wrong: Reject) -> Answer:
    """The problem that a Reject is."""
    return problem(wrong.status, str(wrong), names=wrong.field)


def _is_header(name: str) -> bool:
    return name in HEADER_NAMES or name.startswith(("ce-", "x-"))


def _printable(text: str) -> str:
    """A sender's own words may hold what no JSON can."""
    return text[:500].encode("utf-8", "replace").decode()


def _with_length(status: int, kind: tuple[bytes, bytes], body: bytes) -> Answer:
    return Answer(status, (kind, _length(body)), body)


def _length(body: bytes) -> tuple[bytes, bytes]:
    return (b"content-length", b"%d" % len(body))
