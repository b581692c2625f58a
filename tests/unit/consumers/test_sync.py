"""Reading the topic `profiles`: states, redirects, tombstones, and what is none of them."""

from __future__ import annotations

import pytest

from consumers.sync import Sync, newest
from hub.cache import LocalHints
from hub.components import Record
from hub.errors import Unreadable
from hub.identity.ids import as_text
from hub.storage.told import Want
from tests.support.told import a_tool, an_id

ANN, BOB = an_id("ann"), an_id("bob")
SYNC = Sync(a_tool("sales", "http://127.0.0.1:9/"), LocalHints())


def a_record(value: bytes | None, key: bytes | None = as_text(ANN).encode()) -> Record:
    return Record("profiles", 0, 0, 0, key, value, ())


def test_the_group_is_the_destinations_own() -> None:
    assert (SYNC.group, SYNC.topics) == ("sync.sales", ("profiles",))


def test_a_state_a_redirect_and_a_tombstone() -> None:
    survivor = as_text(BOB).encode()
    assert SYNC.read(a_record(b'{"activities":1,"fields":{"x":{}},"version":7}')) == Want(ANN, "alive", 7)
    assert SYNC.read(a_record(b'{"merged_into":"%s","version":9}' % survivor)) == Want(ANN, "merged", 9, BOB)
    assert SYNC.read(a_record(None)) == Want(ANN, "erased", 0)


@pytest.mark.parametrize(
    ("value", "key", "field"),
    [
        (b"{}", b"ann", "key"),
        (b"{}", b"\xff\xfe", "key"),
        (b"{}", None, "key"),
        (b"", as_text(ANN).encode(), "value"),
        (b"{}", as_text(ANN).encode(), "value"),
        (b"[1]", as_text(ANN).encode(), "value"),
        (b'{"version":"7"}', as_text(ANN).encode(), "value"),
        (b'{"version":7,"merged_into":"bob"}', as_text(ANN).encode(), "merged_into"),
    ],
)
def test_anything_else_is_a_dead_letter(value: bytes, key: bytes | None, field: str) -> None:
    with pytest.raises(Unreadable) as raised:
        SYNC.read(a_record(value, key))
    assert raised.value.field == field


def test_of_one_profile_the_newest_counts_whatever_the_order() -> None:
    old, new, other = Want(ANN, "alive", 2), Want(ANN, "alive", 3), Want(BOB, "alive", 1)
    assert newest([old, new, other]) == newest([new, old, other]) == [new, other]


def test_an_erasure_is_newer_than_all_before_it_and_older_than_what_follows() -> None:
    state, gone = Want(ANN, "alive", 5), Want(ANN, "erased", 0)
    assert newest([state, gone]) == [Want(ANN, "erased", 5)]
    assert newest([gone, state]) == [state]
