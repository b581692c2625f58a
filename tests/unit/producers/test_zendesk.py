"""What a support desk says, how it proves it, and who is meant."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from hub.components import Reading, Request
from hub.errors import BadProof, Reject, WrongType
from producers.sources.zendesk import INVOCATION, TIMESTAMP, ZENDESK, Settings, read, sign, verify

AT = "2026-11-22T08:15:30.123Z"
PUBLIC_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
SETTINGS = Settings(secret=("new", "old"))
BODY = b'{"event": "ticket.opened", "ticket": {"id": "1"}}'


def delivery(body: Any, **headers: str) -> Request:
    wire = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(wire, {"content-type": "application/json"} | named, {}, AT, wire)


def reading(body: Any, **headers: str) -> Reading:
    (one,) = read(SETTINGS, delivery(body, **headers))
    return one


def event(kind: str, detail: dict[str, Any], **said: Any) -> Reading:
    body = {"type": f"zen:event-type:{kind}", "id": "e1", "time": "2026-11-22T08:00:00Z", "detail": detail}
    return reading(body | {"event": said})


def signed(at: str, *, secret: str = "new", body: bytes = BODY) -> Request:
    return delivery(body, **dict(sign(Settings(secret=(secret,)), body, at, "i1")))


def refusal(request: Request, settings: Settings = SETTINGS) -> tuple[int, str | None]:
    with pytest.raises(BadProof) as wrong:
        verify(settings, request)
    return wrong.value.status, wrong.value.field


def test_the_signature_is_the_one_that_others_make() -> None:
    """A vector of WebhookX's tests, made by another program with the secret of Zendesk's own test button."""
    body = b'{"event_type": "foo.bar","data": {"key": "value"}}'
    request = delivery(
        body,
        x_zendesk_webhook_signature="qtmu3iClLKujnujOBkwe7yjI34o5CzsLD04Uy4LbE2A=",
        x_zendesk_webhook_signature_timestamp="1531420618",
    )
    then = Request(body, request.headers, {}, "2018-07-12T18:36:58.000Z", body)
    verify(Settings(secret=(PUBLIC_SECRET,)), then)
    assert refusal(request, Settings(secret=(PUBLIC_SECRET,))) == (401, TIMESTAMP)


@pytest.mark.parametrize("secret", ["new", "old"])
def test_either_secret_verifies(secret: str) -> None:
    verify(SETTINGS, signed(AT, secret=secret))


def test_no_other_secret_verifies() -> None:
    assert refusal(signed(AT, secret="other")) == (401, "x-zendesk-webhook-signature")


@pytest.mark.parametrize("secret", ["", (), ("new", "")])
def test_an_empty_secret_is_no_secret(secret: Any) -> None:
    with pytest.raises(ValidationError, match="secret"):
        Settings(secret=secret)


@pytest.mark.parametrize("at", ["2026-11-22T08:10:31Z", "2026-11-22T08:20:30Z", "2026-11-22T09:15:30+01:00"])
def test_a_signature_is_good_for_five_minutes_to_either_side(at: str) -> None:
    verify(SETTINGS, signed(at))


@pytest.mark.parametrize(
    "at", ["2026-11-22T08:10:30Z", "2026-11-22T08:20:31Z", "2025-11-22T08:15:30Z", "now", "²³", "0", "9" * 11, "-1"]
)
def test_an_old_time_or_none_is_refused_by_its_header(at: str) -> None:
    assert refusal(signed(at)) == (401, TIMESTAMP)


def test_the_tolerance_is_a_setting() -> None:
    verify(Settings(secret=("new",), tolerance_seconds=3600), signed("2026-11-22T07:20:00Z"))
    tight = Settings(secret=("new",), tolerance_seconds=5)
    assert refusal(signed("2026-11-22T08:15:20Z"), tight) == (401, TIMESTAMP)
    with pytest.raises(ValidationError, match="tolerance_seconds"):
        Settings(secret=("new",), tolerance_seconds=0)


def test_the_time_is_signed_too() -> None:
    request = signed("2026-11-22T08:15:00Z")
    moved = dict(request.headers) | {TIMESTAMP: "2026-11-22T08:15:01Z"}
    assert refusal(Request(BODY, moved, {}, AT, BODY)) == (401, "x-zendesk-webhook-signature")


def test_a_signed_body_of_another_type_is_refused_by_its_type() -> None:
    request = signed(AT)
    with pytest.raises(WrongType) as wrong:
        verify(SETTINGS, Request(BODY, dict(request.headers) | {"content-type": "text/xml"}, {}, AT, BODY))
    assert wrong.value.field == "content-type"


def test_an_event_is_known_by_its_id_and_a_trigger_by_its_invocation() -> None:
    invoked = {INVOCATION: "i1"}
    subscribed = {"type": "zen:event-type:ticket.created", "id": "e1", "detail": {"id": "1"}}
    assert reading(subscribed, **invoked).natural_id == "e1"
    assert reading(subscribed | {"id": None}, **invoked).natural_id == "i1"
    assert reading(BODY, **invoked).natural_id == "i1"
    assert reading(BODY).natural_id == reading(BODY).natural_id != reading(BODY + b" ").natural_id


@pytest.mark.parametrize(
    ("kind", "current", "event_type"),
    [
        ("created", None, "ticket.opened"),
        ("comment_added", None, "ticket.commented"),
        ("status_changed", "SOLVED", "ticket.solved"),
        ("status_changed", "CLOSED", "ticket.solved"),
        ("status_changed", "closed", "ticket.solved"),
        ("status_changed", "PENDING", "ticket.updated"),
        ("status_changed", None, "ticket.updated"),
        ("priority_changed", "SOLVED", "ticket.updated"),
        ("merged", None, "ticket.updated"),
    ],
)
def test_a_kind_of_event_is_a_type(kind: str, current: str | None, event_type: str) -> None:
    one = event(f"ticket.{kind}", {"id": "1", "requester_id": "9"}, current=current)
    assert (one.type, one.data["contact"]) == (event_type, {"id": "9", "objects": ["ticket:1"]})


def test_nobody_but_the_requester_is_the_contact() -> None:
    agent = {"id": "5", "name": "Bo", "email": "bo@desk.example"}
    detail = {"id": 1, "requester_id": 9, "submitter_id": "5", "assignee_id": "5", "actor_id": "5", "email": "x@y.z"}
    one = event("ticket.comment_added", detail, comment={"author": agent, "body": "Call +49 151 12345678."})
    assert one.data["contact"] == {"id": "9", "objects": ["ticket:1"]}
    assert one.data["text"] == "Call +49 151 12345678."
    trigger = {"event": "ticket.commented", "ticket": {"id": "1", "assignee": agent, "requester": {"id": "9"}}}
    assert reading(trigger | {"author": agent}).data["contact"] == {"id": "9", "objects": ["ticket:1"]}


def test_a_ticket_without_a_requester_still_leads_to_its_person() -> None:
    assert event("ticket.tags_changed", {"id": "1"}).data["contact"] == {"objects": ["ticket:1"]}


def test_a_long_comment_is_kept_whole() -> None:
    text = "ä" * 60_000
    assert event("ticket.comment_added", {"id": "1"}, comment={"body": text}).data["text"] == text


def test_the_time_is_the_ticket_s_else_the_event_s() -> None:
    assert event("ticket.created", {"id": "1", "updated_at": "2026-11-22T07:00:00Z"}).time == "2026-11-22T07:00:00Z"
    assert event("ticket.created", {"id": "1"}).time == "2026-11-22T08:00:00Z"
    assert reading({"event": "ticket.opened", "ticket": {"id": "1", "updated_at": "July 26"}}).time == "July 26"


@pytest.mark.parametrize(
    ("kind", "said", "contact"),
    [
        ("created", {}, {"id": "9", "email": "ann@example.com"}),
        ("name_changed", {"current": "Ann Lee"}, {"id": "9", "email": "ann@example.com", "name": "Ann Lee"}),
        (
            "identity_created",
            {"identity": {"type": "phone_number", "value": "+4915112345678"}},
            {"id": "9", "email": "ann@example.com", "phone": "+4915112345678"},
        ),
        (
            "identity_created",
            {"identity": {"type": "email", "value": "second@example.com"}},
            {"id": "9", "email": "ann@example.com"},
        ),
        (
            "identity_deleted",
            {"identity": {"type": "phone_number", "value": "+4915112345678"}},
            {"id": "9", "email": "ann@example.com"},
        ),
        (
            "identity_changed",
            {"identity": {"type": "twitter", "value": "ann"}},
            {"id": "9", "email": "ann@example.com"},
        ),
    ],
)
def test_a_user_is_told_as_the_event_leaves_it(kind: str, said: dict[str, Any], contact: dict[str, str]) -> None:
    one = event(f"user.{kind}", {"id": 9, "email": "ann@example.com", "role": "end-user"}, **said)
    assert (one.type, one.data) == ("contact.updated", {"contact": contact})


def test_a_first_address_stands_in_the_event_alone() -> None:
    one = event("user.identity_created", {"id": 9, "email": None}, identity={"type": "email", "value": "a@example.com"})
    assert one.data["contact"] == {"id": "9", "email": "a@example.com"}


@pytest.mark.parametrize("role", ["agent", "admin"])
def test_who_works_at_the_desk_is_no_customer(role: str) -> None:
    one = event("user.created", {"id": "5", "email": "bo@desk.example", "role": role})
    assert (one.type, one.data) == ("source.ignored", {"type": "zen:event-type:user.created"})


@pytest.mark.parametrize(
    "kind", ["user.last_login_changed", "user.merged", "organization.created", "article.published"]
)
def test_what_is_not_about_who_somebody_is_is_ignored(kind: str) -> None:
    one = event(kind, {"id": "9", "email": "ann@example.com"})
    assert (one.type, one.data) == ("source.ignored", {"type": f"zen:event-type:{kind}"})


@pytest.mark.parametrize("body", [{}, {"event": ""}, {"type": "other"}, {"hello": {"world": 1}}])
def test_a_test_of_the_webhook_is_ignored(body: dict[str, Any]) -> None:
    assert (reading(body).type, reading(body).data) == ("source.ignored", {})


@pytest.mark.parametrize("word", ["opened", "commented", "updated", "solved"])
def test_a_trigger_says_its_event(word: str) -> None:
    requester = {"id": "9", "name": "Ann Lee", "email": "ann@example.com", "phone": ""}
    ticket = {"id": 1, "subject": "Kännchen", "description": "kaputt", "status": "Solved", "requester": requester}
    one = reading({"event": f"ticket.{word}", "ticket": ticket})
    assert one.type == f"ticket.{word}"
    assert one.data["contact"] == {
        "id": "9",
        "name": "Ann Lee",
        "email": "ann@example.com",
        "objects": ["ticket:1"],
    }
    assert one.data["ticket"] == {"id": "1", "subject": "Kännchen", "status": "solved"}
    assert one.data.get("text") == ("kaputt" if word in {"opened", "commented"} else None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"event": ["ticket.opened"]}, "event"),
        ({"event": "ticket.opened", "ticket": []}, "ticket"),
        (
            {"event": "ticket.opened", "ticket": {"id": "1", "requester": {"email": ["a@example.com"]}}},
            "ticket.requester.email",
        ),
        ({"type": 7.5, "event": "ticket.opened"}, "ticket.id"),
        ({"type": "zen:event-type:user.created", "detail": {"email": "a@example.com"}}, "detail.id"),
        ({"type": "zen:event-type:ticket.comment_added", "event": {"comment": "x"}, "detail": {}}, "event.comment"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(body: dict[str, Any], field: str) -> None:
    with pytest.raises(Reject) as wrong:
        reading(body)
    assert (wrong.value.status, wrong.value.field) == (422, field)


def test_its_events_go_where_desks_speak() -> None:
    assert (ZENDESK.topic, ZENDESK.public) == ("inbound.support", False)
