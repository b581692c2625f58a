"""Reading a form's body: urlencoded, multipart or a JSON object become pairs of texts and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_to_bytes

import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from hub.errors import Reject, Unreadable, WrongType
from producers.texts import charset, media_type, read_json

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MOST_FIELDS = 1000
WORDS = bytes(sign for sign in range(256) if sign not in b"&=")
SEPARATED = bytes.maketrans(b"&=+", b"\0\0 ")


@dataclass(frozen=True, slots=True)
class File:
    """An upload: the field it came in, its name, its type and its bytes."""

    field: str
    name: str
    content_type: str
    content: bytes

    def noted(self) -> dict[str, str | int]:
        """What an event says of it; the bytes stay in `raw`."""
        return {"field": self.field, "name": self.name, "content_type": self.content_type, "bytes": len(self.content)}

    def digest(self) -> str:
        """A hash of its bytes."""
        return blake2b(self.content, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Form:
    """The fields by name in the order they came: a text, or a list of texts where one came several times; the files."""

    fields: dict[str, str | list[str]]
    files: tuple[File, ...] = ()

    def first(self, name: str) -> str | None:
        """The first value of a field that is not empty."""
        value = self.fields.get(name)
        return next(filter(None, value), None) if isinstance(value, list) else value or None


def parse(body: bytes, content_type: str, plain: frozenset[str] = frozenset()) -> Form:
    """The form in a body; `plain` names fields that are texts and never objects.

    Raises WrongType for a content type that is no form, Unreadable for bytes that are not what the type promises,
    Reject for a field with a wrong value; each names the field.
    """
    essence, parameters = media_type(content_type)
    if essence == "multipart/form-data":
        return _multipart(body, content_type)
    encoding = charset(parameters.get("charset"))
    if essence == "application/x-www-form-urlencoded":
        return Form(_gathered(_urlencoded(body, encoding)))
    if essence == "application/json":
        return Form(_gathered(_json(body, encoding, plain)))
    raise WrongType("a form is urlencoded, multipart/form-data or application/json", "content-type")


def _gathered(pairs: Sequence[tuple[str, str]]) -> dict[str, str | list[str]]:
    if len(pairs) > MOST_FIELDS:
        raise Unreadable(f"more than {MOST_FIELDS} fields")
    fields: dict[str, str | list[str]] = dict(pairs)
    if len(fields) < len(pairs):
        several: dict[str, list[str]] = {}
        for name, value in pairs:
            several.setdefault(name, []).append(value)
        fields |= {name: values for name, values in several.items() if len(values) > 1}
    return fields


def _urlencoded(body: bytes, encoding: str) -> list[tuple[str, str]]:
    """The pairs of a body as browsers write it are cut out in one go; any other one is taken piece by piece."""
    frame = body.translate(None, WORDS)
    if frame and frame == (b"=&" * body.count(b"="))[:-1] and b"%00" not in body and b"\0" not in body:
        try:
            texts = unquote_to_bytes(body.translate(SEPARATED)).decode(encoding).split("\0")
            return list(zip(texts[::2], texts[1::2], strict=True))
        except UnicodeDecodeError:
            pass  # which of them it is shows piece by piece
    return [_pair(part, encoding) for part in body.split(b"&", MOST_FIELDS + 1) if part]


def _pair(part: bytes, encoding: str) -> tuple[str, str]:
    raw_name, _, raw_value = part.replace(b"+", b" ").partition(b"=")
    name = _text(unquote_to_bytes(raw_name), encoding, "(name)")
    return name, _text(unquote_to_bytes(raw_value), encoding, name)


def _text(piece: bytes, encoding: str, field: str) -> str:
    """A piece as text. Raises Unreadable for other bytes than the encoding's, Reject for NUL or a lone surrogate."""
    try:
        text = piece.decode(encoding)
    except UnicodeDecodeError:
        if encoding == "utf-8" and _holds_surrogate(piece):
            raise Reject("the text holds a lone surrogate", field) from None
        raise Unreadable(f"the text is no {encoding}; Content-Type declares any other", field) from None
    if "\0" in text:
        raise Reject("the text holds the character NUL", field)
    return text


def _holds_surrogate(piece: bytes) -> bool:
    try:
        return bool(piece.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        return False


def _json(body: bytes, encoding: str, plain: frozenset[str]) -> list[tuple[str, str]]:
    if encoding not in {"utf-8", "ascii"}:
        body = _text(body, encoding, "(body)").encode()
    value, unclean = read_json(body)
    if unclean is not None:
        raise Reject("the text holds the character NUL or a lone surrogate", unclean)
    if not isinstance(value, dict):
        raise Unreadable("the body is no JSON object")
    for name in plain.intersection(value):
        _check_plain(name, value[name])
    return [(name, text) for name, one in value.items() for text in _texts(one)]


def _check_plain(name: str, value: Any) -> None:
    values = value if isinstance(value, list) else [value]
    if any(isinstance(one, (dict, list)) for one in values):
        raise Reject("the field is a text, not an object", name)


def _texts(value: Any) -> list[str]:
    """A JSON value as a form would have sent it: nothing, one text, or one text per element."""
    values = value if isinstance(value, list) else [value]
    return [one if isinstance(one, str) else _dumped(one) for one in values if one is not None]


def _dumped(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError as error:
        raise Unreadable(f"the body is nested too deep: {error}") from error


class _Parts:
    """Collects what the multipart parser calls back: headers of the part at hand, its bytes, at last its meaning."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self.pairs: list[tuple[str, str]] = []
        self.files: list[File] = []
        self.ended = False
        self._name = self._value = b""
        self._headers: dict[str, str] = {}
        self._content: list[bytes] = []

    def callbacks(self) -> dict[str, Any]:
        """By the parser's names."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._done,
        }

    def _begin(self) -> None:
        if len(self.pairs) + len(self.files) >= MOST_FIELDS:
            raise Unreadable(f"more than {MOST_FIELDS} fields")
        self._headers, self._content = {}, []

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._content.append(data[start:end])

    def _end(self) -> None:
        _, words = parse_options_header(self._headers.get("content-disposition"))
        if b"name" not in words:
            raise Unreadable("a part of the form has no name", "content-disposition")
        field = _text(words[b"name"], self.encoding, "(name)")
        content = b"".join(self._content)
        if b"filename" in words:
            self._file(field, words[b"filename"], content)
        else:
            self.pairs.append((field, _text(content, self._declared(), field)))

    def _declared(self) -> str:
        own = media_type(self._headers.get("content-type", ""))[1].get("charset")
        return charset(own) if own else self.encoding

    def _file(self, field: str, name: bytes, content: bytes) -> None:
        """A browser sends an empty file without a name where nobody chose one."""
        if name or content:
            kind = self._headers.get("content-type", "application/octet-stream")
            self.files.append(File(field, _text(name, self.encoding, field), kind, content))

    def _done(self) -> None:
        self.ended = True


def _multipart(body: bytes, content_type: str) -> Form:
    _, words = parse_options_header(content_type)
    if not words.get(b"boundary"):
        raise Unreadable("multipart needs a boundary", "content-type")
    declared = words.get(b"charset")
    parts = _Parts(charset(declared.decode("latin-1") if declared else None))
    try:
        parser = MultipartParser(words[b"boundary"], cast("MultipartCallbacks", parts.callbacks()))
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise Unreadable(f"the body is no multipart form: {error}") from error
    if not parts.ended:
        raise Unreadable("the body ends before its last boundary")
    return Form(_gathered(parts.pairs), tuple(parts.files))
