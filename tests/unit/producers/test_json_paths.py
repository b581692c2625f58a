"""Our JSONPath finds what another reader of RFC 9535 finds, and says where it cannot be read."""

from __future__ import annotations

from typing import Any

import jsonpath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.json_paths import compile_path

DOCUMENT: dict[str, Any] = {
    "a": {"b": [{"c": 1, "t": "x"}, {"c": 2, "t": "y", "f": {"ref": "y"}}, "z", None], "b c": {"d": "e"}},
    "": 1,
    "ü": [[1, 2], [3]],
}
PATHS = [
    "$",
    "$.a",
    "$.a.b[0].c",
    "$.a.b[-1]",
    "$.a.b[7]",
    "$.a.b[-7]",
    "$.a.b[*].t",
    "$.a[*]",
    "$['a'][\"b c\"].d",
    "$.a['b c']['d']",
    "$['']",
    "$.ü[*][0]",
    "$.a.b[?@.t=='y'].c",
    "$.a.b[?@.f.ref == 'y']",
    "$.a.b[?@['t']=='x'].c",
    "$.a.b[?@.c=='1']",
    "$.a[?@.d=='e']",
    "$.a.b.c",
    "$.a.b[*].f[*]",
    "$.x[*]",
]


@pytest.mark.parametrize("written", PATHS)
def test_a_path_finds_what_another_reader_finds(written: str) -> None:
    assert [node.value for node in compile_path(written).nodes(DOCUMENT)] == jsonpath.findall(written, DOCUMENT)


names = st.sampled_from(["a", "b", "c d", "ü", "t"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["x", "y", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
steps = st.one_of(
    names.map(lambda name: f"['{name}']"),
    st.integers(-3, 3).map(lambda index: f"[{index}]"),
    st.just("[*]"),
    st.tuples(names, st.sampled_from(["x", "y", ""])).map(lambda pair: f"[?@['{pair[0]}'] == '{pair[1]}']"),
)


@given(values, st.lists(steps, max_size=4).map(lambda taken: "$" + "".join(taken)))
def test_any_path_in_any_document_finds_what_another_reader_finds(document: Any, written: str) -> None:
    if isinstance(document, dict | list):  # the other reader takes a text for JSON
        assert [node.value for node in compile_path(written).nodes(document)] == jsonpath.findall(written, document)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "a.b",
        "$a",
        "$.",
        "$..a",
        "$.a[",
        "$.a[b]",
        "$.a['b]",
        "$.a[?@.b]",
        "$.a[?@.b=='c]",
        "$.a[1:2]",
        "$.a b",
        "@.a",
        "$.1",
    ],
)
def test_what_is_no_path_is_told_with_its_place(written: str) -> None:
    with pytest.raises(ValueError, match="is no path"):
        compile_path(written)


def test_a_value_knows_the_element_that_it_was_found_in() -> None:
    (node,) = compile_path("$.a.b[?@.t=='y'].f.ref").nodes(DOCUMENT)
    assert (node.value, node.element) == ("y", DOCUMENT["a"]["b"][1])
    assert compile_path("$.a").nodes(DOCUMENT)[0].element is None
