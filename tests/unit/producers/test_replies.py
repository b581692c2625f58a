"""Who answers one of the hub's own mails is recognised by the form of its Message-ID, and no machine counts as one."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.components import Reading, Request
from producers.mail.reading import read_mail
from producers.mail.settings import MailSettings
from schemas.outgoing import key_of, message_id

KEY = UUID("0b9f6e0a-52ac-8d1b-a5a7-3a4fd5a0b6c1")
OURS = message_id(KEY, "example.com")


def read(*fields: str, settings: MailSettings | None = None) -> Reading:
    head = [
        "From: Ann <ann@example.net>",
        "Date: Sun, 22 Nov 2026 09:10:00 +0100",
        "Message-ID: <1@example.net>",
        *fields,
    ]
    body = "\r\n".join([*head, "", "Yes, please."]).encode()
    return read_mail(settings or MailSettings(), Request(body, {}, {}, "2026-11-22T09:10:00.000Z"))


@pytest.mark.parametrize(
    "fields",
    [
        [f"In-Reply-To: {OURS}"],
        [f"References: <first@example.net> {OURS} <later@example.net>"],
        [f"In-Reply-To: <other@example.net>\r\nReferences: {OURS}"],
        [f"In-Reply-To: {OURS.upper().replace('HUB.', 'hub.').lower()}"],
    ],
)
def test_an_answer_names_the_mail_that_it_answers(fields: list[str]) -> None:
    found = read(*fields)
    assert (found.type, found.data["answers"]) == ("email.replied", str(KEY))
    assert found.data["contact"]["email"] == "ann@example.net"


@pytest.mark.parametrize(
    "fields",
    [
        [],
        ["In-Reply-To: <else@example.net>"],
        [f"In-Reply-To: {OURS}", "Auto-Submitted: auto-replied"],
        [f"In-Reply-To: {OURS}", "X-Autoreply: yes", "Precedence: auto_reply"],
        [f"In-Reply-To: {OURS.replace('hub.', 'hub.x')}"],
    ],
)
def test_other_mails_and_the_words_of_machines_are_no_answers(fields: list[str]) -> None:
    found = read(*fields)
    assert found.type == "email.received"
    assert "answers" not in found.data


def test_our_own_people_answer_nobody() -> None:
    assert read(f"In-Reply-To: {OURS}", settings=MailSettings(domains=("example.net",))).type == "email.received"


@given(st.uuids(), st.from_regex(r"[a-z]{1,10}(\.[a-z]{2,5}){1,2}", fullmatch=True))
def test_the_key_comes_back_out_of_the_message_id(key: UUID, domain: str) -> None:
    assert key_of(message_id(key, domain)) == key
    assert key_of(message_id(key, domain)[1:-1]) == key


@given(st.text(max_size=80))
def test_nothing_else_is_taken_for_one(written: str) -> None:
    assert key_of(written) is None or "hub." in written
