"""The raw body goes before an event is kept, whatever stands in it, and nothing else goes with it."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from consumers.reading import read
from hub.components import Record
from producers.gateway import records
from tests.unit.test_reading import EDGE

TRICK = ',"raw":{"content_type":"'
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
tricky = texts | st.just(TRICK) | texts.map(lambda one: TRICK + one + '"}}')
values = st.recursive(tricky, lambda inner: st.dictionaries(tricky, inner, max_size=3) | st.lists(inner, max_size=3))
further = st.dictionaries(tricky | st.just("raw"), values, max_size=3)


def kept(value: bytes) -> Any:
    """What is kept of an edge's event."""
    headers = [(name, word) for name, word in (EDGE | {"ce_type": b"thing.said"}).items()]
    return orjson.loads(read(Record("inbound.tools", 0, 0, 0, None, value, headers), {}).payload)


@given(further, tricky)
def test_whatever_the_data_and_the_body_say_the_body_alone_goes(data: dict[str, Any], body: str) -> None:
    data.pop("raw", None)
    value = orjson.dumps({**data, "raw": records.raw(body.encode(), TRICK, "")})
    assert kept(value) == data


@given(further, tricky)
def test_a_body_in_the_middle_of_a_forged_event_takes_nothing_along_that_is_not_below_it(
    before: dict[str, Any], body: str
) -> None:
    """Nobody but the edge may say that it is the edge; where somebody does, the event is read all the same."""
    before.pop("raw", None)
    nested = {"deep": {"a": 1, "raw": records.raw(body.encode(), "text/plain", "")}}
    value = orjson.dumps({**before, **nested})
    assert kept(value) == {**before, **nested}
