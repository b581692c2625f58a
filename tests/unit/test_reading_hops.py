"""How many tools an event has passed, and which: out of its headers, or out of a structured event."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.unit.test_reading import DIRECT, EDGE, PERSON, STRUCTURED, fact_of, letter_of


@pytest.mark.parametrize(
    ("headers", "value", "passed"),
    [
        (DIRECT, PERSON, (0, "")),
        (DIRECT | {"ce_hops": b"9", "ce_origin": b"crm,shop"}, PERSON, (9, "crm,shop")),
        (DIRECT | {"ce_hops": b"", "ce_origin": b""}, PERSON, (0, "")),
        (EDGE | {"ce_hops": b"999"}, {"email": "ann@firm.org"}, (999, "")),
        ({}, STRUCTURED | {"hops": 3, "origin": "crm"}, (3, "crm")),
        ({}, STRUCTURED | {"hops": "3"}, (3, "")),
    ],
)
def test_the_tools_that_an_event_has_passed_come_with_it(
    headers: Mapping[str, bytes], value: object, passed: tuple[int, str]
) -> None:
    fact = fact_of(headers, value)
    assert (fact.hops, fact.origin) == passed


@pytest.mark.parametrize("hops", [b"many", b"-1", b"1000", b"1.5"])
def test_hops_that_are_no_number_are_told_by_their_header(hops: bytes) -> None:
    assert letter_of(DIRECT | {"ce_hops": hops}, PERSON).field == "ce_hops"
