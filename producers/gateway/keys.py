"""API keys at the gateway: which name a secret belongs to, and what it opens."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

from hub.errors import BadProof, Misconfigured, Reject
from hub.settings import Scope, Settings, key_secret
from producers.gateway.records import Edge


class Forbidden(Reject):
    """The key is known and does not open this."""

    status = 403


@dataclass(frozen=True, slots=True)
class Keys:
    """The configured keys; secrets are kept as hashes and all of them are compared, whichever fits."""

    entries: tuple[tuple[bytes, Edge, frozenset[Scope]], ...]

    def opening(self, authorization: str, scope: Scope) -> Edge:
        """The edge of the key in an Authorization header. Raises BadProof for none, Forbidden without the scope."""
        scheme, _, secret = authorization.partition(" ")
        offered = sha256(secret.strip().encode("utf-8", "surrogatepass")).digest()
        found = [entry for entry in self.entries if compare_digest(entry[0], offered)]
        if scheme.lower() != "bearer" or not found:
            raise BadProof("`Authorization: Bearer <secret>` of a key in hub.toml is needed", "authorization")
        _, edge, scopes = found[0]
        if scope not in scopes:
            raise Forbidden(f"the key {edge.name!r} lacks the scope {scope}", "authorization")
        return edge


def read_keys(settings: Settings) -> Keys:
    """The keys of hub.toml. Raises Misconfigured that names every key without its secret, and where two share one."""
    secrets: dict[str, bytes] = {}
    problems = []
    for name, key in settings.keys.items():
        try:
            secrets[name] = sha256(key_secret(name, key).encode()).digest()
        except Misconfigured as wrong:
            problems.append(str(wrong))
    if problems:
        raise Misconfigured("\n".join(problems))
    if len(set(secrets.values())) < len(secrets):
        raise Misconfigured("keys: two keys have the same secret, so nobody could tell who speaks")
    return Keys(
        tuple((secrets[name], Edge(name, public=False), frozenset(key.scopes)) for name, key in settings.keys.items())
    )
