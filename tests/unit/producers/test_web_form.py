"""What a form says, who may say it, and when two posts are the same one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import ValidationError

from hub.components import Reading, Request
from hub.errors import BadProof, Reject, Unreadable
from producers.sources.web_form import LONGEST_TEXT, Settings, read, verify

SETTINGS = Settings(keys=("pk_one", "pk_two"), redirects=("www.example.com", "forms.example.com:8443"))
URLENCODED = "application/x-www-form-urlencoded"


def a_request(body: bytes, query: dict[str, str] | None = None, **headers: Any) -> Request:
    named = {"content-type": URLENCODED} | {name.replace("_", "-"): value for name, value in headers.items()}
    asked = {"key": "pk_one"} if query is None else query
    return Request(body, named, asked, headers.get("at", "2026-11-22T08:15:30.123Z"), body)


def reading(*pairs: tuple[str, str], at: str = "2026-11-22T08:15:30.123Z", **headers: Any) -> Reading:
    request = a_request(urlencode(pairs).encode(), at=at, **headers)
    verify(SETTINGS, request)
    (one,) = read(SETTINGS, request)
    return one


def test_fields_that_forms_share_stand_on_top_and_every_other_one_in_fields() -> None:
    one = reading(("name", "Ann Lee"), ("email", " Ann@Example.com"), ("topic", "sales"), ("news", ""), ("phone", ""))
    assert one.type == "form.submitted"
    assert one.data == {"name": "Ann Lee", "email": " Ann@Example.com", "fields": {"topic": "sales", "news": ""}}


def test_a_repeated_field_is_a_list() -> None:
    assert reading(("tag", "a"), ("tag", "b"), ("x", "1")).data == {"fields": {"tag": ["a", "b"], "x": "1"}}


def test_a_field_on_top_that_comes_twice_loses_nothing() -> None:
    assert reading(("email", ""), ("email", "a@example.com"), ("email", "a@example.com")).data == {
        "email": "a@example.com"
    }
    assert reading(("email", "a@example.com"), ("email", "b@example.com")).data == {
        "email": "a@example.com",
        "fields": {"email": "b@example.com"},
    }


def test_fields_for_the_hub_are_no_business_data() -> None:
    one = reading(("key", "pk_two"), ("redirect", "https://www.example.com/thanks"), ("website", ""), ("name", "Ann"))
    assert one.data == {"name": "Ann"}
    assert one.redirect == "https://www.example.com/thanks"


def test_a_filled_honeypot_is_spam_and_answered_like_any_other() -> None:
    one = reading(("name", "Bot"), ("website", "http://spam.example"), ("redirect", "https://www.example.com/"))
    assert one.data == {"name": "Bot", "spam": True}
    assert one.redirect == "https://www.example.com/"


def test_a_bad_address_is_still_a_submission() -> None:
    assert reading(("email", "not an address")).data == {"email": "not an address"}


def test_the_time_is_the_one_that_the_form_tells() -> None:
    assert reading(("submitted_at", "2026-11-21T10:00:00+01:00")).time == "2026-11-21T10:00:00+01:00"
    assert reading(("name", "Ann")).time is None


@pytest.mark.parametrize("name", ["name", "email", "submitted_at"])
def test_a_field_on_top_has_a_longest_text(name: str) -> None:
    assert reading((name, "x" * LONGEST_TEXT)).data
    with pytest.raises(Reject) as wrong:
        reading((name, "x" * (LONGEST_TEXT + 1)))
    assert (wrong.value.status, wrong.value.field) == (422, name)


def test_a_message_may_be_long() -> None:
    assert len(reading(("message", "x" * 100_000)).data["message"]) == 100_000


@pytest.mark.parametrize("query", [{"key": "pk_one"}, {"key": "pk_two"}, {}])
def test_either_key_opens_in_the_query_or_in_the_form(query: dict[str, str]) -> None:
    verify(SETTINGS, a_request(b"name=Ann&key=pk_two", query))


@pytest.mark.parametrize("query", [{"key": "pk_three"}, {}, {"key": ""}, {"key": "pk_\ud800"}, {"key": "pk_one "}])
def test_no_other_key_opens(query: dict[str, str]) -> None:
    with pytest.raises(BadProof) as wrong:
        verify(SETTINGS, a_request(b"name=Ann", query))
    assert (wrong.value.status, wrong.value.field) == (401, "key")


def test_an_empty_form_is_refused() -> None:
    request = a_request(b"")
    verify(SETTINGS, request)
    with pytest.raises(Unreadable):
        read(SETTINGS, request)


def test_the_same_form_on_the_same_day_is_the_same_post() -> None:
    form = ("name", "Ann"), ("tag", "a"), ("tag", "b")
    first = reading(*form).natural_id
    assert reading(*form, at="2026-11-22T23:59:59.999Z").natural_id == first
    assert reading(*form, ("key", "pk_two")).natural_id == first
    assert reading(*form, at="2026-11-23T00:00:00.000Z").natural_id != first
    assert reading(("name", "Ann"), ("tag", "b"), ("tag", "a")).natural_id != first
    assert reading(("name", "Anna"), *form[1:]).natural_id != first


def test_the_order_of_fields_does_not_make_another_post() -> None:
    assert reading(("a", "1"), ("name", "Ann")).natural_id == reading(("name", "Ann"), ("a", "1")).natural_id


def test_the_senders_own_word_decides_what_is_the_same_post() -> None:
    first = reading(("name", "Ann"), idempotency_key="k1").natural_id
    assert reading(("name", "Ben"), idempotency_key="k1", at="2026-12-24T00:00:00.000Z").natural_id == first
    assert reading(("name", "Ann"), idempotency_key="k2").natural_id != first
    assert reading(("name", "Ann"), idempotency_key="").natural_id == reading(("name", "Ann")).natural_id


def test_a_longer_word_than_anybody_needs_is_refused() -> None:
    with pytest.raises(Unreadable) as wrong:
        reading(("name", "Ann"), idempotency_key="k" * 1025)
    assert wrong.value.field == "idempotency-key"


def test_two_files_of_one_name_and_size_are_two_posts() -> None:
    def upload(content: bytes) -> str:
        body = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\n' + content + b"\r\n--b--\r\n"
        (one,) = read(SETTINGS, a_request(body, content_type="multipart/form-data; boundary=b"))
        assert one.data["files"][0]["bytes"] == 3
        return one.natural_id

    assert upload(b"one") == upload(b"one") != upload(b"two")


@pytest.mark.parametrize(
    ("wanted", "location"),
    [
        ("https://www.example.com/thanks?a=1#b", "https://www.example.com/thanks?a=1#b"),
        ("http://WWW.example.com:8080/", "http://WWW.example.com:8080/"),
        ("https://forms.example.com:8443/", "https://forms.example.com:8443/"),
        ("https://www.example.com/größe", "https://www.example.com/gr%C3%B6%C3%9Fe"),
        ("https://forms.example.com/", None),
        ("https://evil.example/", None),
        ("https://www.example.com.evil.example/", None),
        ("https://www.example.com@evil.example/", None),
        ("https://user@www.example.com/", None),
        ("https://evil.example\\@www.example.com/", None),
        ("//www.example.com/", None),
        ("/thanks", None),
        ("javascript://www.example.com/%0aalert(1)", None),
        ("https://www.example.com/\r\nset-cookie: a=b", None),
        ("https://www.example.com/a b", None),
        ("https://[www.example.com/", None),
        ("https://www.éxample.com/", None),
        ("", None),
    ],
)
def test_a_redirect_leads_to_listed_hosts_alone(wanted: str, location: str | None) -> None:
    assert reading(("name", "Ann"), ("redirect", wanted)).redirect == location


def test_without_listed_hosts_no_redirect_is_followed() -> None:
    (one,) = read(Settings(keys=("k",)), a_request(b"name=Ann&redirect=https://www.example.com/"))
    assert one.redirect is None


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({}, "keys"),
        ({"keys": []}, "keys"),
        ({"keys": [""]}, "keys"),
        ({"keys": ["k"], "redirects": ["https://www.example.com"]}, "redirects"),
        ({"keys": ["k"], "region": "Germany"}, "region"),
        ({"keys": ["k"], "kys": ["k"]}, "kys"),
    ],
)
def test_wrong_settings_are_told_by_name(table: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        Settings.model_validate(table)
    assert wrong.value.errors()[0]["loc"][0] == key
