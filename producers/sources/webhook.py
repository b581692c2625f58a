"""Any tool that posts JSON with a signature or a secret: where both stand is configuration, and so is what it means.

A preset is a file of defaults for the table in hub.toml, in `presets/`: data, no code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from string import Template
from typing import Annotated, Any

import pydantic
from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from hub import clock
from hub.components import Reading, Request, Sample, Source
from hub.errors import Misconfigured, Reject, Unreadable, WrongType
from producers import forms
from producers.event_rules import Rule
from producers.field_maps import Delivery, Field, Name, OneField, OneText, event_data
from producers.gateway.event_data import checked
from producers.gateway.records import hash_of_bytes
from producers.signatures import Signature, Signed, Token
from producers.texts import media_type, read_json

PRESETS = files("producers.sources") / "presets"
FORM = "application/x-www-form-urlencoded"
JSON_TYPES = frozenset({"", "application/json", "text/json", "text/plain", FORM})
"""What senders call JSON; some call it a form."""

IGNORED = "source.ignored"
LONGEST_NOTE = 256


@lru_cache(maxsize=1)
def presets() -> dict[str, dict[str, Any]]:
    """Every preset by its name: a table that stands below the instance's own."""
    found = sorted((path for path in PRESETS.iterdir() if path.name.endswith(".toml")), key=lambda path: path.name)
    return {path.name.removesuffix(".toml"): tomllib.loads(path.read_text(encoding="utf-8")) for path in found}


def _known(preset: str | None) -> str | None:
    if preset is not None and preset not in presets():
        raise ValueError(f"there is no preset {preset!r}; there are {', '.join(presets())}")
    return preset


class Example(BaseModel):
    """An event to try the source with; `${id}`, `${at}` and `${seconds}` in it are filled in."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    headers: dict[str, str] = {}
    body: str


class Settings(Signed):
    """A webhook's table in hub.toml."""

    preset: Annotated[str | None, AfterValidator(_known)] = pydantic.Field(
        default=None, description="A tool that is known: its signature and its events. What stands here goes first."
    )
    signature: Signature | None = pydantic.Field(default=None, description="How the tool signs, or")
    token: Token | None = pydantic.Field(
        default=None, description="where it shows the secret itself, if it signs nothing."
    )
    topic: OneText | None = pydantic.Field(
        default=None, description="What the tool calls an event: noted where no rule of `events` fits."
    )
    id: OneText | None = pydantic.Field(
        default=None, description="What makes two deliveries the same one. Absent: the same bytes."
    )
    time: OneText | None = pydantic.Field(default=None, description="When it happened. Absent: its arrival.")
    events: tuple[Rule, ...] = pydantic.Field(default=(), description="Rules: which deliveries become which event.")
    fields: dict[Name, OneField] = pydantic.Field(
        default={}, description="Fields that every event gets, instead of those of its rule that have the same name."
    )
    sample: Example | None = pydantic.Field(default=None, description="An event for `hub sources test`.")

    @model_validator(mode="before")
    @classmethod
    def _upon_preset(cls, own: Any) -> Any:
        below = presets().get(str(own.get("preset"))) if isinstance(own, dict) else None
        return _laid_upon(own, below) if below else own

    @model_validator(mode="after")
    def _provable(self) -> Settings:
        if (self.signature is None) == (self.token is None):
            raise ValueError("needs `preset`, `signature` or `token`, the latter two not together")
        if not self.events:
            raise ValueError("needs `preset` or `events`: nothing would be read")
        if self.signature:
            self.signature.check(self.secret)
        return self


def _laid_upon(own: dict[str, Any], below: Mapping[str, Any]) -> dict[str, Any]:
    """The instance's own words over those of its preset; its rules come before the preset's."""
    table = {**below, **own}
    signature, rules = own.get("signature"), own.get("events", [])
    if own.get("token") is not None and signature is None:
        table.pop("signature", None)
    elif isinstance(signature, dict):
        table["signature"] = {**below.get("signature", {}), **signature}
    if isinstance(rules, list | tuple):
        table["events"] = [*rules, *below["events"]]
    return table


