"""Texts from outside: what is read, what is refused, and by which name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Unreadable, WrongType
from producers.texts import charset, is_clean, media_type, read_json, unclean_path

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_json_is_read_as_it_was_written(value: object) -> None:
    read, unclean = read_json(json.dumps(value).encode())
    assert read == value
    assert unclean == unclean_path(value)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read_json(b'\xef\xbb\xbf{"a":1}') == ({"a": 1}, None)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (rb'{"contact": {"email": "a\u0000b"}}', "contact.email"),
        (rb'{"lines": [{"title": "fine"}, {"title": "\ud800"}]}', "lines.1.title"),
        (rb'{"a": {"b\u0000": 1}}', "a.(name)"),
        (rb'{"\udfff": 1}', "(name)"),
        (rb'{"fine": "\ud83d\ude00", "written": "\\u0000"}', None),
    ],
)
def test_nul_and_lone_surrogates_are_told_by_their_path(body: bytes, path: str | None) -> None:
    assert read_json(body)[1] == path


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"a":}', b'{"a": NaN}', b'{"a": 1e999}', b'"\xff"', b"[" * 5000, rb'{"a": 1e999, "b": "\ud800"}'],
)
def test_what_is_no_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_json(body)


def test_a_number_beside_a_lone_surrogate_is_read_all_the_same() -> None:
    value, path = read_json(rb'{"n": 7, "f": 0.5, "big": 99999999999999999999999, "t": "\ud800"}')
    assert path == "t"
    assert value | {"t": ""} == {"n": 7, "f": 0.5, "big": 1e23, "t": ""}


def test_a_content_type_has_an_essence_and_parameters() -> None:
    assert media_type('Text/HTML; Charset="UTF-8"; x') == ("text/html", {"charset": "UTF-8", "x": ""})
    assert media_type("") == ("", {})


def test_a_character_set_has_several_names() -> None:
    assert [charset(name) for name in (None, "UTF8", "ISO-8859-1", "windows-1252")] == [
        "utf-8",
        "utf-8",
        "latin-1",
        "cp1252",
    ]


@pytest.mark.parametrize("name", ["rot13", "zip", "utf-7", ""])
def test_a_character_set_that_is_none_is_a_wrong_type(name: str) -> None:
    with pytest.raises(WrongType) as wrong:
        charset(name)
    assert wrong.value.field == "content-type"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_text_without_nul_and_surrogates_is_clean(text: str) -> None:
    assert is_clean(text)
    assert not is_clean(f"{text}\0")
    assert not is_clean(f"{text}\ud800")
