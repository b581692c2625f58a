"""Two hundred mails as the world sends them: templates written by hand, and what programs, relays and years do."""

from __future__ import annotations

import base64
import quopri
import re
from collections.abc import Callable, Iterator

Change = Callable[[bytes], bytes]

HEAD = (
    b'From: "Lee, Ann" <ann.lee@example.net>\r\nTo: sales@example.com\r\nSubject: Your offer\r\n'
    b"Date: Sun, 22 Nov 2026 09:10:00 +0100\r\nMessage-ID: <1@example.net>\r\n"
)
MIME = b"MIME-Version: 1.0\r\n"
UU = b"begin 644 note.txt\r\n#0V%T\r\n`\r\nend\r\n"


def part(kind: bytes, body: bytes, *fields: bytes) -> bytes:
    """A part of a mail, or its end."""
    return b"Content-Type: %b\r\n%b\r\n%b" % (kind, b"".join(one + b"\r\n" for one in fields), body)


def several(kind: bytes, boundary: bytes, *parts: bytes) -> bytes:
    """A body of several parts, with its Content-Type."""
    inner = b"".join(b"--%b\r\n%b\r\n" % (boundary, one) for one in parts)
    return part(b'multipart/%b; boundary="%b"' % (kind, boundary), b"preamble\r\n%b--%b--\r\n" % (inner, boundary))


def packed(body: bytes) -> bytes:
    """Base64 in lines."""
    return base64.encodebytes(body).replace(b"\n", b"\r\n")


BASE64 = b"Content-Transfer-Encoding: base64"
QUOTED = b"Content-Transfer-Encoding: quoted-printable"
PLAIN = part(b"text/plain; charset=utf-8", "Grüße, please call me.\r\n\r\n-- \r\nAnn\r\n".encode())
HTML = part(
    b"text/html; charset=utf-8", b"<html><body><p>Please <b>call</b> me.</p><blockquote>old</blockquote></body></html>"
)
PICTURE = part(b'image/png; name="a.png"', packed(b"\x89PNG" * 50), BASE64)
REPORT = part(
    b"message/delivery-status", b"Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; x@y\r\nAction: failed\r\n"
)

JAPANESE = packed("日本語のメール".encode("iso-2022-jp"))
RUSSIAN = quopri.encodestring("Привет".encode("cp1251"))
HEBREW = HEAD.replace(b"Your offer", "=?utf-8?b?16nXnNeV150=?= שלום".encode())
TNEF = part(b'application/ms-tnef; name="winmail.dat"', packed(b"\x78\x9f\x3e\x22" * 9), BASE64)
MEETING = part(b"text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
FLOWED = part(b"text/plain; format=flowed; delsp=yes", b"This goes \r\non here.\r\n> old \r\n> text\r\n-- \r\nAnn\r\n")
ANSWER = (
    b"In-Reply-To: <0@example.com>\r\nReferences: <0@example.com>\r\n\r\n"
    b"Yes.\r\n\r\nOn Sat, 21 Nov 2026, Bob wrote:\r\n> Well?\r\n"
)
MAILED = part(b"message/rfc822", HEAD + MIME + PLAIN)
EITHER = several(b"alternative", b"alt", PLAIN, HTML)

TEMPLATES: dict[str, bytes] = {
    "plain": HEAD + MIME + PLAIN,
    "before_mime": HEAD + b"\r\nPlease call me.\r\n" + UU,
    "html": HEAD + MIME + HTML,
    "alternative": HEAD + MIME + EITHER,
    "mixed": HEAD + MIME + several(b"mixed", b"mix", EITHER, PICTURE),
    "forwarded": HEAD + MIME + several(b"mixed", b"mix", PLAIN, MAILED),
    "bounce": HEAD + MIME + several(b"report; report-type=delivery-status", b"rep", PLAIN, REPORT),
    "base64": HEAD + MIME + part(b"text/plain; charset=iso-2022-jp", JAPANESE, BASE64),
    "quoted": HEAD + MIME + part(b"text/plain; charset=windows-1251", RUSSIAN, QUOTED),
    "flowed": HEAD + MIME + FLOWED,
    "right_to_left": HEBREW + MIME + part(b"text/plain; charset=iso-8859-8-i", "שלום".encode("iso-8859-8")),
    "tnef": HEAD + MIME + several(b"mixed", b"mix", PLAIN, TNEF),
    "meeting": HEAD + MIME + several(b"alternative", b"cal", PLAIN, MEETING),
    "reply": HEAD + ANSWER,
}
"""Mails that are as they should be, each of its own build."""


def field(name: bytes, value: bytes) -> Change:
    """The first field of this name says something else."""
    return lambda mail: re.sub(rb"(?im)^%b:[^\r\n]*" % name, lambda _: name + b": " + value, mail, count=1)


def without(name: bytes) -> Change:
    """The first field of this name is missing."""
    return lambda mail: re.sub(rb"(?im)^%b:[^\r\n]*\r\n" % name, b"", mail, count=1)


def above(lines: bytes) -> Change:
    """More fields come first."""
    return lambda mail: lines + mail


def instead(old: bytes, new: bytes) -> Change:
    """Something else stands where something stood."""
    return lambda mail: mail.replace(old, new)


def nested(depth: int, closed: bool) -> Change:
    """The mail lies within parts within parts."""

    def change(mail: bytes) -> bytes:
        opened = b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth)
        )
        ends = b"".join(b"\r\n--b%d--\r\n" % n for n in reversed(range(depth))) if closed else b""
        return HEAD + opened + mail + ends

    return change


