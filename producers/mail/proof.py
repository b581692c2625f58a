"""Whether the domain in From signed the mail: the DKIM result of our own receiving server, and no other's (RFC 8601).

A header of that name proves nothing by itself: anybody may send one along.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from producers.mail.headers import Head, plain

_RESULT = re.compile(r"\s*dkim\s*(?:/\s*\d+\s*)?=\s*([a-z]+)", re.IGNORECASE)
_SIGNER = re.compile(r"\bheader\.(?:d\s*=\s*|i\s*=\s*[^@\s]*@)([a-z0-9.-]+)", re.IGNORECASE)


def dkim(head: Head, authserv_id: str | None, domain: str) -> tuple[str, bool]:
    """The result (`pass`, `fail`, `none` …; empty where nobody says it), and whether `domain` or its parent signed.

    `authserv_id` is how our server calls itself; the topmost header of that name alone counts, since ours writes above
    what came with the mail. None: no header counts, for whoever wrote the mail may have written that as well.
    """
    stated = next(_ours(head, authserv_id), None)
    if stated is None:
        return "", False
    results = [(found[1].lower(), item) for item in stated[1:] if (found := _RESULT.match(item))]
    for result, item in results:
        if result == "pass" and any(_aligned(signer, domain) for signer in _SIGNER.findall(item)):
            return "pass", True
    return (results[0][0], False) if results else ("", False)


def _ours(head: Head, authserv_id: str | None) -> Iterator[list[str]]:
    for value in head.all("authentication-results"):
        items = _unquoted(plain(value)).split(";")
        name = (items[0].split() or [""])[0].lower()
        if name == authserv_id:
            yield items


def _aligned(signer: str, domain: str) -> bool:
    """A domain signs for itself and what is below it; what is below may belong to somebody else."""
    signer = signer.lower().strip(".")
    return bool(domain) and "." in signer and (domain == signer or domain.endswith(f".{signer}"))


def _unquoted(value: str) -> str:
    """The value without quoted strings and comments: a stranger may have written what stands in them."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for sign in value:
        if escaped:
            escaped = False
        elif sign == "\\" and (quoted or depth):
            escaped = True
        elif sign == '"' and not depth:
            quoted = not quoted
        elif sign == "(" and not quoted:
            depth += 1
        elif sign == ")" and depth and not quoted:
            depth -= 1
        elif not quoted and not depth:
            kept.append(sign)
    return "".join(kept)
