"""The page behind a link out of offers, and the one click of a mail program."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import orjson
import pytest

from hub.errors import Retry
from hub.leaving import Leave, seal
from hub.settings import check
from hub.streams.publish import Message
from producers.gateway.app import Gateway

KEY = "s3cret"
ANN = Leave('"<b>ann"@example.net', "marketing")
TOKEN = seal(KEY.encode(), ANN)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class Broker:
    """Takes everything, or raises what it is told to."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.wrong: Exception | None = None

    async def send(self, messages: Sequence[Message], *, within: float) -> None:
        assert within == 2.0
        if self.wrong:
            raise self.wrong
        self.messages += messages


async def well() -> Sequence[str]:
    return ()


async def ask(
    broker: Broker, method: str, token: str = TOKEN, *, body: Mapping[str, Any] | None = None, is_on: bool = True
) -> httpx.Response:
    """A request to a gateway of its own, that has links or not."""
    mail = {"unsubscribe": "https://hub.example.com", "secret": KEY} if is_on else {}
    transport = httpx.ASGITransport(app=Gateway(check({"mail": mail}), broker, well))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        return await client.request(method, f"/unsubscribe/{token}", **(body or {}))


async def test_looking_shows_one_button_and_changes_nothing() -> None:
    broker = Broker()
    answer = await ask(broker, "GET")
    assert (answer.status_code, broker.messages) == (200, [])
    assert answer.text.count("<button") == answer.text.count('method="post"') == 1
    assert "<script" not in answer.text
    assert "&quot;&lt;b&gt;ann&quot;@example.net" in answer.text
    assert "<b>ann" not in answer.text
    assert answer.text.count("<h1>") == answer.text.count('<html lang="en">') == 1
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert (await ask(broker, "HEAD")).content == b""


@pytest.mark.parametrize("body", [{"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}, {}])
async def test_a_post_of_any_form_takes_the_consent_back_once_a_day(body: dict[str, Any]) -> None:
    broker = Broker()
    answers = [await ask(broker, "POST", body=body) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert "You are unsubscribed" in answers[0].text
    first, second = (dict(one.headers or ()) for one in broker.messages)
    assert first["ce_id"] == second["ce_id"]
    assert (first["ce_type"], first["ce_edge"], first["ce_trust"]) == (b"consent.withdrawn", b"hub", b"public")
    data = orjson.loads(bytes(broker.messages[0].value or b""))
    assert {name: data[name] for name in ("contact", "purpose", "channel")} == {
        "contact": {"email": ANN.address}, "purpose": "marketing", "channel": "email",
    }  # fmt: skip
    assert TOKEN.encode() not in bytes(broker.messages[0].value or b"")


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-3], TOKEN + "/", seal(b"another", ANN)])
async def test_a_link_that_is_not_ours_says_nothing_and_does_nothing(token: str) -> None:
    broker = Broker()
    for method in ("GET", "POST"):
        answer = await ask(broker, method, token)
        assert answer.status_code == 404
        assert "example.net" not in answer.text
    assert broker.messages == []


async def test_without_the_setting_no_link_works_and_other_methods_are_told() -> None:
    assert (await ask(Broker(), "POST", is_on=False)).status_code == 404
    answer = await ask(Broker(), "DELETE")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")


async def test_a_broker_that_is_away_is_told_and_a_failure_of_ours_names_no_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = Broker()
    broker.wrong = Retry("the broker is away")
    assert (await ask(broker, "POST")).status_code == 503
    broker.wrong = RuntimeError("a bug")
    with caplog.at_level(logging.DEBUG):
        assert (await ask(broker, "POST")).status_code == 500
    assert "/unsubscribe/ failed" in caplog.text
    assert TOKEN not in "\n".join(one.getMessage() for one in caplog.records if one.name != "httpx")
