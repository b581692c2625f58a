"""What is told of a deed, and to whom: functions of values."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from consumers.firing import LONGEST_ORIGIN, customer, passed_on, tellings, told
from consumers.tools import Tool
from hub.destinations import Fired
from hub.identity.ids import as_text
from tests.support.told import a_chat, a_tool

PROFILE = "5c1d0f9a-6f0e-8c5e-9a3b-2f1d8e7c6b5a"
DEED = Fired("some:e:1", "some", "add_tag", PROFILE, "e", "2026-11-22T08:15:30.123Z", 1, "hub")
URL = "https://tool.example/hub"
DEAF, KEEN, CHAT = a_tool("deaf", URL), a_tool("keen", URL, events=["action.fired"]), a_chat("https://chat.example/x")
TOOLS: dict[str, Tool] = {tool.name: tool for tool in (DEAF, KEEN, CHAT)}


def heard(*named: str) -> list[tuple[str, bool]]:
    """Who is told, and whether they follow profiles."""
    return [(one.destination, one.follows) for one in tellings(DEED, named, TOOLS)]


def test_who_subscribes_and_who_is_named_is_told_once_each() -> None:
    assert heard() == [("keen", False)]
    assert heard("deaf") == [("deaf", True), ("keen", False)]
    assert heard("keen", "keen", "chat", "gone") == [("keen", False), ("chat", False)]


def test_the_id_is_that_of_the_tool_and_the_key_and_of_nothing_else() -> None:
    (one,) = tellings(DEED, (), TOOLS)
    (other,) = tellings(replace(DEED, timestamp="2026-11-23T00:00:00.000Z", verb="x"), (), TOOLS)
    (next_,) = tellings(replace(DEED, key="some:e:2"), (), TOOLS)
    assert one.id == other.id != next_.id
    assert len({one.id for one in tellings(DEED, ("deaf", "chat"), TOOLS)}) == 3


def test_the_record_on_activities_has_the_shape_of_an_activity_under_the_profile() -> None:
    shard, message = told(DEED)
    assert (as_text(shard), message.key, message.type, message.topic) == (
        PROFILE,
        PROFILE,
        "action.fired",
        "activities",
    )
    value = orjson.loads(bytes(message.value))
    assert value.keys() == {"id", "profile_id", "type", "source", "at", "received_at", "data"}
    assert (value["id"], value["profile_id"], value["source"]) == (message.id, PROFILE, "hub")


def test_the_chain_of_tools_ends_with_the_hub_and_stays_an_attribute() -> None:
    assert (passed_on(""), passed_on("crm,shop")) == ("hub", "crm,shop,hub")
    assert len(passed_on("x" * LONGEST_ORIGIN)) == LONGEST_ORIGIN
    assert passed_on("x" * LONGEST_ORIGIN).endswith(",hub")


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"name": "Ann Lee", "given_name": "A"}, "Ann Lee"),
        ({"given_name": "Ann", "family_name": "Lee", "company": "Firm"}, "Ann Lee"),
        ({"company": "Firm", "email": "ann@firm.org"}, "Firm"),
        ({"email": "ann@firm.org"}, "ann@firm.org"),
        ({"phone": "+4930901820"}, "+4930901820"),
        ({"country": "DE"}, ""),
    ],
)
def test_a_customer_is_called_by_the_best_that_is_known(fields: dict[str, str], name: str) -> None:
    assert customer(fields) == name
