"""Field maps: what of a tool's body becomes which field of an event, as data out of hub.toml or a preset.

A **word** says where a value comes from: `$.a.b` is a path in the body (producers.json_paths), `$$.a` one from the top
where a list is gone through, `@X-Topic` a header, `'text'` is itself, `order:{$.id}` a text with words in it, which
says nothing where one of them does not. A **field** is a word, a list of words (the first that says something counts),
or a table (`Field`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

import pydantic
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator

from hub.errors import Reject
from hub.tables import OneOrSeveral, one_or_several
from producers.field_forms import FORMS, text
from producers.json_paths import Node, compile_path
from schemas.identifiers import Address, Contact

MOST_ELEMENTS = 1000
"""Elements of a list that are gone through; more are no form and no order."""

ONE_BY_ONE = frozenset({"json", "texts"})
"""Forms that are lists or objects already."""

_HOLE = re.compile(r"\{([^{}]*)\}")
_HEADER = re.compile(r"@([A-Za-z0-9!#$%&'*+.^_`|~-]+)")


class Delivery(NamedTuple):
    """What a word looks at: the body, or the element of a list in it that is at hand; all of the body; the headers."""

    value: Any
    body: Any
    headers: Mapping[str, str]

    def at(self, element: Any) -> Delivery:
        """The same, looking at an element."""
        return self._replace(value=element)


Reader = Callable[[Delivery], list[Node]]


@lru_cache(maxsize=4096)
def reader(word: str) -> Reader:
    """What a word finds. Raises ValueError where it is none."""
    header = _HEADER.fullmatch(word)
    if word.startswith("$$"):
        path = compile_path(word[1:])
        return lambda delivery: path.nodes(delivery.body)
    if word.startswith("$"):
        path = compile_path(word)
        return lambda delivery: path.nodes(delivery.value)
    if header:
        name = header[1].lower()
        return lambda delivery: [Node(delivery.headers.get(name))]
    if len(word) > 1 and word[0] == word[-1] == "'":
        return lambda _delivery: [Node(word[1:-1])]
    if _HOLE.search(word):
        return _template(word)
    raise ValueError(
        f"{word!r} is neither a path ($.a), a header (@Name), a text ('a') nor a text with words ({{$.a}})"
    )


def _template(word: str) -> Reader:
    pieces = _HOLE.split(word)
    holes = [reader(hole) for hole in pieces[1::2]]

    def read(delivery: Delivery) -> list[Node]:
        found = [first_text(hole(delivery)) for hole in holes]
        if None in found:
            return []
        filled = [*pieces]
        filled[1::2] = [one or "" for one in found]
        return [Node("".join(filled))]

    return read


def first_text(nodes: list[Node]) -> str | None:
    """The first of them that says something, as text. Raises ValueError for an object or a list."""
    return next((found for node in nodes if (found := text(node.value)) is not None), None)


def a_word(written: str) -> str:
    """Raises ValueError where it is none."""
    reader(written)
    return written


def _a_table(value: object) -> object:
    return {"first": value} if isinstance(value, str | list | tuple) else value


def _a_name(name: str) -> str:
    parts = name.split(".")
    if not all(parts):
        raise ValueError(f"{name!r} is no name: words with dots between them, as contact.email")
    if parts[0] == "contact" and len(parts) > 1 and parts[1] not in Contact.model_fields:
        raise ValueError(f"a contact has no {parts[1]!r}, it has {', '.join(Contact.model_fields)}")
    if parts[:2] == ["contact", "address"] and len(parts) > 2 and parts[2] not in Address.model_fields:
        raise ValueError(f"an address has no {parts[2]!r}, it has {', '.join(Address.model_fields)}")
    return name


Word = Annotated[str, AfterValidator(a_word)]
Words = Annotated[tuple[Word, ...], BeforeValidator(one_or_several)]
Name = Annotated[str, AfterValidator(_a_name)]


class Table(BaseModel):
    """A table of a field map: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Dictionary(Table):
    """What a value stands for: the elements of a list, the word that is looked up, and the word that is found."""

    each: Word
    key: Word
    value: Word

    def look_up(self, value: Any, delivery: Delivery) -> Any:
        """What it stands for, or the value itself where it is not listed; of a list, one by one."""
        if isinstance(value, list):
            return [self.look_up(one, delivery) for one in value]
        for node in reader(self.each)(delivery):
            element = delivery.at(node.value)
            if any(found.value == value for found in reader(self.key)(element)):
                return next((found.value for found in reader(self.value)(element)), value)
        return value


