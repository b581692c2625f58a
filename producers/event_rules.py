"""Rules: which deliveries of a tool become which event, as data out of hub.toml or a preset."""

from __future__ import annotations

import re
from typing import Annotated, Any

import pydantic
from pydantic import AfterValidator, model_validator

from hub.errors import Reject
from hub.tables import OneOrSeveral
from producers.field_forms import text
from producers.field_maps import Delivery, Name, OneField, OneText, Table, Word, a_word, first_text, reader
from schemas.envelope import hub_only

TYPE = re.compile(r"(?=.{3,256}$)[a-z0-9_-]+(\.[a-z0-9_-]+)+")
ANYTHING = "*"


def _a_type(written: str) -> str:
    if written.startswith(("$", "@")):
        return a_word(written)
    if not TYPE.fullmatch(written):
        raise ValueError(f"{written!r} is no type: <noun>.<verb in the past tense>, as order.placed")
    if _ours(written) and written != "source.ignored":
        raise ValueError(f"{written!r} is made by the hub alone")
    return written


def _ours(event_type: str) -> bool:
    return hub_only(event_type) or event_type.startswith("source.")


Type = Annotated[str, AfterValidator(_a_type)]


class Rule(Table):
    """Which deliveries become which event. All that `when` asks for must hold; `*` is fulfilled by anything said."""

    when: dict[Word, OneOrSeveral] = pydantic.Field(default={}, description="What words must say.")
    type: Type
    by: Word | None = pydantic.Field(default=None, description="A value that the type hangs on, where `types` has it.")
    types: dict[str, Type] = pydantic.Field(default={}, description="The type by that value's text.")
    id: OneText | None = None
    time: OneText | None = None
    data: Word | None = pydantic.Field(default=None, description="An object that the data begin with.")
    fields: dict[Name, OneField] = pydantic.Field(default={}, description="The event's data, by name.")

    @model_validator(mode="after")
    def _by_what(self) -> Rule:
        if bool(self.by) != bool(self.types):
            raise ValueError("`by` and `types` go together: a value, and the type for each of its texts")
        return self

    def fits(self, delivery: Delivery) -> bool:
        """Whether the delivery is of this kind. Raises Reject where a word cannot be told."""
        return all(_says(word, wanted, delivery) for word, wanted in self.when.items())

    def begun(self, delivery: Delivery) -> dict[str, Any]:
        """The object that the data begin with. Raises Reject where the body has another thing there."""
        nodes = reader(self.data)(delivery) if self.data else []
        value = nodes[0].value if nodes else None
        if value is not None and not isinstance(value, dict):
            raise Reject("is no object", str(self.data))
        return value or {}

    def type_of(self, delivery: Delivery) -> str | None:
        """The event's type; None where the body says it and it is none that a tool may say."""
        chosen = self.types.get(_one_text(self.by, delivery) or "", self.type) if self.by else self.type
        if not chosen.startswith(("$", "@")):
            return chosen
        said = _one_text(chosen, delivery)
        return said if said and TYPE.fullmatch(said) and not _ours(said) else None


def _one_text(word: str, delivery: Delivery) -> str | None:
    return first_text([node for node in reader(word)(delivery) if isinstance(node.value, str)])


def _says(word: str, wanted: tuple[str, ...], delivery: Delivery) -> bool:
    try:
        nodes = reader(word)(delivery)
    except ValueError as error:
        raise Reject(str(error), word) from error
    said = [text(node.value) for node in nodes if not isinstance(node.value, dict | list)]
    return any(one is not None and (one in wanted or ANYTHING in wanted) for one in said)
