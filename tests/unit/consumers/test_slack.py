"""The kind `slack`: what stands in the channel, and its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from consumers.destinations.slack import Settings, call, fired, wants
from consumers.instances import check_destinations
from hub.destinations import Fired
from hub.settings import check

URL = "https://hooks.slack.example/services/T0/B0/s3cret"
DEED = Fired("k", "new-lead", "notify", "9c5f1de2", "e", "t", text="Call.", customer="Ann Lee")


def text(**changed: Any) -> str:
    """What stands in the channel."""
    told = Fired(**{**vars(DEED), **changed})
    said: str = orjson.loads(fired(Settings.model_validate({"url": URL}), told))["text"]
    return said


def problems(**own: Any) -> list[str]:
    return check_destinations(check({"destinations": {"chat": {"kind": "slack", **own}}}))


def test_it_says_what_the_rule_says_and_whom_it_is_about() -> None:
    assert text() == "Call.\nAnn Lee (9c5f1de2)"
    assert text(customer="") == "Call.\nA customer without a name (9c5f1de2)"


def test_a_customer_can_neither_link_nor_ring_a_bell() -> None:
    assert text(customer="<!here> <https://evil.example|Ann> & co @channel", text="a < b") == (
        "a &lt; b\n&lt;!here&gt; &lt;https://evil.example|Ann&gt; &amp; co @\u200bchannel (9c5f1de2)"
    )


def test_the_address_is_the_secret_and_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text(f"{URL}\n")
    for own in ({"url": URL}, {"url_file": str(file)}):
        assert call(Settings.model_validate(own), "id", 1, b"{}").url == URL
        assert "s3cret" not in repr(Settings.model_validate(own))


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({}, "destinations.chat.url: needs `url` or `url_file`"),
        ({"url": URL, "url_file": "/dev/null"}, "destinations.chat.url: needs `url` or `url_file`"),
        ({"url_file": "/nowhere"}, "destinations.chat.url: /nowhere: No such file"),
        ({"url": "http://10.0.0.1/s3cret"}, "destinations.chat.url: "),
        ({"url": URL, "events": ["profile.*"]}, "destinations.chat.events: Extra inputs"),
    ],
)
def test_what_is_wrong_is_said_by_name_and_without_the_address(own: dict[str, Any], sentence: str) -> None:
    (problem,) = problems(**own)
    assert problem.startswith(sentence)
    assert "s3cret" not in problem


def test_nobody_subscribes_a_chat() -> None:
    assert not any(wants(Settings.model_validate({"url": URL}), name) for name in ("profile.updated", "action.fired"))
