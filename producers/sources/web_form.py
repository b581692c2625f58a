"""Web forms: what a visitor's browser posts, urlencoded, as multipart or as JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.components import Reading, Request, Sample, Source
from hub.errors import BadProof, Reject, Unreadable
from producers.forms import Form, parse

LONGEST_TEXT = 4096
"""Characters of a field that stands on top, but for the message (see schemas.identifiers.Text)."""

LONGEST_KEY = 1024
TOP = frozenset(("name", "given_name", "family_name", "email", "phone", "company", "message", "submitted_at"))
OURS = frozenset(("key", "redirect", "website"))
"""Fields that speak to the hub; they are no business data."""

TEXTS = TOP | OURS

HOST = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$"
UNFIT_FOR_LOCATION = re.compile(r"[\x00-\x20\x7f\\]")


class Settings(BaseModel):
    """A form's table in hub.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    keys: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(
        min_length=1, description="What `?key=` or the hidden field `key` holds; may be public. Any of them opens."
    )
    redirects: tuple[Annotated[str, StringConstraints(to_lower=True, pattern=HOST)], ...] = Field(
        default=(), description="Host names that the form field `redirect` may lead to."
    )
    region: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] | None = Field(
        default=None, description="Country of phones that name none, two letters."
    )
    trust: bool | None = Field(
        default=None,
        description="true: believe the form as if its key were secret. Default: it is a stranger's word.",
    )


def verify(settings: Settings, request: Request) -> None:
    """Raises BadProof without a known key; WrongType or Unreadable for a body in which no key can be looked for."""
    form = _form(request)
    given = request.query.get("key") or form.first("key") or ""
    offered = given.encode("utf-8", "surrogatepass")
    if not sum(compare_digest(key.encode(), offered) for key in settings.keys):  # all of them, whichever fits
        raise BadProof("a form needs its key, as `?key=` or as the hidden field `key`", "key")


def read(settings: Settings, request: Request) -> Sequence[Reading]:
    """One `form.submitted`. Raises Unreadable for an empty body, Reject for a field that is wrong."""
    form = _form(request)
    if not form.fields and not form.files:
        raise Unreadable("the body holds no field")
    data = _data(form)
    return [
        Reading(
            type="form.submitted",
            natural_id=_natural_id(data, form, request),
            data=data,
            time=data.get("submitted_at"),
            redirect=_redirect(settings, form.first("redirect")),
        )
    ]


def _form(request: Request) -> Form:
    return _parsed(request.body, request.headers.get("content-type", ""), TEXTS)


# Proof and reading follow each other and look at the same form: it is parsed once.
_parsed = lru_cache(maxsize=1)(parse)


def _data(form: Form) -> dict[str, Any]:
    data: dict[str, Any] = {}
    others: dict[str, str | list[str]] = {}
    for name, value in form.fields.items():
        if name not in TEXTS:
            others[name] = value
        elif value and name in TOP:
            data[name] = value
    for name, value in data.items():
        if isinstance(value, list):
            data[name], further = _first_and_further(value)
            others |= {name: further} if further else {}
        if len(data[name]) > LONGEST_TEXT and name != "message":
            raise Reject(f"the field holds more than {LONGEST_TEXT} characters", name)
    if others:
        data["fields"] = others
    if form.files:
        data["files"] = [file.noted() for file in form.files]
    if form.first("website"):
        data["spam"] = True
    return data


def _first_and_further(values: list[str]) -> tuple[str, str | list[str]]:
    """A field that stands on top once and came several times: what differs from the first is kept among the others."""
    first = next(filter(None, values), "")
    further = [value for value in values if value not in {"", first}]
    return first, further[0] if len(further) == 1 else further


def _natural_id(data: dict[str, Any], form: Form, request: Request) -> str:
    """What makes two posts the same one: the sender's word for it, else what was read on one day."""
    given = request.headers.get("idempotency-key")
    if given and len(given) > LONGEST_KEY:
        raise Unreadable(f"longer than {LONGEST_KEY} characters", "idempotency-key")
    if given:
        return f"idempotency-key {given}"
    what = orjson.dumps([data, [file.digest() for file in form.files]], option=orjson.OPT_SORT_KEYS)
    return f"{request.received_at[:10]} {blake2b(what, digest_size=16).hexdigest()}"


def _redirect(settings: Settings, wanted: str | None) -> str | None:
    """Where the visitor may be led: a listed host, nothing that a browser reads otherwise than we do."""
    if not wanted or not settings.redirects or UNFIT_FOR_LOCATION.search(wanted):
        return None
    try:
        parts = urlsplit(wanted)
        listed = {parts.hostname, parts.netloc.lower()} & set(settings.redirects)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc or not parts.netloc.isascii() or not listed:
        return None
    return quote(wanted, safe="%/:=&?~#+!$,;'@()*[]")


def _sample(settings: Settings, at: str, identity: str) -> Sample:
    """A visitor of the hub's own test."""
    form = {"name": "Hub Test", "email": "hub-test@example.com", "message": "A test event.", "submitted_at": at}
    headers = {"content-type": "application/json", "idempotency-key": identity}
    return Sample(orjson.dumps(form), headers, {"key": settings.keys[0]})


WEB_FORM = Source(
    name="web_form",
    description="Forms of web sites: urlencoded, multipart or JSON, with a public key.",
    settings=Settings,
    verify=verify,
    read=read,
    public=True,
    sample=_sample,
)
