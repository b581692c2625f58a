"""Four departments that hear of one person, and a hub with a door for each."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import urlencode

import orjson

from hub.demo.doors import Doors
from hub.demo.posts import INBOX, Post
from hub.embedded.ports import LOOPBACK, keep_or_choose
from tests.support.hub import KEY, Hub

SECRETS = {"shop": "the shop's secret", "desk": "the desk's secret", "crm": KEY}
EMAIL = "ann.lee@example.com"
PHONE = "+493023125017"
MAIL_SECONDS = 30.0


def tables() -> tuple[dict[str, str], str]:
    """Tables of hub.toml for shop, desk and inbox, and the address of the inbox."""
    mail = f"{LOOPBACK}:{keep_or_choose(None)}"
    signed = {"shop": "shopify", "desk": "zendesk"}
    found = {name: f'kind = "{kind}"\nsecret = "{SECRETS[name]}"\nregion = "DE"' for name, kind in signed.items()}
    return found | {INBOX: f'kind = "smtp"\nlisten = "{mail}"\ndomains = ["our.example"]'}, mail


def doors(hub: Hub, mail: str) -> Doors:
    """The ways into this hub."""
    return Doors(hub.gateway, mail, SECRETS, 8)


async def until_mail_is_taken(mail: str) -> None:
    """Wait until the inbox greets: the mailbox is a process of its own, and the gateway may be ready before it."""
    host, _, port = mail.rpartition(":")
    async with asyncio.timeout(MAIL_SECONDS):
        while not await _greets(host, int(port)):
            await asyncio.sleep(0.05)


async def _greets(host: str, port: int) -> bool:
    with suppress(OSError):
        reader, writer = await asyncio.open_connection(host, port)
        said = await reader.readline()
        writer.write(b"QUIT\r\n")
        writer.close()
        await writer.wait_closed()
        return said.startswith(b"220 ")
    return False


def form(email: str = "Ann.Lee@Example.com ") -> Post:
    """Ann asks on the web site."""
    body = urlencode({"name": "Ann Lee", "email": email, "message": "Do you deliver on Saturdays?"}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded", "idempotency-key": f"form of {email.strip()}"}
    return _post("web-eu", "/in/web-eu?key=pk_web_eu", headers, body)


def mail(email: str = "ANN.LEE@example.COM") -> Post:
    """Ann writes; an older mail hangs below, with somebody else's address in it."""
    letter = EmailMessage(policy=SMTP)
    letter["From"] = f"Ann Lee <{email}>"
    letter["To"] = "hello@our.example"
    letter["Subject"] = "Re: Saturdays"
    letter["Date"] = "Sun, 22 Nov 2026 08:15:30 +0100"
    letter["Message-ID"] = f"<one-of-{email}>"
    letter.set_content("Thank you.\n\n-- \nAnn\n\nOn Friday, Bob <bob@our.example> wrote:\n> Yes, we do.\n")
    return _post(INBOX, "hello@our.example", {"from": email}, bytes(letter))


def ticket(email: str = "ann.lee@EXAMPLE.com", phone: str = "030 23125-017") -> Post:
    """Ann complains."""
    requester = {"id": f"7-{email}", "name": "Ann Lee", "email": email, "phone": phone}
    said = {
        "id": "42",
        "subject": "A chair is missing",
        "description": "The parcel came, but one chair is missing.",
        "status": "new",
        "priority": "high",
        "created_at": "2026-11-22T08:20:00Z",
        "updated_at": "2026-11-22T08:20:00Z",
        "requester": requester,
    }
    headers = {"content-type": "application/json", "x-zendesk-webhook-invocation-id": f"invocation of {email}"}
    return _post("desk", "/in/desk", headers, orjson.dumps({"event": "ticket.opened", "ticket": said}))


def order(email: str = "Ann.Lee@example.com", phone: str = "+49 30 23125017") -> Post:
    """Ann buys."""
    customer = {"id": 700, "email": email, "first_name": "Ann", "last_name": "Lee", "phone": phone}
    said = {
        "id": 820,
        "name": "#1001",
        "email": email,
        "updated_at": "2026-11-22T09:30:00+01:00",
        "currency": "EUR",
        "total_price": "19.90",
        "customer": customer,
        "line_items": [{"id": 7, "title": "chair", "quantity": 1, "price": "19.90"}],
    }
    headers = {
        "content-type": "application/json",
        "x-shopify-topic": "orders/create",
        "x-shopify-webhook-id": f"webhook of {email}",
    }
    return _post("shop", "/in/shop", headers, orjson.dumps(said))


def _post(source: str, path: str, headers: dict[str, str], body: bytes) -> Post:
    return Post(0, 0.0, source, is_repeat=False, path=path, headers=headers, body=body)
