"""What the writer says anew: quotation and signature are cut, and nothing else."""

from __future__ import annotations

import pytest

from producers.mail.quotes import own_words

QUOTED = "\n> Shall we?\n> Call +49 30 99\n"


@pytest.mark.parametrize(
    "below",
    [
        f"On Mon, Nov 3, 2025 at 9:12 AM Bob <bob@example.com> wrote:{QUOTED}",
        f"On Mon, Nov 3, 2025 at 9:12 AM Bob Longname of Sales\n<bob@example.com> wrote:\n{QUOTED}",
        f"Am 03.11.2025 um 09:12 schrieb Bob:{QUOTED}",
        f"Le lun. 3 nov. 2025 à 09:12, Bob <b@x.com> a écrit :{QUOTED}",
        f"2025年11月3日(月) 9:12 Bob <b@x.com>:{QUOTED}",
        "On Mon, 3 Nov 2025, Bob wrote:\n\nShall we?\n",
        "-----Original Message-----\nFrom: Bob\n\nShall we?\n",
        "-------- Ursprüngliche Nachricht --------\nVon: Bob\n\nShall we?\n",
        "________________________________\nFrom: Bob <b@x.com>\nSent: Monday\nTo: Ann\nSubject: x\n\nShall we?\n",
        "Von: Bob\nGesendet: Montag\nAn: Ann\nBetreff: x\n\nShall we?\n",
        "*From:* Bob <b@x.com>\n*Sent:* Monday\n*To:* Ann\n\nShall we?\n",
        "-- \nAnn Lee\n+49 30 1234\n",
        "--\nAnn Lee\n",
        "Best regards,\nAnn Lee\n+49 30 1234\n",
        "Mit freundlichen Grüßen\n\nAnn Lee\n",
        "Cordialement\nAnn",
        "Sent from my iPhone\n",
        "Get Outlook for iOS<https://aka.ms/o0ukef>\n",
        f"Best regards,\nAnn\n\nOn Mon, 3 Nov 2025 at 9:12, Bob <b@x.com> wrote:{QUOTED}",
        QUOTED,
    ],
)
def test_what_stands_below_is_cut(below: str) -> None:
    assert own_words(f"Yes, please.\n\nTomorrow?\n\n{below}") == "Yes, please.\n\nTomorrow?"
    assert own_words(f"Yes, please.\n\nTomorrow?\n\n{below}".replace("\n", "\r\n")) == "Yes, please.\n\nTomorrow?"


def test_answers_between_quotations_are_kept() -> None:
    said = "On 3.11.2025 at 9:12 Bob wrote:\n> one?\nFirst.\n> two?\n\nSecond.\n"
    assert own_words(said) == "First.\n\nSecond."


@pytest.mark.parametrize(
    "text",
    [
        "I want:\n- apples\n- pears\n\nBye now",
        "Regards from Rome!\nIt is hot.",
        "On Monday he wrote a book.\nGood.",
        "From: the beginning\nit was good.",
        "Price: 5\nColour: red\nSize: 8",
        "a -- b",
        "Cheers for the quick answer, it helped me very much, and I will order again soon.",
    ],
)
def test_what_only_looks_like_it_is_kept(text: str) -> None:
    assert own_words(text) == text


@pytest.mark.parametrize("text", ["> all of it\n> is quoted", "-- \nAnn", "Sent from my iPhone"])
def test_where_nothing_is_left_the_whole_is_kept(text: str) -> None:
    assert own_words(text) == text.strip()
