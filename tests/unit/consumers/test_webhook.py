"""The kind `webhook`: its body, its signature, its settings."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from consumers.destinations.webhook import Settings, call, render, wants
from consumers.instances import check_destinations, instances
from hub import clock
from hub.destinations import Notice
from hub.errors import Misconfigured
from hub.settings import check, overlay
from schemas.profile import Told

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEWER = "whsec_" + base64.b64encode(bytes(range(32))).decode()
LINE = (
    '{"activities":1,"fields":{},"identifiers":[],"owner":null,"profile_id":"p","records":[],'
    '"stage":null,"tags":[],"version":7}'
)
ID = "5c1d0f9a-6f0e-8c5e-9a3b-2f1d8e7c6b5a"


def settings(**own: Any) -> Settings:
    return Settings.model_validate({"url": "https://tool.example/hub", "secret": SECRET} | own)


def problems(**own: Any) -> list[str]:
    table = {"kind": "webhook", "url": "https://tool.example/hub", "secret": SECRET} | own
    return check_destinations(check({"destinations": {"sales": {k: v for k, v in table.items() if v is not None}}}))


def test_the_body_is_the_line_as_it_is_told_byte_for_byte() -> None:
    body = render(settings(), Notice("profile.updated", "2026-11-22T08:15:30.123Z", LINE.encode()))
    assert body.decode() == (
        '{"type":"profile.updated","timestamp":"2026-11-22T08:15:30.123Z","data":{"profile":' + LINE + "}}"
    )
    assert Told.model_validate_json(body).data.profile.version == 7


@pytest.mark.parametrize(("event", "name"), [("profile.merged", "absorbed"), ("profile.split", "parts")])
def test_merges_and_splits_name_the_other_ids(event: str, name: str) -> None:
    told = Told.model_validate_json(render(settings(), Notice(event, "t", LINE.encode(), ("a", "b"))))
    assert getattr(told.data, name) == ["a", "b"]


def test_the_signature_is_verified_by_the_reference_library_with_every_secret() -> None:
    body = render(settings(), Notice("profile.updated", "t", LINE.replace("{}", '{"ü":"„Ω“"}').encode()))
    request = call(settings(secret=[SECRET, NEWER]), ID, int(clock.now().timestamp()), body)
    for secret in (SECRET, NEWER):
        assert Webhook(secret).verify(request.body, dict(request.headers))["type"] == "profile.updated"
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + base64.b64encode(b"x" * 24).decode()).verify(request.body, dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body + b" ", dict(request.headers))


def test_each_try_is_signed_for_its_own_second_under_the_same_id() -> None:
    first, second = (call(settings(), ID, at, b"{}") for at in (1_790_000_000, 1_790_000_005))
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == ID
    assert first.headers["webhook-timestamp"] == "1790000000"
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert (first.url, first.headers["content-type"]) == ("https://tool.example/hub", "application/json")
    assert first.headers["user-agent"]


def test_a_tool_hears_what_it_subscribed_to() -> None:
    assert wants(settings(), "profile.merged")
    assert not wants(settings(), "action.fired")
    assert not wants(settings(events=["profile.created"]), "profile.updated")
    assert wants(settings(events="*"), "action.fired")


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"url": None}, "destinations.sales.url: Field required"),
        ({"secret": None}, "destinations.sales.secret: needs `secret` or `secret_file`"),
        ({"url": "http://tool.example/"}, "destinations.sales.url: must be https://"),
        ({"url": "https://10.0.0.1/"}, "destinations.sales.url: 10.0.0.1 is private"),
        (
            {"url": "http://169.254.169.254/", "allow_private": True},
            "destinations.sales.url: 169.254.169.254 is no public",
        ),
        ({"secret": "hunter2"}, "destinations.sales.secret: must be whsec_"),
        ({"secret": "whsec_???"}, "destinations.sales.secret: must be whsec_"),
        ({"secret": []}, "destinations.sales.secret: needs"),
        ({"secret_file": "/nowhere"}, "destinations.sales.secret: needs"),
        ({"secret": None, "secret_file": "/nowhere"}, "destinations.sales.secret: /nowhere: No such file"),
        ({"secret": None, "secret_file": "/dev/null"}, "destinations.sales.secret: must be whsec_"),
        ({"concurrency": 0}, "destinations.sales.concurrency"),
        ({"timeout_seconds": 60}, "destinations.sales.timeout_seconds"),
        ({"retry_seconds": [-1]}, "destinations.sales.retry_seconds.0"),
        ({"colour": "red"}, "destinations.sales.colour: Extra inputs are not permitted"),
        (
            {"kind": "webhok"},
            "destinations.sales.kind: no destination of kind 'webhok'; there are slack, webhook; did you mean",
        ),
    ],
)
def test_what_is_wrong_is_said_by_name_and_without_the_secret(own: dict[str, Any], sentence: str) -> None:
    (problem,) = problems(**own)
    assert problem.startswith(sentence)
    assert "hunter2" not in problem


def test_the_secrets_may_stand_in_a_file_one_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath("sales").write_text(f"{NEWER}\n{SECRET}\n", encoding="utf-8")
    file = {"HUB_DESTINATIONS__SALES__SECRET_FILE": str(tmp_path / "sales")}
    table = {"kind": "webhook", "url": "https://tool.example/hub"}
    tools = instances(check(overlay({"destinations": {"sales": table}}, file)))
    assert getattr(tools["sales"].settings, "secret", None) == (NEWER, SECRET)


def test_everything_wrong_is_said_at_once() -> None:
    wrong = {"kind": "webhook", "url": "nowhere", "secret": "x", "concurrency": 0}
    with pytest.raises(Misconfigured) as raised:
        instances(check({"destinations": {"sales": wrong, "service": wrong}}))
    assert len(str(raised.value).splitlines()) == 6


def test_a_tool_has_the_settings_of_its_kind() -> None:
    tools = instances(
        check({"destinations": {"sales": {"kind": "webhook", "url": "https://a.example/", "secret": SECRET}}})
    )
    own = tools["sales"].settings
    assert (own.concurrency, own.timeout_seconds, own.retry_seconds, own.allow_private) == (32, 20.0, (), False)