BROKEN_WORDS = b"=?utf-8?b?8J+Y?= =?utf-8?b?gA==?= =?utf-8?b?A?= =?x?q?=ZZ?= =?utf-8?q?a b?= =?=?="
NONSENSE = b"Content-Disposition: ;filename*0*=\xff'';filename*2=b"
MARKUP = b"<p <style>x{}</style><!-- <script>a</scr<td>&#0;&#xD800;&nbsp;<br"

CHANGES: dict[str, Change] = {
    "as_it_is": lambda mail: mail,
    "bare_line_ends": instead(b"\r\n", b"\n"),
    "old_line_ends": instead(b"\r\n", b"\r"),
    "mixed_line_ends": lambda mail: mail.replace(b"\r\n", b"\n", len(mail) // 60),
    "cut_in_half": lambda mail: mail[: len(mail) // 2],
    "cut_in_the_head": lambda mail: mail[:90],
    "no_end_of_head": lambda mail: mail.replace(b"\r\n\r\n", b"\r\n"),
    "empty_body": lambda mail: mail.partition(b"\r\n\r\n")[0] + b"\r\n\r\n",
    "mbox_line": above(b"From ann Sun Nov 22 08:10:00 2026\r\n"),
    "no_boundary": lambda mail: re.sub(rb"; boundary=\S+", b"", mail),
    "other_boundary": lambda mail: mail.replace(b"\r\n--", b"\r\n--other"),
    "boundary_with_spaces": lambda mail: re.sub(rb'boundary="(\w+)"', rb'boundary=" \1 "', mail),
    "never_closed": lambda mail: re.sub(rb"\r\n--\w+--", b"", mail),
    "one_boundary_for_all": lambda mail: re.sub(rb"\b(alt|mix|rep|cal)\b", b"same", mail),
    "bad_base64": lambda mail: mail.replace(b"base64\r\n\r\n", b"base64\r\n\r\n=A%$ \xff"),
    "declared_base64": field(b"MIME-Version", b"1.0\r\nContent-Transfer-Encoding: base64"),
    "declared_uuencode": field(b"MIME-Version", b"1.0\r\nContent-Transfer-Encoding: x-uuencode"),
    "declared_nonsense": field(b"MIME-Version", b"1.0\r\nContent-Transfer-Encoding: 8bit; =?\xff?"),
    "unknown_set": lambda mail: re.sub(rb"charset=[\w-]+", b"charset=x-unknown", mail),
    "trap_set": lambda mail: re.sub(rb"charset=[\w-]+", b"charset=rot13", mail),
    "packed_set": lambda mail: re.sub(rb"charset=[\w-]+", b"charset=zlib", mail),
    "wrong_set": lambda mail: re.sub(rb"charset=[\w-]+", b"charset=us-ascii", mail),
    "wide_set": lambda mail: re.sub(rb"charset=[\w-]+", b"charset=utf-16", mail),
    "utf7_surrogate": lambda mail: re.sub(rb"charset=[\w-]+", b"charset=utf-7", mail) + b"+2AA- +3AA-",
    "set_in_8_bit": lambda mail: re.sub(rb"charset=[\w-]+", b"charset=\xe4\xf6\xfc", mail),
    "set_by_rfc2231": lambda mail: re.sub(rb"charset=[\w-]+", b"charset*=x'y'%FF%00", mail),
    "nul": lambda mail: mail.replace(b"call", b"c\0all").replace(b"Your", b"Yo\0ur").replace(b"ann.lee", b"ann\0lee"),
    "nul_everywhere": lambda mail: mail.replace(b"e", b"e\0"),
    "eight_bit_head": lambda mail: mail.replace(b"Your offer", b"Gr\xfc\xdfe \xe2\x82\xac").replace(b"Ann", b"\xc4nn"),
    "no_from": without(b"From"),
    "no_date": without(b"Date"),
    "no_id": without(b"Message-ID"),
    "empty_from": field(b"From", b""),
    "from_nobody": field(b"From", b"undisclosed-recipients:;"),
    "from_many": field(b"From", b"Ann <a@example.net>, Bob <b@example.org>"),
    "from_unquoted": field(b"From", b"Lee, Ann <ann.lee@example.net>"),
    "from_comments": field(b"From", b"(" * 3000 + b"ann.lee@example.net"),
    "from_quotes": field(b"From", b'"' * 2001 + b"Ann <ann.lee@example.net>"),
    "from_angles": field(b"From", b"Ann <<ann.lee@example.net>> <"),
    "from_route": field(b"From", b"<@relay.example:ann.lee@example.net>"),
    "from_encoded_address": field(b"From", b"=?utf-8?q?ann=40example=2Enet?="),
    "from_in_utf8": field(b"From", "Jürgen <jürgen@exämple.net>".encode()),
    "from_long": field(b"From", b"A" * 70000 + b" <ann.lee@example.net>"),
    "two_froms": above(b"From: Bob <bob@example.org>\r\n"),
    "two_ids": above(b"Message-ID: <2@example.net>\r\n"),
    "id_without_brackets": field(b"Message-ID", b"1@example.net"),
    "id_of_spaces": field(b"Message-ID", b"<  1 @ example.net >"),
    "id_empty": field(b"Message-ID", b"<>"),
    "id_endless": field(b"Message-ID", b"<" + b"x" * 5000 + b">"),
    "thousands_of_references": above(b"References: " + b"".join(b"<%d@x>\r\n " % n for n in range(5000)) + b"\r\n"),
    "date_nonsense": field(b"Date", b"yesterday, 99:99:99 +9999"),
    "date_of_1904": field(b"Date", b"Fri, 01 Jan 1904 00:00:00 -0000"),
    "date_far": field(b"Date", b"Fri, 31 Dec 9999 23:59:59 -2359"),
    "date_huge": field(b"Date", b"1" * 5000),
    "subject_broken_words": field(b"Subject", BROKEN_WORDS),
    "subject_trap_word": field(b"Subject", b"=?hex?q?zz?= =?unicode_escape?q?=5CuD800?= =?idna?q?xn--a?="),
    "subject_folded": field(b"Subject", b"a\r\n \t\r\n b\r\n\tc"),
    "subject_endless": field(b"Subject", b"=?utf-8?q?a?= " * 20000),
    "giant_field": above(b"X-Spam-Report: " + b"spam " * 200000 + b"\r\n"),
    "thousands_of_fields": above(b"".join(b"X-%d: y\r\n" % n for n in range(20000))),
    "giant_head": above(b"X-Long: " + b"y" * 1100000 + b"\r\n"),
    "content_type_of_semicolons": field(b"MIME-Version", b"1.0\r\nContent-Type: text/plain" + b";" * 60000),
    "content_type_nonsense": field(b"MIME-Version", b"1.0\r\nContent-Type: ;;=;\xff/\x00"),
    "content_type_twice": field(b"MIME-Version", b"1.0\r\nContent-Type: image/png\r\nContent-Type: text/html"),
    "field_without_colon": above(b"Subject\r\nX\r\n: empty\r\n"),
    "starts_with_space": above(b"  X: y\r\n"),
    "nested_and_closed": nested(40, closed=True),
    "nested_deep": nested(600, closed=False),
    "disposition_nonsense": instead(b"\r\nContent-Type", b"\r\n" + NONSENSE + b"\r\nContent-Type"),
    "name_with_path": lambda mail: mail.replace(b"a.png", b"..\\\\..\\\\etc/\0passwd=?utf-8?q?=00?="),
    "signed": lambda mail: mail.replace(b"multipart/mixed", b"multipart/signed"),
    "said_to_be_multipart": lambda mail: re.sub(rb"text/\w+", b"multipart/mixed", mail),
    "said_to_be_a_mail": lambda mail: re.sub(rb"text/plain", b"message/rfc822", mail),
    "html_horrors": instead(b"<p>", MARKUP + b"<div>" * 2000),
    "html_not_closed": lambda mail: mail.replace(b"</html>", b"<!--" * 3000),
}  # fmt: skip
"""What happens to mail."""

LARGE = frozenset(
    "thousands_of_references thousands_of_fields giant_field giant_head subject_endless nested_deep".split()
)
"""Changes that make a mail take its time."""


def mails() -> Iterator[tuple[str, bytes]]:
    """Every change of three templates each, in turn, and every template by itself; names first."""
    templates = list(TEMPLATES.items())
    for number, (name, change) in enumerate(CHANGES.items()):
        for turn in range(3):
            template, mail = templates[(number * 3 + turn) % len(templates)]
            yield f"{template}-{name}", change(mail)
    for name, mail in templates:
        yield name, mail


def is_large(name: str) -> bool:
    """Whether the mail of this name takes its time."""
    return name.partition("-")[2] in LARGE
