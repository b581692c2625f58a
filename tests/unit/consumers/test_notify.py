"""A word to people of ours: who gets it, and what it says of the customer."""

from __future__ import annotations

import pytest

from consumers.actions import ACTIONS
from hub.errors import Reject
from hub.verbs import Effect, Hold, MailOut, Scene
from schemas.actions import Notify

TEAMS = {"sales": ("ann@example.com", "bob@example.com", "ann@example.com")}
ANN = {"name": "Ann Lee", "email": "ann@customers.org", "revenue.EUR": "5"}


def effects(owner: str | None = None, text: str = "Call her.", **settings: str) -> list[Effect]:
    scene = Scene(TEAMS, 0, ANN, owner, (), {}, "9c5f1de2")
    return list(ACTIONS["notify"].effects(Notify.model_validate({"text": text, **settings}), scene))


def test_everybody_of_a_team_gets_it_once_with_what_is_known_of_the_customer() -> None:
    first, second = effects(team="sales")
    assert isinstance(first, MailOut)
    assert isinstance(second, MailOut)
    assert (first.recipient, second.recipient) == ("ann@example.com", "bob@example.com")
    assert first.subject == "Call her."
    assert first.text == "Call her.\n\nname: Ann Lee\nemail: ann@customers.org\nprofile: 9c5f1de2\n"


def test_the_owner_gets_it_or_it_is_held_where_nobody_looks_after_the_customer() -> None:
    (one,) = effects("eve@example.com", to="owner")
    assert isinstance(one, MailOut)
    assert one.recipient == "eve@example.com"
    assert effects(to="owner") == [Hold("nobody looks after this customer")]


def test_a_team_that_is_gone_is_a_reason_and_a_subject_is_one_line() -> None:
    with pytest.raises(Reject, match="no team sail"):
        effects(team="sail")
    (one,) = effects(to="eve@example.com", text="two\nlines")
    assert isinstance(one, MailOut)
    assert one.subject == "two lines"
