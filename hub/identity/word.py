"""What all statements have in common, whatever they are about."""

from __future__ import annotations

from typing import Protocol


class Word(Protocol):
    """What was said, when, by which event, and whether it is believed."""

    @property
    def value(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def event(self) -> str: ...
    @property
    def trusted(self) -> bool: ...
