"""The demo's mailbox: what it keeps, and who answers."""

from __future__ import annotations

import asyncio
import smtplib
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import islice
from pathlib import Path

import pytest

from hub.demo.departments import ADDRESS
from hub.demo.mailbox import ONE_IN, Mailbox, answer
from hub.demo.posts import Post
from hub.demo.tools import door


def letter(to: str, number: int = 1) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = ADDRESS, to, "May we still help you?"
    made["Date"], made["Message-ID"] = "Sun, 22 Nov 2026 15:46:59 +0000", f"<hub.{number:032x}@the-company.example>"
    made.set_content("Hello.")
    return made


ANSWERING = next(islice((f"p{n}@example.com" for n in range(99) if answer(letter(f"p{n}@example.com"))), 1))
SILENT = next(islice((f"p{n}@example.com" for n in range(99) if not answer(letter(f"p{n}@example.com"))), 1))


def test_one_in_some_answers_and_nobody_of_the_company_does() -> None:
    people = [f"person{number}@example.com" for number in range(900)]
    share = sum(answer(letter(one)) is not None for one in people) / len(people)
    assert share == pytest.approx(1 / ONE_IN, abs=0.06)
    assert not any(answer(letter(f"{name}{n}@the-company.example")) for name in ("ann", "bob") for n in range(20))


def test_an_answer_is_to_the_mail_and_always_the_same() -> None:
    said = answer(letter(ANSWERING))
    assert said
    assert answer(letter(ANSWERING)) == said
    told = message_from_bytes(said.body, policy=policy.default)
    assert told["In-Reply-To"] == letter(ANSWERING)["Message-ID"]
    assert (told["From"], told["To"], said.path) == (ANSWERING, ADDRESS, ADDRESS)
    other = answer(letter(ANSWERING, 2))
    assert other
    assert message_from_bytes(other.body)["Message-ID"] != told["Message-ID"]


async def posted(mailbox: Mailbox, letters: list[EmailMessage]) -> None:
    open_door = door()
    port = open_door.getsockname()[1]

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            for one in letters:
                client.send_message(one)

    async with mailbox.serving(open_door):
        await asyncio.to_thread(send)


async def answered(mailbox: Mailbox, count: int) -> list[Post]:
    found = []
    async for post in mailbox.answers():
        found.append(post)
        if len(found) == count:
            break
    return found


async def test_a_mail_is_a_file_and_one_that_comes_again_is_no_second(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path / "mailbox")
    mailbox.open()
    await posted(mailbox, [letter(ANSWERING), letter(SILENT, 2), letter(ANSWERING)])
    assert [file.name for file in sorted(mailbox.folder.iterdir())] == [f"0001 {ANSWERING}.eml", f"0002 {SILENT}.eml"]
    assert mailbox.news == type(mailbox.news)([f"{one}: May we still help you?" for one in (ANSWERING, SILENT)])
    assert mailbox.unanswered == 1


async def test_a_second_start_answers_the_same_mails_in_the_same_words(tmp_path: Path) -> None:
    first = Mailbox(tmp_path)
    first.open()
    await posted(first, [letter(ANSWERING, n) for n in range(3)])
    second = Mailbox(tmp_path)
    second.open()
    assert second.unanswered == 3
    assert await answered(second, 3) == await answered(first, 3)
