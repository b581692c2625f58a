"""A mail of a rule: to whom, saying what, and when it is held back."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.actions import ACTIONS
from hub.errors import Reject
from hub.tables import Allowance
from hub.verbs import Effect, Hold, MailOut, Scene
from schemas.actions import SendEmail

SOURCE = "subject: Hello {{ profile.given_name | default: 'you' }}\n---\nYour order of {{ event.total }}.\n"
ANN = {"email": "ann@example.net", "given_name": "Ann"}


def effects(fields: dict[str, Any], tags: tuple[str, ...] = (), **settings: Any) -> list[Effect]:
    wanted = SendEmail.model_validate({"template": "hello", "source": SOURCE} | settings)
    return list(ACTIONS["send_email"].effects(wanted, Scene({}, 0, fields, None, tags, {"total": 5})))


def test_it_goes_to_the_customer_with_what_is_known_of_them() -> None:
    assert effects(ANN) == [MailOut("ann@example.net", "Hello Ann", "Your order of 5.\n", to_customer=True)]
    assert effects({"email": "a@b.c"}) == [MailOut("a@b.c", "Hello you", "Your order of 5.\n", to_customer=True)]


def test_nobody_gets_a_mail_without_an_address_or_a_template_that_says_nothing() -> None:
    with pytest.raises(Reject, match="no e-mail address"):
        effects({"given_name": "Ann"})
    with pytest.raises(Reject, match="template hello"):
        effects(ANN, source="subject: {{ event.nothing }}\n---\nx")


@pytest.mark.parametrize(
    ("word", "tags", "held"),
    [
        ("given", (), None),
        ("given", ("complaint",), "a complaint is open"),
        ("withdrawn", (), "no consent to marketing: withdrawn"),
        (None, (), "no consent to marketing: never asked"),
    ],
)
def test_offers_need_consent_and_wait_while_a_complaint_is_open(
    word: str | None, tags: tuple[str, ...], held: str | None
) -> None:
    fields = ANN | ({"consent.marketing.ann@example.net": word} if word else {})
    (one,) = effects(fields, tags, purpose="marketing")
    assert (one.reason if isinstance(one, Hold) else None) == held
    (service,) = effects(ANN, tags)
    assert isinstance(service, MailOut), "what is no offer goes out all the same"


@pytest.mark.parametrize(
    ("most", "used", "held"),
    [
        (4, 3, None),
        (4, 4, "4 mails in 7 days already"),
        (4, 6, "6 mails in 7 days already"),
        (1, 1, "1 mail in 7 days already"),
    ],
)
def test_whoever_had_as_many_mails_as_they_may_gets_no_more_for_a_while(most: int, used: int, held: str | None) -> None:
    wanted = SendEmail.model_validate({"template": "hello", "source": SOURCE})
    scene = Scene({}, fields=ANN, event={"total": 5}, allowance=Allowance(most, "7 days", used))
    (one,) = ACTIONS["send_email"].effects(wanted, scene)
    assert (one.reason if isinstance(one, Hold) else None) == held


@pytest.mark.parametrize(
    ("purpose", "link", "bears_it"),
    [
        ("marketing", "https://hub.example.com/unsubscribe/x.y", True),
        ("service", "https://hub.example.com/unsubscribe/x.y", False),
        ("marketing", "", False),
    ],
)
def test_offers_bear_a_link_and_templates_may_show_it(purpose: str, link: str, *, bears_it: bool) -> None:
    text = "{% if unsubscribe_url != '' %}Never again: {{ unsubscribe_url }}{% else %}Bye.{% endif %}"
    source = f"subject: Hello\n---\n{text}\n"
    wanted = SendEmail.model_validate({"template": "hello", "source": source, "purpose": purpose})
    fields = ANN | {"consent.marketing.ann@example.net": "given"}
    (one,) = ACTIONS["send_email"].effects(wanted, Scene({}, fields=fields, unsubscribe=link))
    assert isinstance(one, MailOut)
    headers = {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    assert one.headers == (headers if bears_it else {})
    assert one.text.strip() == (f"Never again: {link}" if link else "Bye.")
