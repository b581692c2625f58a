"""Settings: `hub.toml` for instances, environment (`HUB_…`) for addresses and overrides; read once, at the door.

`HUB_CONFIG` names the file, else `hub.toml` in the working folder; none of the two: the defaults.
`HUB_KAFKA__SERVERS`, `HUB_POSTGRES__URL`, `HUB_REDIS__URL` and every other key win over the file
(two underscores go one table down; a `_FILE` at the end reads the value from that file).
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from hub.errors import Misconfigured
from schemas.funnel import Funnel

Scope = Literal[
    "events:write", "profiles:read", "profiles:write", "profiles:erase", "operations:read", "operations:write"
]
SCOPES: tuple[Scope, ...] = get_args(Scope)
OWN_NAME = "hub"
"""What the hub calls itself as a source of events: no instance and no key may bear it."""


def one_or_several(value: object) -> object:
    """A text as a tuple of one, everything else as it is."""
    return (value,) if isinstance(value, str) else value


OneOrSeveral = Annotated[tuple[str, ...], BeforeValidator(one_or_several)]
"""A text, or a list of texts."""
Address = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)]


_WRITER = re.compile(r"([^<>@\r\n]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)")


T = TypeVar("T")


def _not_ours(named: dict[str, T]) -> dict[str, T]:
    if OWN_NAME in named:
        raise ValueError(f"{OWN_NAME!r} is what the hub calls itself: take another name")
    return named


class Table(BaseModel):
    """A table of hub.toml: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Instance(BaseModel):
    """A source or destination: its kind's own settings travel along and are read by the component."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: str = Field(description="Which component: see `hub config check --kinds`.")

    @property
    def own(self) -> dict[str, Any]:
        """What the file says beside the kind."""
        return dict(self.model_extra or {})


class Listener(Table):
    """Where one of the two web servers listens."""

    listen: str = Field(description="host:port")

    @property
    def host(self) -> str:
        """The part before the last colon, without the brackets of IPv6."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The part behind the last colon."""
        return int(self.listen.rpartition(":")[2])


class Key(Table):
    """An API key: `Authorization: Bearer <secret>`."""

    secret: str | None = Field(default=None, description="The secret itself, or")
    secret_file: Path | None = Field(default=None, description="the file that holds it.")
    scopes: tuple[Scope, ...] = Field(default=(), description="What it opens.")


class Kafka(Table):
    """The brokers; without servers the embedded one runs."""

    servers: tuple[str, ...] = Field(default=(), description="host:port, one or several.")
    prefix: str = Field(default="", description="Put before every topic and group name.")
    replication: int = Field(default=1, ge=1, description="Copies of each partition that the hub's own topics get.")
    partitions: int = Field(default=8, ge=1, description="Partitions of each topic the hub creates.")


class Postgres(Table):
    """The database; without a url the embedded one runs."""

    url: str | None = Field(default=None, description="postgresql://user@host/database")
    pool: int = Field(default=8, ge=2, description="Connections per process at the most.")


class Redis(Table):
    """The cache; without a url the embedded one runs. It may be lost at any time."""

    url: str | None = Field(default=None, description="redis://host:port/0")


class Embedded(Table):
    """The private servers of one machine."""

    maven_mirror: str | None = Field(default=None, description="Address of a Maven mirror for Kafka's jars.")


class Survivorship(Table):
    """Which of several statements of a field counts, where the defaults of docs/fields.md do not suit."""

    strategy: dict[str, str] = Field(default={}, description="Field → strategy.")
    priority: dict[str, OneOrSeveral] = Field(default={}, description="Field → source names, the first wins.")


class Identity(Table):
    """Who is who, where the lists of the hub do not suffice."""

    blocked: OneOrSeveral = Field(
        default=(), description="Addresses, *@domains and numbers that stand for nobody in particular."
    )


