"""What a shop says, how it proves it, and who is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from hub.components import Reading, Request
from hub.errors import BadProof, Reject
from producers.sources.shopify import SHOPIFY, Settings, read, sign, verify

AT = "2026-11-22T08:15:30.123Z"
SETTINGS = Settings(secret=("new", "old"))
ANN = {"id": 7, "email": "ann@example.com", "first_name": "Ann", "last_name": "Lee"}


def delivery(body: Any, topic: str = "orders/create", **headers: str) -> Request:
    wire = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(wire, {"content-type": "application/json", "x-shopify-topic": topic} | named, {}, AT, wire)


def reading(body: Any, topic: str = "orders/create", **headers: str) -> Reading:
    (one,) = read(SETTINGS, delivery(body, topic, **headers))
    return one


def contact(**order: Any) -> Any:
    return reading({"id": 1} | order).data["contact"]


def signed(body: bytes, settings: Settings = SETTINGS) -> Request:
    return delivery(body, **dict(sign(settings, body, AT, "d1")))


def test_the_signature_is_the_one_that_others_make() -> None:
    """A vector of SQLPage's tests, made by another program."""
    body = b'{"id":1234567890,"email":"customer@example.com","total_price":"123.45"}'
    settings = Settings(secret=("test-webhook-secret",))
    verify(settings, delivery(body, x_shopify_hmac_sha256="QNyObTlKbMx2qDlPF/ZOZcBqg5OgPg+2oky3zldc0Gw="))


@pytest.mark.parametrize("secret", ["new", "old"])
def test_either_secret_verifies(secret: str) -> None:
    verify(SETTINGS, signed(b'{"id": 1}', Settings(secret=(secret,))))


@pytest.mark.parametrize("secret", ["other", "new ", "newold", "NEW"])
def test_no_other_secret_verifies(secret: str) -> None:
    with pytest.raises(BadProof) as wrong:
        verify(SETTINGS, signed(b'{"id": 1}', Settings(secret=(secret,))))
    assert (wrong.value.status, wrong.value.field) == (401, "x-shopify-hmac-sha256")


def test_header_names_without_x_prove_just_as_well_and_no_better() -> None:
    body = b'{"id": 1}'
    (signature, _) = (sign(SETTINGS, body, AT, "")[name] for name in ("x-shopify-hmac-sha256", "x-shopify-webhook-id"))
    verify(SETTINGS, delivery(body, shopify_hmac_sha256=signature))
    with pytest.raises(BadProof) as wrong:
        verify(SETTINGS, delivery(body + b" ", shopify_hmac_sha256=signature))
    assert wrong.value.field == "shopify-hmac-sha256"
    with pytest.raises(BadProof):
        verify(SETTINGS, delivery(body, shopify_hmac_sha256=signature, x_shopify_hmac_sha256="wrong"))


def test_the_bytes_as_they_came_are_signed() -> None:
    request = signed(b'{"id": 1}')
    with pytest.raises(BadProof):
        verify(SETTINGS, Request(request.body, request.headers, {}, AT, b'{"id":1}'))


@pytest.mark.parametrize("secret", ["", (), ("",), ("new", " "), (" ",)])
def test_an_empty_secret_is_no_secret(secret: Any) -> None:
    with pytest.raises(ValidationError, match="secret"):
        Settings(secret=secret)


def test_secrets_come_from_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("new\nold\n", encoding="utf-8")
    settings = Settings(secret_file=tmp_path / "secret")
    verify(settings, signed(b"{}", Settings(secret=("old",))))


def test_a_delivery_is_known_by_its_id_then_by_event_and_topic_then_by_its_bytes() -> None:
    told = {"x_shopify_webhook_id": "w1", "x_shopify_event_id": "e1"}
    assert reading({"id": 1}, **told).natural_id == "w1"
    assert reading({"id": 2}, "orders/paid", **told).natural_id == "w1"
    event = reading({"id": 1}, x_shopify_event_id="e1").natural_id
    assert reading({"id": 2}, x_shopify_event_id="e1").natural_id == event
    assert reading({"id": 1}, "orders/paid", x_shopify_event_id="e1").natural_id != event
    assert reading({"id": 1}).natural_id == reading({"id": 1}, "orders/paid").natural_id
    assert reading({"id": 1}).natural_id != reading({"id": 2}).natural_id
    assert reading({"id": 1}, shopify_webhook_id="w2").natural_id == "w2"


