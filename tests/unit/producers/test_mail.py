"""Mail as it is read: whoever wrote the program that wrote it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from hub.components import Request
from hub.errors import Reject, Unreadable
from hub.identity.ids import as_text, event_id
from hub.settings import check
from producers.gateway.records import UNREADABLE
from producers.mail.charsets import decoded
from producers.mail.door import NoPosts
from producers.mail.headers import words
from producers.mail.markup import text_of
from producers.mail.settings import MailSettings
from producers.replay import Lost, messages
from producers.sources.imap import Settings as Imap
from producers.sources.smtp import SMTP
from tests.support.mail_readings import ARRIVAL, check_read_and_kept, read
from tests.support.mails import TEMPLATES, is_large, mails


def mail(body: str = "Hello", /, **fields: str) -> bytes:
    said = {"From": "Ann Lee <ann@example.net>", "To": "sales@example.com"} | fields
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in said.items() if value)
    return f"{head}\r\n{body}".encode()


def test_there_are_two_hundred_horrors() -> None:
    names = [name for name, _ in mails()]
    assert len(set(names)) == len(names) >= 200


@pytest.mark.parametrize("horror", [pytest.param(one, id=name) for name, one in mails() if not is_large(name)])
def test_a_horror_is_read_and_can_be_kept(horror: bytes) -> None:
    check_read_and_kept(horror)


@pytest.mark.parametrize(
    ("template", "text", "attachments"),
    [
        ("plain", "Grüße, please call me.", []),
        ("html", "Please call me.", []),
        ("alternative", "Grüße, please call me.", []),
        ("mixed", "Grüße, please call me.", [("a.png", "image/png", 200)]),
        ("before_mime", "Please call me.", [("note.txt", "application/octet-stream", 3)]),
        ("base64", "日本語のメール", []),
        ("quoted", "Привет", []),
        ("flowed", "This goeson here.", []),
        ("right_to_left", "שלום", []),
        ("tnef", "Grüße, please call me.", [("winmail.dat", "application/ms-tnef", 36)]),
        ("reply", "Yes.", []),
    ],
)
def test_the_text_and_what_is_attached(template: str, text: str, attachments: list[tuple[str, str, int]]) -> None:
    data = read(TEMPLATES[template]).data
    noted = [(one["name"], one["content_type"], one["bytes"]) for one in data.get("attachments", [])]
    assert (data["text"], noted) == (text, attachments)


@pytest.mark.parametrize(
    ("written", "contact"),
    [
        ('"Lee, Ann" <ann@example.net>', {"name": "Ann Lee", "given_name": "Ann", "family_name": "Lee"}),
        ("Lee, Ann <ann@example.net>", {"name": "Ann Lee", "given_name": "Ann", "family_name": "Lee"}),
        ("=?utf-8?q?Lee=2C_Ann?= <ann@example.net>", {"name": "Ann Lee", "given_name": "Ann", "family_name": "Lee"}),
        ('"Acme, Inc." <ann@example.net>', {"name": "Acme, Inc."}),
        ("=?iso-8859-1?q?J=FCrgen?= <ann@example.net>", {"name": "Jürgen"}),
        ('"ann@example.net" <ann@example.net>', {}),
        ("ann@example.net (Ann Lee)", {"name": "Ann Lee"}),
        ("ann@example.net", {}),
        ("Ann <ann@example.net>, Bob <bob@example.org>", {"name": "Ann"}),
    ],
)
def test_the_person_is_the_one_in_from(written: str, contact: dict[str, str]) -> None:
    data = read(mail(From=written, Reply_To="other@example.org")).data
    assert data["contact"] == {"email": "ann@example.net"} | contact


@pytest.mark.parametrize(
    "written", ["", "undisclosed-recipients:;", "Ann Lee", "bob@example.com", "b@mail.EXAMPLE.com"]
)
def test_nobody_and_our_own_people_are_no_contact(written: str) -> None:
    data = read(mail(From=written)).data
    assert "contact" not in data
    assert data.get("internal", False) == ("@" in written)


@pytest.mark.parametrize(
    ("fields", "sort", "has_contact"),
    [
        ({}, None, True),
        ({"Auto_Submitted": "no"}, None, True),
        ({"Auto_Submitted": "auto-replied"}, "auto_reply", True),
        ({"X_Autoreply": "yes"}, "auto_reply", True),
        ({"Precedence": "bulk", "In_Reply_To": "<1@x>"}, "auto_reply", True),
        ({"Subject": "Out of office: away"}, "auto_reply", True),
        ({"Subject": "=?utf-8?q?Abwesenheitsnotiz?="}, "auto_reply", True),
        ({"Return_Path": "<>"}, "auto_reply", True),
        ({"Return_Path": "<>", "Subject": "Undelivered Mail"}, "bounce", False),
        ({"From": "MAILER-DAEMON@mx.example.net"}, "bounce", False),
        ({"X_Failed_Recipients": "x@y.z", "Auto_Submitted": "auto-replied"}, "bounce", False),
        ({"List_Id": "<fans.example.org>"}, "list", True),
        ({"List_Id": "<fans.example.org>", "To": "ann@example.net"}, "list", False),
        ({"Subject": "Re: out of office hours?"}, None, True),
    ],
)
def test_what_no_person_wrote_is_marked(fields: dict[str, str], sort: str | None, has_contact: bool) -> None:
    data = read(mail(**fields)).data
    assert (data.get("automatic"), "contact" in data) == (sort, has_contact)


def test_the_envelope_tells_a_bounce_too() -> None:
    undelivered = mail(Subject="Delivery Status Notification (Failure)")
    assert read(undelivered, envelope="<>").data["automatic"] == "bounce"
    assert "automatic" not in read(undelivered, envelope="<a@b.c>").data
    assert read(TEMPLATES["bounce"]).data["automatic"] == "bounce"


PASS = "mx.example.com; dkim=pass header.d=example.net"


@pytest.mark.parametrize(
    ("result", "sender", "trusted"),
    [
        (PASS, "ann@example.net", True),
        (PASS, "ann@mail.example.net", True),
        (PASS.replace("header.d=", "header.i=@"), "ann@example.net", True),
        (
            "mx.example.com 1; spf=pass; dkim=fail header.d=a.example; dkim=pass header.d=example.net",
            "a@example.net",
            True,
        ),
        (PASS, "ann@notexample.net", False),
        (PASS.replace("example.net", "sub.example.net"), "ann@example.net", False),
        (PASS.replace("example.net", "net"), "ann@example.net", False),
        (PASS.replace("pass", "fail"), "ann@example.net", False),
        (PASS.replace("mx.example.com", "mx.example.org"), "ann@example.net", False),
        ('mx.example.com; spf=pass smtp.mailfrom="x; dkim=pass header.d=example.net"@e.vil', "ann@example.net", False),
        ("mx.example.com; none (; dkim=pass header.d=example.net)", "ann@example.net", False),
        (f"mx.example.com; none\r\nAuthentication-Results: {PASS}", "ann@example.net", False),
        (PASS, "ann@example.net, bob@example.org", False),
        (f"{PASS}\r\nFrom: bob@example.org", "ann@example.net", False),
    ],
)
def test_from_is_believed_where_our_server_saw_its_domains_signature(result: str, sender: str, trusted: bool) -> None:
    assert read(mail(Authentication_Results=result, From=sender)).trusted is trusted


def test_without_a_name_of_our_server_no_header_makes_anybody_believed() -> None:
    anybody = MailSettings()
    box = Imap(host="h", user="u", password="p")  # type: ignore[arg-type]  # a secret is read from text
    signed = mail(Authentication_Results=PASS)
    assert [read(signed, one).trusted for one in (anybody, box)] == [False, False]
    assert [read(mail(), MailSettings(trust=trust)).trusted for trust in (True, False)] == [True, False]
    assert read(signed).data["dkim"] == "pass"


@pytest.mark.parametrize(
    ("fields", "thread"),
    [
        ({"Message_ID": "<3@x>", "In_Reply_To": "<2@x>", "References": "<1@x>\r\n <2@x>"}, "1@x"),
        ({"Message_ID": "<3@x>", "In_Reply_To": "<2@x>"}, "2@x"),
        ({"Message_ID": "<3@x>"}, "3@x"),
        ({"Message_ID": "3@x"}, "3@x"),
        ({}, None),
    ],
)
def test_a_conversation_is_named_after_its_first_mail(fields: dict[str, str], thread: str | None) -> None:
    assert read(mail(**fields)).data.get("thread") == thread


def test_a_mail_is_known_by_its_id_else_by_its_bytes() -> None:
    assert read(mail(Message_ID=" <a b@x> ")).natural_id == "ab@x"
    assert read(mail("one")).natural_id == read(mail("one")).natural_id != read(mail("two")).natural_id


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("Sun, 22 Nov 2026 09:10:00 +0100 (CET)", "2026-11-22T08:10:00.000Z"),
        ("22 Nov 26 08:10 GMT", "2026-11-22T08:10:00.000Z"),
        ("Sun, 22 Nov 2026 08:10:00 -0000", "2026-11-22T08:10:00.000Z"),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_time_is_the_field_date(date: str, time: str | None) -> None:
    assert read(mail(Date=date)).time == time


@pytest.mark.parametrize(
    ("data", "declared", "text"),
    [
        ("Grüße".encode(), None, "Grüße"),
        ("Grüße".encode(), "us-ascii", "Grüße"),
        ("Grüße".encode(), "iso-8859-1", "Grüße"),
        ("Grüße €".encode("cp1252"), "iso-8859-1", "Grüße €"),
        ("Grüße".encode("latin-1"), "utf-8", "Gr\ufffd\ufffde"),
        ("Привет".encode("koi8-r"), "KOI8-R", "Привет"),
        (b"a\0b", "utf-8", "a\ufffdb"),
        (b"abc", "rot13", "abc"),
        (b"+2AA-", "utf-7", "\ufffd"),
        (b"abc", "x-unknown\0", "abc"),
    ],
)
def test_bytes_are_text_whatever_is_declared(data: bytes, declared: str | None, text: str) -> None:
    assert decoded(data, declared) == text


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("=?utf-8?b?8J+Y?= =?utf-8?b?gA==?=", "😀"),
        ("=?utf-8?q?a_b?= =?iso-8859-1?q?=FC?= c", "a bü c"),
        ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        ("=?utf-8?b?YWJj=?=", "abc"),
        ("=?utf-8?b?A?= =?nonsense", "=?nonsense"),
        ("a\x00b\t\x1bc", "a\ufffdb c"),
    ],
)
def test_encoded_words_are_read(written: str, read_as: str) -> None:
    assert words(written) == read_as


def test_markup_becomes_lines_and_quotations() -> None:
    html = (
        "<style>p{}</style><p>Hi &amp;<br>you</p><table><tr><td>1<td>2</table><pre>a\n  b</pre>"
        "<blockquote>old<div>older</div></blockquote><script>x</script>"
    )
    assert text_of(html).split("\n") == ["Hi &", "you", "1 2", "a", "  b", "> old", "> older"]
    assert text_of("<div>" * 5000 + "deep").strip() == "deep"


def test_bytes_without_any_field_of_a_mail_are_none() -> None:
    with pytest.raises(Unreadable):
        read(b"Hello, this is no mail.")


def test_a_mail_source_has_nothing_to_post_to() -> None:
    with pytest.raises(NoPosts) as refused:
        SMTP.verify(None, Request(b"", {}, {}, ARRIVAL))
    assert refused.value.status == 404


def a_letter(written: bytes, kind: bytes = UNREADABLE.encode()) -> Lost:
    raw: dict[str, Any] = {"content_type": "message/rfc822", "content_encoding": None, "text": written.decode()}
    marks = {"id": b"?", "source": b"inbox", "type": kind, "edge": b"inbox", "receivedtime": ARRIVAL.encode()}
    headers = [(f"ce_{name}", value) for name, value in marks.items()]
    value = orjson.dumps({"reason": "was not read", "raw": raw})
    return Lost("inbound.email", b"k", headers, value, event_id("inbox", "x"))


def test_a_dead_letter_is_read_again_from_its_bytes_under_its_id() -> None:
    settings = check({"sources": {"inbox": {"kind": "smtp", "listen": "127.0.0.1:2525"}}})
    (message,) = messages(settings, a_letter(mail("Please call.")))
    headers = dict(message.headers)
    assert (headers["ce_type"], headers["ce_trust"]) == (b"email.received", b"public")
    assert headers["ce_id"].decode() == as_text(event_id("inbox", "x"))
    assert orjson.loads(message.value or b"")["text"] == "Please call."
    with pytest.raises(Reject):
        messages(settings, a_letter(b"no mail"))
