"""A mail to the customer, out of a template; marketing only where they allowed it and nothing is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from hub.automation.templates import BadTemplate, NotRendered, Template, read, render
from hub.errors import Reject
from hub.verbs import Action, Effect, Hold, MailOut, Scene
from schemas.actions import SendEmail

COMPLAINT = "complaint"
"""The tag of whoever has an open complaint: no offers meanwhile."""


def _effects(settings: SendEmail, scene: Scene) -> Sequence[Effect]:
    address = scene.fields.get("email")
    if not address:
        raise Reject("this customer has no e-mail address", "email")
    if settings.purpose == "marketing" and (reason := _objection(scene, address)):
        return (Hold(reason),)
    if (left := scene.allowance) and left.used >= left.most:
        return (Hold(f"{left.used} mail{'' if left.used == 1 else 's'} in {left.within} already"),)
    values = {"profile": {**scene.fields, "tags": list(scene.tags)}, "event": scene.event, "owner": scene.owner}
    values |= {"unsubscribe_url": scene.unsubscribe}
    try:
        mail = render(_template(settings.template, settings.source or ""), values)
    except (BadTemplate, NotRendered) as error:
        raise Reject(f"the template {settings.template}: {error}", "template") from error
    headers = one_click(scene.unsubscribe) if settings.purpose == "marketing" and scene.unsubscribe else {}
    return (MailOut(address, mail.subject, mail.text, to_customer=True, headers=headers),)


def one_click(url: str) -> dict[str, str]:
    """What makes a mail program show its own button (RFC 2369, RFC 8058)."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _objection(scene: Scene, address: str) -> str | None:
    if COMPLAINT in scene.tags:
        return "a complaint is open"
    word = scene.fields.get(f"consent.marketing.{address}")
    return None if word == "given" else f"no consent to marketing: {word or 'never asked'}"


@lru_cache(maxsize=256)
def _template(name: str, source: str) -> Template:
    return read(name, source.encode())


SEND_EMAIL = Action("send_email", "A mail to the customer.", SendEmail, _effects, channel="email")