def verify(settings: Settings, request: Request) -> None:
    """Raises BadProof for a wrong proof, WrongType where the body says that it is neither JSON nor a form."""
    proof = settings.signature or settings.token
    if proof is not None:
        proof.verify(settings.secret, request)
    essence, _ = media_type(request.headers.get("content-type", ""))
    if essence not in JSON_TYPES and not essence.endswith("+json"):
        raise WrongType(f"the body is JSON or urlencoded here, not {essence[:100]!r}", "content-type")


def read(settings: Settings, request: Request) -> Sequence[Reading]:
    """One event, `source.ignored` where no rule fits. Raises Unreadable, or Reject with the field."""
    body = _document(request)
    delivery = Delivery(body, body, request.headers)
    rule = next((rule for rule in settings.events if rule.fits(delivery)), None)
    event_type = rule.type_of(delivery) if rule else None
    stated = _said(rule.id if rule and rule.id else settings.id, delivery, "id")
    identity = stated or hash_of_bytes(request.raw_body)
    if rule is None or event_type in {None, IGNORED}:
        topic = _said(settings.topic, delivery, "topic")
        return [Reading(IGNORED, identity, {"topic": topic[:LONGEST_NOTE]} if topic else {})]
    data = checked(str(event_type), event_data({**rule.fields, **settings.fields}, delivery, rule.begun(delivery)))
    return [Reading(str(event_type), identity, data, time=_said(rule.time or settings.time, delivery, "time"))]


def _said(field: Field | None, delivery: Delivery, name: str) -> str | None:
    return event_data({name: field}, delivery).get(name) if field else None


def _document(request: Request) -> Any:
    content_type = request.headers.get("content-type", "")
    if media_type(content_type)[0] == FORM and not request.body.lstrip().startswith((b"{", b"[")):
        return forms.parse(request.body, content_type).fields
    value, unclean = read_json(request.body)
    if unclean is not None:
        raise Reject("the text holds the character NUL or a lone surrogate", unclean)
    if not isinstance(value, dict | list):
        raise Unreadable("the body is no JSON object")
    return value


def heeds(settings: Settings) -> Collection[str]:
    """The headers that its words name, `@X-WC-Webhook-Topic`."""
    return {word[1:].lower() for word in _texts(settings.model_dump(exclude={"secret"})) if word.startswith("@")}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for pair in value.items() for one in pair for text in _texts(one))
    elif isinstance(value, list | tuple):
        yield from (text for one in value for text in _texts(one))


def sign(settings: Settings, body: bytes, at: str, identity: str) -> Mapping[str, str]:
    """The headers that prove this body at that time; a delivery's id that stands in a header is one of them."""
    secret = settings.secret[0]
    told = clock.parse(at)
    stated = {word[1:].lower(): identity for word in (settings.id.first if settings.id else ()) if word.startswith("@")}
    if settings.signature:
        return stated | settings.signature.headers(secret, body, int(told.timestamp()) if told else 0, identity)
    return stated | (settings.token.headers(secret) if settings.token else {})


def sample(settings: Settings, at: str, identity: str) -> Sample:
    """The example of the preset, or the table's own. Raises Misconfigured where there is none."""
    if settings.sample is None:
        raise Misconfigured(
            "this webhook has no `sample`: a table with `body`, and `headers` where its rules ask for some"
        )
    told = clock.parse(at)
    words = {"id": identity, "at": at, "seconds": str(int(told.timestamp()) if told else 0)}
    headers = {name.lower(): Template(value).safe_substitute(words) for name, value in settings.sample.headers.items()}
    query = {settings.token.query: settings.secret[0]} if settings.token and settings.token.query else {}
    body = Template(settings.sample.body).safe_substitute(words)
    return Sample(body.strip().encode(), {"content-type": "application/json"} | headers, query)


WEBHOOK = Source(
    name="webhook",
    description="Any tool that posts JSON with a signature or a secret; presets know some tools already.",
    settings=Settings,
    verify=verify,
    read=read,
    heeds=heeds,
    sign=sign,
    sample=sample,
)
