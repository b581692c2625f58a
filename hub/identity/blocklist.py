"""What stands for nobody in particular in this installation: a partner's addresses, the number of the front desk.

They are kept and never link, like the role addresses and placeholders that every installation has. The list belongs to
the rules: after a change `hub profiles resolve` goes over everybody once more.
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.errors import Misconfigured
from hub.identity import evidence, normalise
from hub.settings import Settings

_ANY = "*"


def check(settings: Settings) -> list[str]:
    """What is wrong with `[identity] blocked`, a sentence each."""
    return [
        f"identity.blocked: {written!r} is neither an address, nor *@domain, nor a number with its country (+49 …)"
        for written in settings.identity.blocked
        if _entry(written) is None
    ]


def apply(settings: Settings) -> None:
    """Make the list this process's own. Call it before anything is read. Raises Misconfigured, a line per entry."""
    if wrong := check(settings):
        raise Misconfigured("\n".join(wrong))
    use(settings.identity.blocked)


def use(blocked: Iterable[str]) -> None:
    """As `apply`, with entries that are good."""
    normalise.NOBODY_HERE.clear()
    normalise.NOBODY_HERE.update(entry for written in blocked if (entry := _entry(written)))
    normalise.forget()
    evidence.recognise.cache_clear()


def _entry(written: str) -> str | None:
    if written.startswith(f"{_ANY}@"):
        found = normalise.email(f"somebody{written[1:]}")
        return found.value.removeprefix("somebody") if found else None
    found = normalise.email(written) if "@" in written else normalise.phone(written, None)
    return found.value if found else None
