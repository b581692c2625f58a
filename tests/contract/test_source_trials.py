"""What `hub sources test` sends for every kind of source: it opens its own door, once, and is one event of a person."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from hub import clock
from hub.cli.source_test import Trial, send, trial
from hub.components import Request, Source
from hub.embedded.ports import LOOPBACK, keep_or_choose
from hub.errors import Misconfigured
from hub.identity.ids import event_id
from hub.settings import Settings, check
from producers.sources import SOURCES
from schemas.events import shape_of

PAYLOADS = Path(__file__).parents[1] / "support/payloads"
ANN, HUB = "ann@example.org", "hub@example.com"
MAIL = b"From: Ann <ann@example.org>\r\nTo: hub@example.com\r\nSubject: It's a test\r\n\r\nHello\r\n"
posted = partial(
    pytest.mark.parametrize, "source", [one for one in SOURCES if one.door == "http"], ids=lambda one: one.name
)


def settings_with(source: Source) -> Settings:
    own = json.loads((PAYLOADS / source.name / "settings.json").read_text(encoding="utf-8"))
    return check({"sources": {"tried": own | {"kind": source.name}}, "gateway": {"listen": "0.0.0.0:8123"}})


@posted()
def test_a_trial_opens_its_own_door_and_is_one_event_of_a_person(source: Source) -> None:
    settings = settings_with(source)
    one = trial(settings, "tried")
    own = source.settings.model_validate(settings.sources["tried"].own)
    request = Request(
        one.body, one.headers, dict(parse_qsl(urlsplit(one.address).query)), clock.text(clock.now()), one.body
    )
    source.verify(own, request)
    (reading,) = source.read(own, request)
    assert one.event == event_id("tried", reading.natural_id) != trial(settings, "tried").event
    assert not reading.type.startswith("source.")
    shape_of(reading.type).model_validate(reading.data)
    assert "hub-test@example.com" in json.dumps(reading.data)


@posted()
def test_the_command_is_the_request(source: Source) -> None:
    one = trial(settings_with(source), "tried", "https://hub.example.com/")
    words = shlex.split(one.command().replace("\\\n", " "))
    assert words[:2] == ["curl", "-i"]
    assert words[2].startswith("https://hub.example.com/")
    assert words[words.index("--data-binary") + 1].encode() == one.body
    headers = {words[place + 1] for place, word in enumerate(words) if word == "-H"}
    assert headers == {f"{name}: {value}" for name, value in one.headers.items()}


def test_a_gateway_that_listens_everywhere_is_reached_on_this_machine() -> None:
    assert trial(settings_with(SOURCES["web_form"]), "tried").address.startswith("http://127.0.0.1:8123/in/tried?")


def test_a_source_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(Misconfigured, match=r"no source 'nobody'; there are: tried"):
        trial(settings_with(SOURCES["web_form"]), "nobody")


@pytest.mark.parametrize(
    ("address", "command"),
    [
        ("smtp://h:25", f"curl smtp://h:25 --mail-from {ANN} --mail-rcpt {HUB} --crlf --upload-file hub-test.eml"),
        ("lmtp://h:24", f"swaks --protocol LMTP --server h:24 --from {ANN} --to {HUB} --data @hub-test.eml"),
        ("imaps://box:993/INBOX", "curl imaps://box:993/INBOX -u USER --upload-file hub-test.eml"),
    ],
)
def test_a_mail_is_written_to_a_file_and_handed_over(address: str, command: str) -> None:
    said = Trial("mail", address, {}, MAIL, bytes(16)).command()
    assert said.splitlines()[-1] == command
    written = re.fullmatch(r"cat > hub-test\.eml <<'MAIL'\n(.*)\nMAIL\n[^\n]*", said, re.DOTALL)
    assert written is not None
    assert written[1].replace("\n", "\r\n").encode() + b"\r\n" == MAIL


class Postman:
    """Takes one mail, then no more."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.got:
            return "451 later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        self.got.append(envelope.original_content or b"")
        return "550 no thank you"


@pytest.fixture
def postman() -> Iterator[tuple[Postman, str]]:
    """A mail server, and its address."""
    one = Postman()
    controller = Controller(one, hostname=LOOPBACK, port=int(keep_or_choose(None)))
    controller.start()
    yield one, f"smtp://{LOOPBACK}:{controller.port}"
    controller.stop()


async def test_a_mail_that_is_refused_is_told_in_the_servers_words(postman: tuple[Postman, str]) -> None:
    one, address = postman
    settings = check({})
    first = await send(settings, Trial("mail", address, {}, MAIL, bytes(16)))
    assert (first["status"], first["answer"], first["activity_id"]) == (550, "no thank you", None)
    assert one.got == [MAIL]
    again = await send(settings, Trial("mail", address, {}, MAIL, bytes(16)))
    assert (again["status"], again["answer"]) == (451, "later")
