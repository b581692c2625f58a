"""What the tables of both mail sources say about whose mail is read, and whom to believe."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Domain = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")]


class MailSettings(BaseModel):
    """The part that is the same for a listener and a mailbox."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    domains: tuple[Domain, ...] = Field(
        default=(), description="Our own domains, their subdomains too: a mail from them never makes a customer."
    )
    authserv_id: Annotated[str, StringConstraints(min_length=1, to_lower=True)] | None = Field(
        default=None,
        description="The name under which our mail server writes Authentication-Results; others count for nothing.",
    )
    trust: bool | None = Field(
        default=None,
        description="true: believe every From; false: none. Default: one whose domain signed the mail (DKIM).",
    )
