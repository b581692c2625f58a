"""Signatures over requests, as values: where one stands, what it signs, how it is written. One check for all."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from hub import clock
from hub.components import Request
from hub.errors import BadProof
from hub.settings import read_secrets
from hub.tables import OneOrSeveral

MOST_SIGNATURES = 16
"""Signatures of one header that are looked at: a tool sends one per secret that it has."""

LONGEST_TIME = 40
SECONDS, MILLISECONDS = 11, 13
"""Digits of a time in seconds, at the most, and in milliseconds (from 2001 to 2286)."""

WORDS = frozenset(("{body}", "{timestamp}", "{id}"))


class Signed(BaseModel):
    """What the table of every source with a secret holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    secret_file: Path | None = Field(
        default=None, description="The file that holds the secret, or several, one a line."
    )
    secret: OneOrSeveral = Field(
        default=(),
        validate_default=True,
        repr=False,
        description="What the tool signs with; while it is being changed, a list: any of them verifies.",
    )
    region: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = Field(
        default=None, description="Country of phones that name none, two letters."
    )
    trust: bool | None = Field(
        default=None, description="false: what it says is a stranger's word. Default: believed, its secret proves it."
    )

    @field_validator("secret")
    @classmethod
    def _there(cls, secrets: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        secrets = read_secrets(secrets, info.data.get("secret_file"))
        if not secrets or not all(secret.strip() for secret in secrets):
            raise ValueError("an empty secret proves nothing")
        return secrets


class Signature(BaseModel):
    """How a tool signs.

    `signs` is a template of the signed bytes: `{body}` is the raw body, `{timestamp}` and `{id}` are texts of headers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    header: str = Field(description="Name of the header with the signature.")
    algorithm: Literal["sha256", "sha1", "sha512"] = Field(default="sha256", description="The hash within the HMAC.")
    encoding: Literal["base64", "hex"] = Field(default="base64", description="How the signature is written.")
    prefix: str = Field(default="", description="What stands before it, as `sha256=` or `v1,`.")
    separator: str = Field(default="", description="What parts several signatures in the header, as a space or comma.")
    signs: str = Field(default="{body}", description="The signed bytes: `{body}`, `{timestamp}`, `{id}` and signs.")
    timestamp: str | None = Field(
        default=None, description="Header with the time, or `t=` for an item of the signature's own header."
    )
    id: str | None = Field(default=None, description="Header with the delivery's id; `{id}` stands for it.")
    tolerance_seconds: int = Field(default=300, gt=0, description="How old or early the time may be.")
    key_prefix: str | None = Field(
        default=None, description="The secret is base64 behind this prefix, as `whsec_`. Absent: the secret's own text."
    )

    @model_validator(mode="after")
    def _of_one_piece(self) -> Signature:
        words = re.findall(r"\{[^{}]*\}", self.signs)
        rest = re.sub(r"\{[^{}]*\}", "", self.signs)
        if words.count("{body}") != 1 or not WORDS.issuperset(words) or "{" in rest or "}" in rest:
            raise ValueError("`signs` holds {body} once, and beside it {timestamp}, {id} and signs")
        if ("{timestamp}" in words) != (self.timestamp is not None):
            raise ValueError("a `timestamp` protects where it is signed: `signs` holds {timestamp} or there is none")
        if "{id}" in words and self.id is None:
            raise ValueError("{id} in `signs` needs `id`, the header that it stands for")
        return self

    def check(self, secrets: Sequence[str]) -> None:
        """Raises ValueError where one of them is no key for this signature."""
        try:
            empty = [secret for secret in secrets if not self._key(secret)]
        except ValueError as error:
            raise ValueError(f"a secret of this signature is base64 behind {self.key_prefix!r}: {error}") from error
        if empty:
            raise ValueError("an empty secret proves nothing")

    def verify(self, secrets: Sequence[str], request: Request) -> None:
        """Raises BadProof that names the header, for a signature that none of `secrets` made, or an old time."""
        given = request.headers.get(self.header.lower(), "")
        if not given:
            raise BadProof("the request is not signed", self.header.lower())
        timestamp = self._timestamp(given, request.headers)
        if timestamp is not None:
            self._check_age(timestamp, request.received_at)
        signed = self._signed(timestamp or "", request)
        several = islice(self._offered(given), MOST_SIGNATURES)
        offered = [one.encode("utf-8", "surrogatepass") for one in several]
        expected = [self.sign(secret, signed).encode() for secret in secrets if secret]
        if not sum(hmac.compare_digest(one, other) for one in expected for other in offered):  # all, whichever fits
            raise BadProof("the signature is not made with the secret of this source", self.header.lower())

    def sign(self, secret: str, signed: bytes) -> str:
        """The signature of these bytes, as it is written, without its prefix."""
        digest = hmac.new(self._key(secret), signed, getattr(hashlib, self.algorithm)).digest()
        return digest.hex() if self.encoding == "hex" else b64encode(digest).decode()

    def headers(self, secret: str, body: bytes, at_seconds: int, identity: str = "") -> dict[str, str]:
        """The headers that a tool with this secret would send with `body` at that time."""
        stated = {self.timestamp.lower(): str(at_seconds)} if self.timestamp and not self._within else {}
        stated |= {self.id.lower(): identity} if self.id else {}
        signed = self._signed(str(at_seconds) if self.timestamp else "", Request(body, stated, {}, "", body))
        inside = f"{self.timestamp}{at_seconds}{self.separator}" if self._within else ""
        return stated | {self.header.lower(): f"{inside}{self.prefix}{self.sign(secret, signed)}"}

    def _key(self, secret: str) -> bytes:
        if self.key_prefix is None:
            return secret.encode()
        return b64decode(secret.removeprefix(self.key_prefix), validate=True)

    @property
    def _within(self) -> bool:
        return bool(self.timestamp) and str(self.timestamp).endswith("=")

    def _offered(self, given: str) -> Iterator[str]:
        for item in given.split(self.separator) if self.separator else (given,):
            if item.strip().startswith(self.prefix):
                yield item.strip().removeprefix(self.prefix)

    def _timestamp(self, given: str, headers: Mapping[str, str]) -> str | None:
        if self.timestamp is None:
            return None
        if not self._within:
            found = headers.get(self.timestamp.lower())
        else:
            items = (item.strip() for item in given.split(self.separator or ","))
            found = next((item[len(self.timestamp) :] for item in items if item.startswith(self.timestamp)), None)
        if not found:
            raise BadProof("the request has no time stamp", self._time_field)
        return found

    @property
    def _time_field(self) -> str:
        return self.header.lower() if self._within else str(self.timestamp).lower()

    def _check_age(self, written: str, received_at: str) -> None:
        now = clock.parse(received_at)
        at = _time(written)
        if at is None or now is None or abs((now - at).total_seconds()) > self.tolerance_seconds:
            raise BadProof(f"the time stamp is more than {self.tolerance_seconds} s away from now", self._time_field)

    def _signed(self, timestamp: str, request: Request) -> bytes:
        words = {"timestamp": timestamp, "id": request.headers.get((self.id or "").lower(), "")}
        before, _, after = self.signs.partition("{body}")
        return before.format(**words).encode() + request.raw_body + after.format(**words).encode()


def _time(written: str) -> datetime | None:
    """Seconds or milliseconds since 1970, or ISO 8601; what is longer than a time is none, and is not remembered."""
    if len(written) > LONGEST_TIME:
        return None
    if not (written.isascii() and written.isdigit()):
        return clock.parse(written)
    if len(written) == MILLISECONDS:
        return clock.from_seconds(int(written) // 1000)
    return clock.from_seconds(int(written)) if len(written) <= SECONDS else None


class Token(BaseModel):
    """Where a tool that signs nothing shows the secret itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    query: str | None = Field(default=None, min_length=1, description="`?name=` in the address.")
    header: str | None = Field(default=None, min_length=1, description="Name of a header.")
    prefix: str = Field(default="", description="What stands before it in the header, as `Bearer `.")
    basic: str | None = Field(default=None, min_length=1, description="User of HTTP Basic; the secret is the password.")

    @model_validator(mode="after")
    def _in_one_place(self) -> Token:
        if [self.query, self.header, self.basic].count(None) != 2:
            raise ValueError("a token stands in one place: `query`, `header` or `basic`")
        if self.prefix and not self.header:
            raise ValueError("`prefix` goes with `header`")
        return self

    def verify(self, secrets: Sequence[str], request: Request) -> None:
        """Raises BadProof that names the header, or the word of the query, without one of `secrets` there."""
        place = self.query or (self.header or "authorization").lower()
        given = request.query.get(place, "") if self.query else request.headers.get(place, "")
        offered = given.encode("utf-8", "surrogatepass")
        expected = [self._written(secret).encode() for secret in secrets if secret]
        if not sum(hmac.compare_digest(one, offered) for one in expected):  # all of them, whichever fits
            raise BadProof("the secret of this source is not there", place)

    def headers(self, secret: str) -> dict[str, str]:
        """The headers that a tool with this secret sends; none where it stands in the address."""
        return {} if self.query else {(self.header or "authorization").lower(): self._written(secret)}

    def _written(self, secret: str) -> str:
        if self.basic is None:
            return f"{self.prefix}{secret}"
        return f"Basic {b64encode(f'{self.basic}:{secret}'.encode()).decode()}"
