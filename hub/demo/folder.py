"""What the demo keeps in its state folder: when it began for the first time, and the hub.toml of its hub."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hub import clock
from hub.demo.departments import ADDRESS, COMPANY
from hub.demo.posts import FORM_KEY, FORMS, INBOX, KEYS
from hub.demo.tools import Tool
from hub.errors import Misconfigured

SALES, SERVICE = ("ann", "bob", "cleo"), ("dora", "emil")
KINDS = {"desk": "zendesk", "shop": "shopify"}
BEGAN = "first_start"
TEAMS = {name: [f"{one}@{COMPANY}" for one in who] for name, who in (("sales", SALES), ("service", SERVICE))}
SCALE = round(5 / 86_400, 9)
"""A day of a rule's waits lasts five seconds."""
RETRY_SECONDS = (*[1] * 3, *[2] * 5, *[3] * 10, *[5] * 12, *[10] * 12, *[30] * 20)
"""Short, so that a tool that was out is told soon; long enough in all that none is given up while somebody watches."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The state folder of a demo."""

    state: Path

    @property
    def settings(self) -> Path:
        """The demo's hub.toml."""
        return self.state / "hub.toml"

    @property
    def log(self) -> Path:
        """What the hub's processes say."""
        return self.state / "logs" / "hub.log"

    @property
    def rules(self) -> Path:
        """The rules of the demo's hub: yours to change, the demo writes those alone that are not there."""
        return self.state / "rules"

    @property
    def mailbox(self) -> Path:
        """The mails that the hub has sent, a file each."""
        return self.state / "mailbox"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder for as long as the block lasts. Raises Misconfigured where another demo does."""
        self.state.mkdir(parents=True, exist_ok=True)
        with (self.state / "demo.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise Misconfigured(f"{self.state}: another demo runs in this folder") from error
            yield

    def first_start(self) -> tuple[datetime, bool]:
        """When the demo began here for the first time, and whether that is now.

        Raises Misconfigured for a folder with the data of a hub that is no demo.
        """
        kept = self.state / "demo.json"
        if kept.exists():
            return _read(kept), False
        if any((self.state / server).exists() for server in ("postgres", "kafka")):
            raise Misconfigured(
                f"{self.state} holds the data of a hub that is no demo\n"
                "HUB_STATE names the folder: point it to another one, or unset it"
            )
        began = clock.parse(clock.text(clock.now())) or clock.now()
        kept.parent.mkdir(parents=True, exist_ok=True)
        _put(kept, json.dumps({BEGAN: clock.text(began)}) + "\n")
        return began, True

    def write_rules(self, shipped: Mapping[str, bytes]) -> None:
        """Write each file (its path in the folder → its bytes) that is not there yet."""
        for name, content in shipped.items():
            file = self.rules / name
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)

    def write_settings(
        self, listeners: Mapping[str, str], keys: Mapping[str, str], tools: Mapping[str, tuple[Tool, str]], relay: str
    ) -> None:
        """Write hub.toml: listeners (the inbox is one) and secrets by name, each tool with its address, the mailbox."""
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        _put(
            self.settings,
            settings(self.state, listeners, keys, tools) + _by_itself(self.rules, relay, listeners["gateway"]),
        )


def settings(
    state: Path, listeners: Mapping[str, str], keys: Mapping[str, str], tools: Mapping[str, tuple[Tool, str]]
) -> str:
    """The text of the demo's hub.toml, without what happens by itself."""
    tables = ["# Written by `hub demo` at every start.", f"state = {_text(state)}", 'region = "DE"']
    for name, address in listeners.items():
        table = f'sources.{INBOX}]\nkind = "smtp"' if name == INBOX else f"{name}]"
        tables.append(f"[{table}\nlisten = {_text(address)}")
    for name, secret in keys.items():
        scopes = '["events:write", "profiles:read", "operations:read"]'
        table = f"keys.{name}]\nscopes = {scopes}" if name in KEYS else f'sources.{name}]\nkind = "{KINDS[name]}"'
        tables.append(f"[{table}\nsecret = {_text(secret)}")
    tables += [f'[sources.{name}]\nkind = "web_form"\nkeys = [{_text(FORM_KEY)}]' for name in FORMS]
    for name, (tool, address) in tools.items():
        place = f'kind = "webhook"\nurl = {_text(address)}\nsecret = {_text(tool.secret)}'
        tables.append(
            f"[destinations.{name}]\n{place}\nallow_private = true\nretry_seconds = {json.dumps(RETRY_SECONDS)}"
        )
    return "\n\n".join(tables) + "\n"


def _by_itself(rules: Path, relay: str, gateway: str) -> str:
    """Rules, who works, and where mails go: a day lasts five seconds."""
    teams = [f"[teams.{name}]\nmembers = {json.dumps(members)}" for name, members in TEAMS.items()]
    mail = (
        f"[mail]\nrelay = {_text(relay)}\nfrom = {_text(f'The Company <{ADDRESS}>')}\nretry_seconds = [1, 1, 2, 5]\n"
        f"unsubscribe = {_text(f'http://{gateway}')}"
    )
    return "\n".join([f"\n[rules]\nfolder = {_text(rules)}\ntime_scale = {SCALE}\n", mail, "", *teams, ""])


def _text(value: object) -> str:
    """A TOML string: JSON's are the same."""
    return json.dumps(str(value), ensure_ascii=False)


def _read(kept: Path) -> datetime:
    try:
        began = clock.parse(json.loads(kept.read_text(encoding="utf-8"))[BEGAN])
    except (ValueError, KeyError, TypeError):
        began = None
    if began is None:
        raise Misconfigured(f"{kept}: unreadable; remove the folder to begin anew")
    return began


def _put(path: Path, text: str) -> None:
    """A whole file or none, closed to others."""
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
