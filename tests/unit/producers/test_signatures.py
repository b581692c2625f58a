"""One check for every way of signing: against what others published, against their libraries, and against liars."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import stripe
from pydantic import ValidationError
from standardwebhooks import Webhook

from hub import clock
from hub.components import Request
from hub.errors import BadProof
from producers.signatures import Signature, Signed
from producers.sources.shopify import SIGNATURE as SHOPIFY
from producers.sources.webhook import presets
from producers.sources.zendesk import SIGNATURE as ZENDESK

AT = "2026-11-22T08:15:30.123Z"
SECONDS = 1795335330
BODY = b'{"id": "evt_1", "object": "event"}'


def preset(name: str) -> Signature:
    return Signature.model_validate(presets()[name]["signature"])


def a_request(headers: Mapping[str, str], body: bytes = BODY, at: str = AT) -> Request:
    return Request(body, headers, {}, at, body)


def mac(secret: str, signed: bytes, *, hexadecimal: bool = False) -> str:
    """Made here, with nothing of ours."""
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return digest.hex() if hexadecimal else b64encode(digest).decode()


STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STAMP = str(SECONDS).encode()


@dataclass(frozen=True)
class Scheme:
    """How a tool signs: our value for it, a secret of its sort, and the headers as the tool makes them."""

    name: str
    signature: Signature
    secret: str
    headers: dict[str, str]


SCHEMES = [
    Scheme("shopify", SHOPIFY, "hush", {"x-shopify-hmac-sha256": mac("hush", BODY)}),
    Scheme(
        "zendesk",
        ZENDESK,
        "aHVzaA==",
        {
            "x-zendesk-webhook-signature-timestamp": "2026-11-22T08:15:00Z",
            "x-zendesk-webhook-signature": mac("aHVzaA==", b"2026-11-22T08:15:00Z" + BODY),
        },
    ),
    Scheme(
        "stripe",
        preset("stripe"),
        "whsec_hush",
        {"stripe-signature": f"t={SECONDS},v1={mac('whsec_hush', STAMP + b'.' + BODY, hexadecimal=True)},v0=00"},
    ),
    Scheme("typeform", preset("typeform"), "hush", {"typeform-signature": f"sha256={mac('hush', BODY)}"}),
    Scheme("woocommerce", preset("woocommerce"), "hush", {"x-wc-webhook-signature": mac("hush", BODY)}),
    Scheme("tally", preset("tally"), "hush", {"tally-signature": mac("hush", BODY)}),
    Scheme(
        "standard-webhooks",
        preset("standard-webhooks"),
        STANDARD_SECRET,
        {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(SECONDS),
            "webhook-signature": Webhook(STANDARD_SECRET).sign(
                "msg_1", datetime.fromtimestamp(SECONDS, UTC), BODY.decode()
            ),
        },
    ),
]
every_scheme = pytest.mark.parametrize("scheme", SCHEMES, ids=[scheme.name for scheme in SCHEMES])
timed = pytest.mark.parametrize(
    "scheme",
    [scheme for scheme in SCHEMES if scheme.signature.timestamp],
    ids=[scheme.name for scheme in SCHEMES if scheme.signature.timestamp],
)


@every_scheme
def test_what_a_tool_signed_is_believed(scheme: Scheme) -> None:
    scheme.signature.verify([scheme.secret], a_request(scheme.headers))


@every_scheme
def test_no_flipped_bit_passes(scheme: Scheme) -> None:
    for place in range(len(BODY) * 8):
        flipped = bytearray(BODY)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(BadProof):
            scheme.signature.verify([scheme.secret], a_request(scheme.headers, bytes(flipped)))


@every_scheme
def test_no_letter_of_the_signature_may_be_another(scheme: Scheme) -> None:
    name = scheme.signature.header.lower()
    stated = scheme.headers[name].removesuffix(",v0=00")
    for place, letter in enumerate(stated):
        spoilt = stated[:place] + ("A" if letter != "A" else "B") + stated[place + 1 :]
        with pytest.raises(BadProof):
            scheme.signature.verify([scheme.secret], a_request(scheme.headers | {name: spoilt}))


@every_scheme
def test_any_of_several_secrets_opens_and_no_other(scheme: Scheme) -> None:
    other = STANDARD_SECRET.replace("M", "N") if scheme.signature.key_prefix else "another"
    scheme.signature.verify([other, scheme.secret], a_request(scheme.headers))
    scheme.signature.verify([scheme.secret, other], a_request(scheme.headers))
    with pytest.raises(BadProof) as wrong:
        scheme.signature.verify([other], a_request(scheme.headers))
    assert wrong.value.field == scheme.signature.header.lower()


@every_scheme
def test_an_empty_secret_opens_nothing(scheme: Scheme) -> None:
    empty = scheme.signature.headers("", BODY, SECONDS, "msg_1")
    for secrets in ([], [""], [scheme.secret]):
        with pytest.raises(BadProof):
            scheme.signature.verify(secrets, a_request(empty))


@every_scheme
def test_a_header_that_is_missing_is_named(scheme: Scheme) -> None:
    rest = {name: value for name, value in scheme.headers.items() if name != scheme.signature.header.lower()}
    for headers in (rest, rest | {scheme.signature.header.lower(): ""}):
        with pytest.raises(BadProof) as wrong:
            scheme.signature.verify([scheme.secret], a_request(headers))
        assert wrong.value.field == scheme.signature.header.lower()


@timed
@pytest.mark.parametrize(
    ("at", "good"), [("08:20:00", True), ("08:10:31", True), ("08:20:31.000", False), ("08:09:59", False)]
)
def test_a_time_is_good_for_five_minutes(scheme: Scheme, at: str, good: bool) -> None:
    request = a_request(scheme.headers, at=f"2026-11-22T{at}Z")
    if good:
        scheme.signature.verify([scheme.secret], request)
        return
    with pytest.raises(BadProof, match="more than 300 s away"):
        scheme.signature.verify([scheme.secret], request)


@timed
@pytest.mark.parametrize("odd", ["", "²³", "soon", "9" * 12, "9" * 40, "-1", "١٢٣", "1e9", "0" * 100_000])
def test_a_time_that_is_none_is_refused_by_name(scheme: Scheme, odd: str) -> None:
    signature = scheme.signature
    stamped = signature.headers(scheme.secret, BODY, SECONDS, "msg_1")
    stamped = {name: value.replace(str(SECONDS), odd) for name, value in stamped.items()}
    with pytest.raises(BadProof) as wrong:
        signature.verify([scheme.secret], a_request(stamped))
    assert wrong.value.field in {signature.header.lower(), str(signature.timestamp).lower()}


@every_scheme
def test_what_we_sign_is_what_the_tool_signs(scheme: Scheme) -> None:
    made = scheme.signature.headers(scheme.secret, BODY, SECONDS, "msg_1")
    scheme.signature.verify([scheme.secret], a_request(made))
    if scheme.name != "zendesk":  # which writes its time otherwise
        assert made.items() >= {(name, value.removesuffix(",v0=00")) for name, value in scheme.headers.items()}


def test_the_vector_of_the_specification_of_standard_webhooks() -> None:
    body = b'{"test": 2432232314}'
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    at = clock.from_milliseconds(1614265330_000)
    preset("standard-webhooks").verify(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], a_request(headers, body, at))


def test_the_vector_of_the_documentation_of_github() -> None:
    signature = Signature(header="X-Hub-Signature-256", encoding="hex", prefix="sha256=")
    stated = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    signature.verify(["It's a Secret to Everybody"], a_request({"x-hub-signature-256": stated}, b"Hello, World!"))


def test_the_library_of_standard_webhooks_and_we_believe_each_other() -> None:
    signature, now = preset("standard-webhooks"), clock.now()
    made = signature.headers(STANDARD_SECRET, BODY, int(now.timestamp()), "msg_1")
    assert Webhook(STANDARD_SECRET).verify(BODY, made) == {"id": "evt_1", "object": "event"}
    theirs = {"webhook-id": "msg_2", "webhook-timestamp": str(int(now.timestamp()))}
    theirs["webhook-signature"] = f"v1,AAAA v1a,xyz {Webhook(STANDARD_SECRET).sign('msg_2', now, BODY.decode())}"
    signature.verify([STANDARD_SECRET], a_request(theirs, at=clock.text(now)))


def test_the_library_of_stripe_believes_what_we_sign() -> None:
    seconds = int(clock.now().timestamp())
    made = preset("stripe").headers("whsec_hush", BODY, seconds)["stripe-signature"]
    assert stripe.WebhookSignature.verify_header(BODY.decode(), made, "whsec_hush", 300)
    assert stripe.Webhook.construct_event(BODY, made, "whsec_hush").id == "evt_1"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(BODY.decode(), made, "whsec_other", 300)


def test_while_a_secret_of_stripe_is_changed_either_signature_will_do() -> None:
    old, new = (mac(secret, STAMP + b"." + BODY, hexadecimal=True) for secret in ("whsec_old", "whsec_new"))
    both = a_request({"stripe-signature": f"t={SECONDS},v1={old},v1={new},v0={new}"})
    for secret in ("whsec_old", "whsec_new"):
        preset("stripe").verify([secret], both)
    with pytest.raises(BadProof):  # v0 is another way of signing
        preset("stripe").verify(["whsec_new"], a_request({"stripe-signature": f"t={SECONDS},v1={old},v0={new}"}))


def test_a_header_full_of_signatures_is_not_gone_through() -> None:
    right = mac("whsec_hush", STAMP + b"." + BODY, hexadecimal=True)
    with pytest.raises(BadProof):
        preset("stripe").verify(
            ["whsec_hush"], a_request({"stripe-signature": f"t={SECONDS}," + "v1=00," * 16 + f"v1={right}"})
        )


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        ("sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            "sha512",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
    ],
)
def test_the_second_vector_of_the_standards_of_hmac(algorithm: str, expected: str) -> None:
    """RFC 2202 and RFC 4231."""
    signature = Signature.model_validate({"header": "x", "encoding": "hex", "algorithm": algorithm})
    assert signature.sign("Jefe", b"what do ya want for nothing?") == expected


def test_a_time_may_be_milliseconds() -> None:
    signature = Signature(header="x-sig", encoding="hex", signs="{timestamp}:{body}", timestamp="x-time")
    stamp = f"{SECONDS}500"
    headers = {"x-time": stamp, "x-sig": mac("hush", f"{stamp}:".encode() + BODY, hexadecimal=True)}
    signature.verify(["hush"], a_request(headers))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"signs": "{timestamp}"}, "holds {body} once"),
        ({"signs": "{body}{body}"}, "holds {body} once"),
        ({"signs": "{body}{secret}"}, "holds {body} once"),
        ({"signs": "{body}{"}, "holds {body} once"),
        ({"signs": "{timestamp}{body}"}, "{timestamp} or there is none"),
        ({"timestamp": "x-time"}, "{timestamp} or there is none"),
        ({"signs": "{id}{body}"}, "needs `id`"),
        ({"algorithm": "md5"}, "sha256"),
    ],
)
def test_a_signature_that_makes_no_sense_is_no_setting(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said.replace("{", r"\{")):
        Signature.model_validate({"header": "x-sig"} | wrong)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_no base64!", "whsec_abc"])
def test_a_secret_that_is_no_key_is_told_before_the_first_request(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        preset("standard-webhooks").check([STANDARD_SECRET, secret])


def test_secrets_in_a_file_stand_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text("one of them\n\n  another \n", encoding="utf-8")
    assert Signed(secret_file=file).secret == ("one of them", "another")
    file.write_text("\n \n", encoding="utf-8")
    with pytest.raises(ValidationError, match=r"empty|holds nothing"):
        Signed(secret_file=file)


@pytest.mark.parametrize("secret", ["", [], [""], ["good", " "]])
def test_an_empty_secret_is_no_setting(secret: object) -> None:
    with pytest.raises(ValidationError):
        Signed.model_validate({"secret": secret})