def test_a_delivery_that_is_late_is_welcome() -> None:
    body = orjson.dumps({"id": 1, "updated_at": "2026-11-22T04:00:00Z"})
    request = signed(body)
    late = dict(request.headers) | {"x-shopify-triggered-at": "2021-01-01T00:00:00Z"}
    verify(SETTINGS, Request(body, late, {}, AT, body))


@pytest.mark.parametrize(
    ("topic", "event_type"),
    [
        ("orders/create", "order.placed"),
        ("orders/updated", "order.updated"),
        ("orders/paid", "order.paid"),
        ("orders/cancelled", "order.cancelled"),
        ("orders/fulfilled", "order.updated"),
        ("refunds/create", "order.refunded"),
        ("customers/create", "contact.updated"),
        ("customers/update", "contact.updated"),
        ("checkouts/create", "checkout.updated"),
        ("checkouts/update", "checkout.updated"),
        ("customers/delete", "source.ignored"),
        ("orders/edited", "source.ignored"),
        ("ORDERS_CREATE", "source.ignored"),
    ],
)
def test_a_topic_is_an_event(topic: str, event_type: str) -> None:
    assert reading({"id": 1, "order_id": 2}, topic).type == event_type


def test_what_is_ignored_is_not_even_looked_into() -> None:
    assert reading(b"no JSON", "themes/publish").data == {"topic": "themes/publish"}


def test_the_customer_comes_before_the_order_and_the_order_before_its_addresses() -> None:
    address = {"name": "Ann Lee", "phone": "+493090182100", "country_code": "DE"}
    order = {"email": "order@example.com", "phone": "+4915112345678", "billing_address": address}
    assert contact(customer=ANN | {"phone": "+4915187654321"}, **order) == {
        "id": "7",
        "email": "ann@example.com",
        "phone": "+4915187654321",
        "given_name": "Ann",
        "family_name": "Lee",
        "objects": ["order:1"],
    }
    assert contact(**order) == {
        "email": "order@example.com",
        "phone": "+4915112345678",
        "name": "Ann Lee",
        "objects": ["order:1"],
    }
    assert contact(billing_address=address)["phone"] == "+493090182100"
    assert contact(customer=ANN | {"email": ""}, email=" ", contact_email="c@example.com")["email"] == "c@example.com"


def test_an_address_of_somebody_else_gives_no_phone() -> None:
    other = {"first_name": "Bob", "last_name": "Ray", "phone": "+4915112345678", "country_code": "DE"}
    same = {"name": "ANN  LEE", "phone": "+493090182100"}
    nameless = {"phone": "+493090182100"}
    assert "phone" not in contact(customer=ANN, shipping_address=other)
    assert contact(customer=ANN, billing_address=other, shipping_address=same)["phone"] == "+493090182100"
    assert contact(customer=ANN, shipping_address=nameless)["phone"] == "+493090182100"
    assert contact(shipping_address=other)["given_name"] == "Bob"


@pytest.mark.parametrize(
    ("written", "country", "phone"),
    [
        ("0664 1234567", "AT", "+436641234567"),
        ("0664 1234567", "at", "+436641234567"),
        ("(212) 736-5000", "US", "+12127365000"),
        ("00 49 151 12345678", "AT", "+4915112345678"),
        ("+49 151 12345678", "AT", "+49 151 12345678"),
        (" +49 151 12345678", "AT", " +49 151 12345678"),
        ("12", "AT", "12"),
        ("call me", "AT", "call me"),
        ("0664 1234567", "XX", "0664 1234567"),
        ("0664 1234567", None, "0664 1234567"),
    ],
)
def test_a_phone_is_one_of_its_address_s_country(written: str, country: str | None, phone: str) -> None:
    assert contact(billing_address={"phone": written, "country_code": country})["phone"] == phone
    assert contact(phone=written, shipping_address={"country_code": country})["phone"] == phone
    customer = {"id": 7, "phone": written, "default_address": {"country_code": country}}
    assert contact(customer=customer, billing_address={"country_code": "FR"})["phone"] == (
        phone if country else written
    )
    assert reading(customer, "customers/update").data["contact"]["phone"] == phone