class Mail(Table):
    """The hub's own mail: who takes it, and who it is from. Without a relay no rule may send any."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    relay: str | None = Field(default=None, description="host:port of a mail server that takes the hub's mail.")
    sender: str | None = Field(default=None, alias="from", description="hello@example.com, or Example <hello@…>.")
    tls: Literal["never", "if_offered", "always"] = Field(
        default="if_offered", description="STARTTLS on the way to the relay."
    )
    user: str | None = Field(default=None, description="Who the hub is to the relay; none: nobody asks.")
    password: str | None = Field(default=None, repr=False, description="The password itself, or")
    password_file: Path | None = Field(default=None, description="the file that holds it.")
    retry_seconds: tuple[float, ...] = Field(
        default=(), description="Waits between tries, for demos. Default: two days."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Mail:
        if (self.relay is None) is not (self.sender is None):
            raise ValueError("needs `relay` and `from`, both of them")
        if self.relay is not None and not self.relay.rpartition(":")[2].isdigit():
            raise ValueError("the relay is host:port")
        if self.sender is not None and not _WRITER.fullmatch(self.sender):
            raise ValueError("`from` is hello@example.com, or Example <hello@example.com>")
        if bool(self.user) is not bool(self.password or self.password_file) or (self.password and self.password_file):
            raise ValueError("a user needs `password` or `password_file`, one of them")
        return self


class Team(Table):
    """People of ours who share work."""

    members: Annotated[tuple[Address, ...], BeforeValidator(one_or_several)] = Field(
        min_length=1, description="Their addresses."
    )


class Rules(Table):
    """What happens by itself; one file a rule, see docs/reference/rules.md."""

    folder: Path = Field(default=Path("rules"), description="Where the files are.")
    apply: bool = Field(default=True, description="Take the files over at every start.")
    time_scale: float = Field(
        default=1.0, gt=0, le=1, description="Every wait lasts this part of its time: for demos and trials."
    )


class Settings(Table):
    """Everything that hub.toml may hold (design §9); a component's own keys are checked by its kind."""

    state: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("hub")), description="Folder of the embedded servers."
    )
    region: str | None = Field(default=None, description="Country of phones that name none, where a source names none.")
    gateway: Listener = Listener(listen="127.0.0.1:8080")
    console: Listener = Listener(listen="127.0.0.1:8090")
    keys: Annotated[dict[str, Key], AfterValidator(_not_ours)] = {}
    sources: Annotated[dict[str, Instance], AfterValidator(_not_ours)] = {}
    destinations: dict[str, Instance] = {}
    kafka: Kafka = Kafka()
    postgres: Postgres = Postgres()
    redis: Redis = Redis()
    embedded: Embedded = Embedded()
    survivorship: Survivorship = Survivorship()
    identity: Identity = Identity()
    teams: dict[str, Team] = {}
    mail: Mail = Mail()
    rules: Rules = Rules()
    funnel: Funnel = Funnel()


def load(path: Path | None = None) -> Settings:
    """The settings of this process. Raises Misconfigured with every wrong key by name, one on a line."""
    around = environment()
    chosen = path or Path(around.get("HUB_CONFIG", "hub.toml"))
    if not chosen.exists() and (path or "HUB_CONFIG" in around):
        raise Misconfigured(f"{chosen}: no such file; `hub init` writes a commented one")
    try:
        tables = tomllib.loads(chosen.read_text(encoding="utf-8")) if chosen.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise Misconfigured(f"{chosen}: {error}") from error
    return check(overlay(tables, around))


def environment() -> dict[str, str]:
    """The environment of this process, for its settings and for its children."""
    return dict(os.environ)


def check(tables: dict[str, Any]) -> Settings:
    """Settings out of plain tables. Raises Misconfigured that lists everything wrong at once."""
    try:
        return Settings.model_validate(tables)
    except ValidationError as error:
        raise Misconfigured(
            "\n".join(f"{'.'.join(str(part) for part in at['loc'])}: {at['msg']}" for at in error.errors())
        ) from error


def overlay(tables: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    """The file's tables with what the environment says on top: HUB_STATE, HUB_KAFKA__SERVERS and so on."""
    merged = dict(tables)
    for name, value in sorted(environment.items()):
        path = name.removeprefix("HUB_").lower().split("__")
        if name.startswith("HUB_") and path[0] in Settings.model_fields:
            merged = _put(merged, path, value)
    return merged


def _put(table: dict[str, Any], path: list[str], value: str) -> dict[str, Any]:
    name, *rest = path
    if rest:
        return {**table, name: _put(dict(table.get(name, {})), rest, value)}
    if name.endswith("_file") and name != "secret_file":
        name, value = name.removesuffix("_file"), read_secret(Path(value))
    return {**table, name: _typed(name, value)}


def _typed(name: str, value: str) -> Any:
    """Lists are written with commas in the environment; everything else is text that pydantic reads."""
    if name in {"servers", "scopes", "keys", "redirects", "stages", "out"}:
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def read_secret(path: Path) -> str:
    """The text of a secret's file without the line end. Raises Misconfigured where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from error


def read_secrets(given: tuple[str, ...], file: Path | None) -> tuple[str, ...]:
    """A component's secrets, as they stand in its table or one a line in the file. Raises ValueError in words."""
    if bool(given) == bool(file):
        raise ValueError("needs `secret` or `secret_file`, and one of them alone")
    try:
        return tuple(filter(None, map(str.strip, read_secret(file).splitlines()))) if file else given
    except Misconfigured as error:
        raise ValueError(str(error)) from error


def key_secret(name: str, key: Key) -> str:
    """The secret of an API key. Raises Misconfigured where there is none or both are given."""
    secret = read_secret(key.secret_file) if key.secret_file else key.secret
    if not secret or (key.secret and key.secret_file):
        raise Misconfigured(f"keys.{name}: needs `secret` or `secret_file`, and one of them alone")
    return secret
