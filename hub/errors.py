"""What can go wrong, as a tree: retry later, reject for good, misconfigured.

HubError
├─ Retry             a broker, a database or a tool is away: try again later
├─ Reject            this input will never work: it becomes a dead letter or a 4xx
│  ├─ BadProof       a key, a signature or a time stamp does not prove the sender
│  ├─ TooLarge       more bytes than the limit
│  ├─ WrongType      a content type or an encoding that nobody here reads
│  └─ Unreadable     the bytes do not hold what their sender promised
└─ Misconfigured     a setting or a missing part: stop at start and name it
"""

from __future__ import annotations


class HubError(Exception):
    """Root of every error that this product raises on purpose."""


class Retry(HubError):
    """Something is away for the moment. `after` says in how many seconds to come back, where that is known."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Reject(HubError):
    """Input that will never work. `field` names the field, header or setting that is wrong."""

    status = 422

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class BadProof(Reject):
    """The sender did not prove who it is."""

    status = 401


class TooLarge(Reject):
    """More bytes than the limit."""

    status = 413


class WrongType(Reject):
    """A content type or an encoding that is not read here."""

    status = 415


class Unreadable(Reject):
    """The bytes do not hold what their sender promised."""

    status = 400


class Misconfigured(HubError):
    """A setting is wrong or a part is missing; the text says which one and what to do."""
