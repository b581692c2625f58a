"""Forms as browsers, libraries and nobody in particular write them."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Reject, Unreadable, WrongType
from producers.forms import MOST_FIELDS, Form, parse

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=frontier"
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


def part(disposition: str, content: bytes, *headers: str) -> bytes:
    lines = [f"Content-Disposition: form-data; {disposition}", *headers]
    return b"--frontier\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + content + b"\r\n"


def multipart(*parts: bytes) -> Form:
    return parse(b"".join(parts) + b"--frontier--\r\n", MULTIPART)


def expected(pairs: list[tuple[str, str]]) -> dict[str, str | list[str]]:
    values = {name: [value for one, value in pairs if one == name] for name, _ in pairs}
    return {name: one if len(one) > 1 else one[0] for name, one in values.items()}


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8))
def test_an_urlencoded_form_is_read_as_a_browser_wrote_it(pairs: list[tuple[str, str]]) -> None:
    assert parse(urlencode(pairs).encode(), URLENCODED).fields == expected(pairs)


@given(st.lists(st.sampled_from([b"a", b"=", b"&", b"%41", b"+", b"%3D", b"%26", "ü".encode()]), max_size=12))
def test_an_odd_form_is_read_as_the_standard_library_reads_it(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    assert parse(body, URLENCODED).fields == expected(parse_qsl(body.decode(), keep_blank_values=True))


def test_a_declared_character_set_is_used() -> None:
    assert parse(b"name=J%FCrgen", f"{URLENCODED}; charset=iso-8859-1").fields == {"name": "Jürgen"}
    assert parse(b"name=J\xfcrgen", f"{URLENCODED}; charset=windows-1252").fields == {"name": "Jürgen"}
    assert parse(b'{"name": "J\xfcrgen"}', "application/json; charset=latin-1").fields == {"name": "Jürgen"}


@pytest.mark.parametrize(
    ("body", "kind", "field"),
    [
        (b"a=1&name=J%FCrgen", Unreadable, "name"),
        (b"a=1&name=J\xfcrgen", Unreadable, "name"),
        (b"a=1&J%FC=1", Unreadable, "(name)"),
        (b"a=1&name=x%00y", Reject, "name"),
        (b"a=1&na%00me=x", Reject, "(name)"),
        (b"a=1&name=%ED%A0%80", Reject, "name"),
    ],
)
def test_a_text_that_cannot_be_kept_is_told_by_its_field(body: bytes, kind: type[Reject], field: str) -> None:
    with pytest.raises(kind) as wrong:
        parse(body, URLENCODED)
    assert type(wrong.value) is kind
    assert wrong.value.field == field


def test_a_json_form_holds_texts_as_a_browser_would_have_sent_them() -> None:
    body = (
        b'{"name": "Ann", "age": 42, "news": true, "none": null, "tags": ["a", "b"], "one": ["a"], "deep": {"x": [1]}}'
    )
    fields = parse(body, "application/json").fields
    assert fields == {"name": "Ann", "age": "42", "news": "true", "tags": ["a", "b"], "one": "a", "deep": '{"x":[1]}'}


@pytest.mark.parametrize("value", ['{"x": 1}', '["a", ["b"]]', '[{"x": 1}]'])
def test_a_field_that_is_a_text_is_no_object(value: str) -> None:
    with pytest.raises(Reject) as wrong:
        parse(f'{{"email": {value}}}'.encode(), "application/json", frozenset({"email"}))
    assert (wrong.value.status, wrong.value.field) == (422, "email")


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"null", b'{"x": ' + b"[" * 400 + b"]" * 400 + b"}"])
def test_a_json_form_is_an_object(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(body, "application/json")


@pytest.mark.parametrize(("text", "path"), [(r"\u0000", "email"), (r"\ud800", "email")])
def test_a_json_text_that_cannot_be_kept_is_told_by_its_field(text: str, path: str) -> None:
    with pytest.raises(Reject) as wrong:
        parse(f'{{"email": "a{text}b"}}'.encode(), "application/json")
    assert (wrong.value.status, wrong.value.field) == (422, path)


def test_a_multipart_form_has_fields_and_files() -> None:
    form = multipart(
        part('name="name"', "Jürgen".encode()),
        part('name="tag"', b"a"),
        part('name="tag"', b"b"),
        part('name="cv"; filename="cv.pdf"', b"\x00\x01%PDF", "Content-Type: application/pdf"),
    )
    assert form.fields == {"name": "Jürgen", "tag": ["a", "b"]}
    (file,) = form.files
    assert file.noted() == {"field": "cv", "name": "cv.pdf", "content_type": "application/pdf", "bytes": 6}


def test_a_file_that_nobody_chose_is_none() -> None:
    assert multipart(part('name="cv"; filename=""', b"", "Content-Type: application/octet-stream")).files == ()


def test_a_part_may_declare_its_own_character_set() -> None:
    form = multipart(part('name="name"', b"J\xfcrgen", "Content-Type: text/plain; charset=iso-8859-1"))
    assert form.fields == {"name": "Jürgen"}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (part('name="a"', b"1"), 400, None),
        (part('name="a"', b"1")[:-9], 400, None),
        (b"", 400, None),
        (b"name=Ann", 400, None),
        (part("x", b"1") + b"--frontier--\r\n", 400, "content-disposition"),
        (part('name="a"', b"\xff") + b"--frontier--\r\n", 400, "a"),
        (part('name="a"', b"x\0") + b"--frontier--\r\n", 422, "a"),
        (part('name="a"; filename="x\0"', b"x") + b"--frontier--\r\n", 422, "a"),
    ],
)
def test_a_broken_multipart_form_is_refused(body: bytes, status: int, field: str | None) -> None:
    with pytest.raises(Reject) as wrong:
        parse(body, MULTIPART)
    assert (wrong.value.status, wrong.value.field) == (status, field)


def test_multipart_without_a_boundary_is_refused() -> None:
    with pytest.raises(Unreadable) as wrong:
        parse(b"", "multipart/form-data")
    assert wrong.value.field == "content-type"


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/xml", "image/png", f"{URLENCODED}; charset=x"])
def test_another_content_type_is_no_form(content_type: str) -> None:
    with pytest.raises(WrongType) as wrong:
        parse(b"a=1", content_type)
    assert (wrong.value.status, wrong.value.field) == (415, "content-type")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"&".join(b"f=%d" % n for n in range(MOST_FIELDS + 1)), URLENCODED),
        (b"{" + b",".join(b'"f%d":1' % n for n in range(MOST_FIELDS + 1)) + b"}", "application/json"),
        (part('name="a"', b"1") * (MOST_FIELDS + 1) + b"--frontier--\r\n", MULTIPART),
    ],
)
def test_a_form_with_too_many_fields_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(Unreadable, match="more than 1000 fields"):
        parse(body, content_type)


@given(st.binary(max_size=60), st.sampled_from([URLENCODED, MULTIPART, "application/json"]))
def test_no_bytes_break_the_reader(body: bytes, content_type: str) -> None:
    with suppress(Reject):
        parse(body, content_type)
