"""Mail of a mailbox; the role `mailbox` looks into it (`producers.mailbox`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints, model_validator

from hub.components import Reading, Request, Source
from hub.errors import Misconfigured
from hub.settings import read_secret
from producers.mail.door import refuse_posts
from producers.mail.reading import read_mail
from producers.mail.settings import MailSettings

Word = Annotated[str, StringConstraints(min_length=1)]
TLS_PORT, PLAIN_PORT = 993, 143


class Settings(MailSettings):
    """A mailbox's table in hub.toml."""

    host: Word = Field(description="Name of the IMAP server.")
    port: int = Field(default=0, ge=0, le=65535, description="Its port. Default: 993, without `tls` 143.")
    tls: bool = Field(default=True, description="false: in the clear, password and all; for a server on this machine.")
    ca_file: Path | None = Field(
        default=None, description="Certificates to believe instead of the system's, for a server that signs its own."
    )
    user: Word = Field(description="Name to log in with.")
    password_file: Path | None = Field(default=None, description="The file that holds the password, or")
    password: SecretStr = Field(default=SecretStr(""), description="the password itself.")
    folder: Word = Field(default="INBOX", description="The folder that is looked into; nothing in it is changed.")
    days: int = Field(default=30, ge=1, description="How far back the first look goes.")

    @model_validator(mode="after")
    def _password(self) -> Settings:
        if bool(self.password.get_secret_value()) == bool(self.password_file):
            raise ValueError("needs `password` or `password_file`, and one of them alone")
        try:
            self.secret()
        except Misconfigured as error:
            raise ValueError(str(error)) from error
        return self

    def secret(self) -> str:
        """The password. Raises Misconfigured where its file cannot be read."""
        return read_secret(self.password_file) if self.password_file else self.password.get_secret_value()

    @property
    def at_port(self) -> int:
        """The port, as told or as usual."""
        return self.port or (TLS_PORT if self.tls else PLAIN_PORT)


def read(settings: Settings, request: Request) -> Sequence[Reading]:
    """One `email.received`. Raises Unreadable for bytes that are no mail."""
    return [read_mail(settings, request)]


IMAP = Source(
    name="imap",
    description="Mail of a mailbox, seen as it arrives.",
    settings=Settings,
    verify=refuse_posts,
    read=read,
    topic="inbound.email",
    door="mail",
)
