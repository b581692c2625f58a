"""A channel of a chat, by an incoming webhook as Slack has them: `{"text": …}` posted to an address that is the secret.

Mattermost takes the same shape, and Discord under `/slack`.
"""

from __future__ import annotations

from pathlib import Path

import orjson
from pydantic import Field, SecretStr, ValidationInfo, field_validator

from consumers.tools import Manners
from hub.destinations import Call, Destination, Fired, no_profiles
from hub.egress import url_problem
from hub.settings import read_secrets

_NO_MENTION = "@\u200b"
"""An @ that calls nobody: what a customer is named must not ring everybody's bell."""


class Settings(Manners):
    """A chat's table in hub.toml."""

    url_file: Path | None = Field(default=None, description="The file that holds the address.")
    url: SecretStr = Field(
        default=SecretStr(""),
        validate_default=True,
        description="The address of the incoming webhook; whoever knows it may post.",
    )

    @field_validator("url")
    @classmethod
    def _reachable(cls, url: SecretStr, info: ValidationInfo) -> SecretStr:
        written = url.get_secret_value()
        file = info.data.get("url_file")
        if bool(written) == bool(file):
            raise ValueError("needs `url` or `url_file`, and one of them alone")
        found = read_secrets((written,) if written else (), file)
        if len(found) != 1:
            raise ValueError(f"{file} has to hold one address and nothing else")
        address = found[0]
        if problem := url_problem(address, allow_private=info.data.get("allow_private", False)):
            raise ValueError(problem)
        return SecretStr(address)


def fired(_: Settings, one: Fired) -> bytes:
    """What is said, whom it is about, and under which id they are found."""
    who = _plain(one.customer).replace("@", _NO_MENTION) or "A customer without a name"
    return orjson.dumps({"text": f"{_plain(one.text or one.rule)}\n{who} ({one.profile_id})"})


def _plain(text: str) -> str:
    """Text in which nothing is a link, a mention or markup of Slack's own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def call(settings: Settings, _delivery_id: str, _at_seconds: int, body: bytes) -> Call:
    """One try. There is no signature: the address is the secret."""
    headers = {"content-type": "application/json", "user-agent": "customer-integration-hub"}
    return Call(settings.url.get_secret_value(), body, headers)


def wants(_: Settings, _event_type: str) -> bool:
    """Nobody subscribes: a rule's `notify` names the channel."""
    return False


SLACK = Destination(
    name="slack",
    description="Posts what `notify` says to a channel of Slack, Mattermost or Discord.",
    settings=Settings,
    render=no_profiles,
    fired=fired,
    call=call,
    wants=wants,
    hears=("notify",),
)