def test_an_order_leads_to_its_checkout() -> None:
    assert contact(checkout_token="t1", checkout_id=5)["objects"] == ["order:1", "checkout:t1"]
    assert contact(checkout_id=5)["objects"] == ["order:1", "checkout:5"]
    assert reading({"id": 5, "token": "t1"}, "checkouts/create").data["contact"] == {"objects": ["checkout:t1"]}
    assert reading({"id": 5}, "checkouts/create").data["contact"] == {"objects": ["checkout:5"]}


@pytest.mark.parametrize(
    ("paid", "sent", "cancelled", "status"),
    [
        ("pending", None, None, "pending"),
        ("paid", None, None, "paid"),
        ("paid", "fulfilled", None, "fulfilled"),
        ("paid", "partial", None, "partial"),
        ("partially_refunded", "fulfilled", None, "partially_refunded"),
        ("refunded", "fulfilled", "2026-11-22T09:20:00+01:00", "cancelled"),
        (None, None, None, None),
    ],
)
def test_the_status_is_the_furthest_that_matters(
    paid: str | None, sent: str | None, cancelled: str | None, status: str | None
) -> None:
    order = {"id": 1, "financial_status": paid, "fulfillment_status": sent, "cancelled_at": cancelled}
    assert reading(order).data["order"].get("status") == status


def test_amounts_are_decimal_texts_whatever_they_came_as() -> None:
    assert reading({"id": 1, "total_price": "10.00"}).data["order"]["total"] == "10.00"
    assert reading({"id": 1, "total_price": 10}).data["order"]["total"] == "10"
    payments = [{"amount": "0.10"}, {"amount": "0.20"}, {"kind": "sale", "amount": "9.00"}, {"kind": "refund"}]
    assert reading({"order_id": 2, "transactions": payments}, "refunds/create").data["refund"]["total"] == "0.30"
    assert "refund" not in reading({"order_id": 2}, "refunds/create").data


def test_the_time_is_the_body_s() -> None:
    times = {"updated_at": "2026-11-22T03:00:00Z", "created_at": "2026-11-22T01:00:00Z"}
    assert reading({"id": 1} | times).time == "2026-11-22T03:00:00Z"
    refund = {"order_id": 1, "created_at": "2026-11-22T01:00:00Z"}
    assert reading(refund, "refunds/create").time == "2026-11-22T01:00:00Z"
    assert reading(refund | {"processed_at": "2026-11-22T02:00:00Z"}, "refunds/create").time == "2026-11-22T02:00:00Z"
    assert reading({"id": 1}).time is None


@pytest.mark.parametrize(
    ("topic", "body", "field"),
    [
        ("orders/create", {}, "id"),
        ("orders/create", {"id": True}, "id"),
        ("orders/create", {"id": 1, "customer": [ANN]}, "customer"),
        ("orders/create", {"id": 1, "customer": ANN | {"email": "a" * 4097}}, "customer.email"),
        ("orders/create", {"id": 1, "line_items": {}}, "line_items"),
        ("orders/create", {"id": 1, "line_items": [1]}, "line_items.0"),
        ("orders/create", {"id": 1, "line_items": [{"quantity": 1.5}]}, "line_items.0.quantity"),
        ("orders/create", {"id": 1, "total_price": "NaN"}, "total_price"),
        ("refunds/create", {"id": 1}, "order_id"),
        ("refunds/create", {"order_id": 1, "transactions": [{"amount": "٣"}]}, "transactions.0.amount"),
        ("customers/create", {"email": "a@example.com"}, "id"),
        ("checkouts/create", {}, "id"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(topic: str, body: dict[str, Any], field: str) -> None:
    with pytest.raises(Reject) as wrong:
        reading(body, topic)
    assert (wrong.value.status, wrong.value.field) == (422, field)


def test_its_events_go_where_shops_speak() -> None:
    assert (SHOPIFY.topic, SHOPIFY.public) == ("inbound.shop", False)
