"""Who may ask: `Authorization: Bearer <secret>` of a key in hub.toml with the right scope."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from hub.errors import BadProof
from hub.settings import Scope, Settings
from producers.gateway.keys import Keys, read_keys

HOW_TO = (
    "no key is set up: put `[keys.mine]` with `secret = …` and `scopes = [{scope}]` into hub.toml, then start the hub"
    " again"
)
bearer = HTTPBearer(auto_error=False, description="The secret of a key in hub.toml.")


class Door:
    """Opens for keys. Secrets are compared as hashes, all of them, in constant time."""

    def __init__(self, settings: Settings) -> None:
        self._keys: Keys = read_keys(settings)

    def open(self, authorization: str, scope: Scope) -> str:
        """The key's name. Raises BadProof (401) without a known key, Forbidden (403) for one without the scope."""
        if not self._keys.entries:
            raise BadProof(HOW_TO.format(scope=f'"{scope}"'), "authorization")
        return self._keys.opening(authorization, scope).name


def needs(scope: Scope) -> Callable[..., Awaitable[str]]:
    """A dependency: this route is for keys with this scope; it gives the key's name."""

    async def check(request: Request, _: Annotated[object, Depends(bearer)]) -> str:
        door: Door = request.app.state.door
        return door.open(request.headers.get("authorization", ""), scope)

    return check
