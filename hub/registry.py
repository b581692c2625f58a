"""Components by name, in a visible place: a registry is a value, filled where it is made."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Generic, Protocol, TypeVar

from hub.errors import Misconfigured


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """The word that `kind` holds in hub.toml."""


C = TypeVar("C", bound=Named)


class Registry(Generic[C]):
    """Components of one sort by their name; raises Misconfigured for a name that is taken or not known."""

    def __init__(self, sort: str, *components: C) -> None:
        self.sort = sort
        self._components: dict[str, C] = {}
        for component in components:
            if component.name in self._components:
                raise Misconfigured(f"two {sort}s are called {component.name!r}")
            self._components[component.name] = component

    def __getitem__(self, name: str) -> C:
        if name in self._components:
            return self._components[name]
        near = get_close_matches(name, self._components, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise Misconfigured(f"no {self.sort} of kind {name!r}; there are {', '.join(self.names)}{hint}")

    def __iter__(self) -> Iterator[C]:
        return iter(self._components.values())

    def __len__(self) -> int:
        return len(self._components)

    @property
    def names(self) -> list[str]:
        """Every name, sorted."""
        return sorted(self._components)