class Field(Table):
    """How a field is made: of the `first` of some words, of `all` of them (a list), or of `each` element of a list.

    Of elements are made objects, with `fields`, or one object with a `key` and a `value` per element; elements that
    another field of the event was read from are left out of the latter.
    """

    first: Words = ()
    all: Words = ()
    each: Word | None = None
    fields: dict[Name, OneField] = {}
    key: OneText | None = None
    value: OneField | None = None
    form: str = pydantic.Field(default="text", alias="as")
    using: Word | None = pydantic.Field(
        default=None, description="The currency of minor_units, the country of a phone."
    )
    through: Dictionary | None = None
    unless: OneOrSeveral = pydantic.Field(
        default=(), description="Texts that say nothing, as the customer 0 of a guest."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Field:
        if [bool(self.first), bool(self.all), bool(self.each)].count(True) != 1:
            raise ValueError("needs one of `first`, `all` and `each`")
        if bool(self.each) != (bool(self.fields) or (bool(self.key) and bool(self.value))):
            raise ValueError("`each` goes with `fields`, or with `key` and `value`")
        if self.form not in FORMS:
            raise ValueError(f"there is no form {self.form!r}: `as` is one of {', '.join(FORMS)}")
        if self.all and self.form in ONE_BY_ONE:
            raise ValueError(f"`all` makes a list of texts or numbers, not of {self.form}")
        return self

    @property
    def gathers(self) -> bool:
        """Whether it takes what no other field took."""
        return self.key is not None

    def read(self, delivery: Delivery, taken: set[int]) -> Any:
        """The value, or None. Notes in `taken` the ids of the elements it was read from. Raises ValueError, Reject."""
        if self.key is not None and self.value is not None:
            return self._gather(self.key, self.value, delivery, taken) or None
        if self.each is not None:
            elements = self._elements(self.each, delivery)
            return [one for one in (event_data(self.fields, element) for element in elements) if one] or None
        found = self._found(delivery, taken)
        return [*dict.fromkeys(found)] or None if self.all else next(found, None)

    def _found(self, delivery: Delivery, taken: set[int]) -> Iterator[Any]:
        for word in self.first or self.all:
            for node in reader(word)(delivery):
                value = self._formed(node.value, delivery)
                if value is not None:
                    if node.element is not None:
                        taken.add(id(node.element))
                    yield value

    def _formed(self, value: Any, delivery: Delivery) -> Any:
        if value is not None and self.through:
            value = self.through.look_up(value, delivery)
        if self.unless and not isinstance(value, dict | list) and text(value) in self.unless:
            return None
        return FORMS[self.form](value, first_text(reader(self.using)(delivery)) if self.using else None)

    def _elements(self, each: str, delivery: Delivery) -> list[Delivery]:
        nodes = reader(each)(delivery)
        if len(nodes) > MOST_ELEMENTS:
            raise ValueError(f"more than {MOST_ELEMENTS} elements")
        return [delivery.at(node.value) for node in nodes]

    def _gather(self, key: Field, value: Field, delivery: Delivery, taken: set[int]) -> dict[str, Any]:
        gathered: dict[str, list[Any]] = {}
        for element in self._elements(str(self.each), delivery):
            name = None if id(element.value) in taken else key.read(element, set())
            said = value.read(element, set()) if name else None
            if name and said is not None:
                gathered.setdefault(name, []).extend(said if isinstance(said, list) else [said])
        return {name: said[0] if len(said) == 1 else said for name, said in gathered.items()}


def _one_text(field: Field) -> Field:
    if not field.first or field.form in {"integer", *ONE_BY_ONE}:
        raise ValueError("is one text here: a word, or a table with `first`")
    return field


OneField = Annotated[Field, BeforeValidator(_a_table)]
OneText = Annotated[Field, BeforeValidator(_a_table), AfterValidator(_one_text)]


def event_data(fields: Mapping[str, Field], delivery: Delivery, begun: Any = None) -> dict[str, Any]:
    """The fields that say something, nested by the dots of their names, upon an object that is there already.

    Raises Reject that names the field.
    """
    data: dict[str, Any] = dict(begun or {})
    taken: set[int] = set()
    for name, field in sorted(fields.items(), key=lambda pair: pair[1].gathers):
        try:
            value = field.read(delivery, taken)
        except ValueError as error:
            raise Reject(str(error), name) from error
        if value is not None:
            _put(data, name, value)
    return data


def _put(data: dict[str, Any], name: str, value: Any) -> None:
    *parts, last = name.split(".")
    for part in parts:
        inner = data.get(part)
        data[part] = {**inner} if isinstance(inner, dict) else {}
        data = data[part]
    data[last] = value
