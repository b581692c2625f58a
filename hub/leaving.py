"""Links by which somebody takes a consent back: the address and the purpose, sealed by a secret of this hub.

A link holds everything, so nothing is kept of it and it never expires. Whoever knows the secret can seal: all processes
that write or read links need the same one (`[mail] secret`, else a file that is made once in the state folder).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from hub.errors import Misconfigured
from hub.settings import Settings, read_secret

PATH = "/unsubscribe/"
FILE = "unsubscribe.key"
SEAL_BYTES = 16
LONGEST = 1024
_TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_PURPOSE = re.compile(r"[a-z0-9_-]{1,64}")


class Leave(NamedTuple):
    """What a link takes back: the consent of an address to a purpose."""

    address: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Links:
    """The links of a hub; `base` is the public address of its gateway, without a slash at its end."""

    base: str
    key: bytes = field(repr=False)

    def url(self, leave: Leave) -> str:
        """The link: the same for the same words."""
        return f"{self.base}{PATH}{seal(self.key, leave)}"


def seal(key: bytes, leave: Leave) -> str:
    """The token of a link, in letters that need no escape in an address."""
    told = f"{leave.purpose}:{leave.address}".encode()
    return f"{_written(told)}.{_written(_seal(key, told))}"


def read(key: bytes, token: str) -> Leave | None:
    """What a token says; None where it was not sealed by this key."""
    parts = _TOKEN.fullmatch(token) if len(token) <= LONGEST else None
    if parts is None:
        return None
    try:
        told, sealed = (urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts.groups())
    except ValueError:
        return None
    if not hmac.compare_digest(sealed, _seal(key, told)):
        return None
    purpose, _, address = told.decode().partition(":")
    return Leave(address, purpose) if _PURPOSE.fullmatch(purpose) and address else None


def links(settings: Settings) -> Links | None:
    """The links of `[mail] unsubscribe`; None where it is not set. Raises Misconfigured where there is no secret."""
    mail = settings.mail
    if mail.unsubscribe is None:
        return None
    if mail.secret or mail.secret_file:
        secret = read_secret(mail.secret_file) if mail.secret_file else mail.secret
        if not secret:
            raise Misconfigured(f"mail.secret_file: {mail.secret_file} is empty")
        return Links(mail.unsubscribe, secret.encode())
    return Links(mail.unsubscribe, _kept(settings.state / FILE))


def check(settings: Settings) -> list[str]:
    """What is wrong with the secret, for `hub config check`; makes none."""
    if settings.mail.secret_file is None:
        return []
    try:
        links(settings)
    except Misconfigured as error:
        return [str(error) if str(error).startswith("mail.") else f"mail.secret_file: {error}"]
    return []


def _kept(file: Path) -> bytes:
    """The secret of the state folder, made by whoever comes first. Raises Misconfigured."""
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            own = file.with_name(f"{FILE}.{secrets.token_hex(8)}")
            with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as made:
                made.write(secrets.token_urlsafe(32))
            try:
                os.link(own, file)  # whole or not at all, and never over another one
            except FileExistsError:
                pass
            finally:
                own.unlink()
        return file.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{file}: {error.strerror}; mail.secret names another secret") from error


def _seal(key: bytes, told: bytes) -> bytes:
    return hmac.new(key, b"unsubscribe\n" + told, hashlib.sha256).digest()[:SEAL_BYTES]


def _written(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()
