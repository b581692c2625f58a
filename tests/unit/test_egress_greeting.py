"""A relay is greeted without a mail: whether it answers, refuses, or is not there."""

from __future__ import annotations

from hub.egress.smtp import Place, greet
from hub.embedded.ports import LOOPBACK, keep_or_choose
from tests.support.relay import Relay, dripping


async def test_a_relay_that_answers_gets_no_mail() -> None:
    async with Relay().serving() as relay:
        said = await greet(relay.place, 5.0)
    assert (said.code, relay.offered) == (250, [])


async def test_who_wants_tls_does_not_speak_to_a_relay_without_it() -> None:
    async with Relay().serving() as relay:
        said = await greet(relay.place._replace(tls="always"), 5.0)
    assert said.code is None or said.code >= 400


async def test_nobody_there_and_one_who_never_answers_are_told_in_words() -> None:
    said = await greet(Place(LOOPBACK, int(keep_or_choose(None))), 5.0)
    assert (said.code, "refused" in said.text or "connect" in said.text.lower()) == (None, True)
    async with dripping(60.0) as (place, _):
        assert (await greet(place, 0.2)).code is None
