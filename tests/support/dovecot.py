"""A real IMAP server: Debian's Dovecot with a mailbox that is thrown away, delivered to by LMTP."""

from __future__ import annotations

import getpass
import os
import shutil
import smtplib
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from imap_tools.mailbox import MailBoxUnencrypted

from hub import clock
from hub.embedded.ports import LOOPBACK
from hub.embedded.processes import pause
from tests.support.gateway import free_port

USER, PASSWORD = "box", "pässword"
STARTING_SECONDS = 15.0
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {group}
first_valid_uid = 1
mail_location = maildir:{folder}/mail
postmaster_address = postmaster@example.com
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={user_group} home={folder}/home allow_all_users=yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass
class Dovecot:
    """A server that may be stopped and started; its mail stays."""

    folder: Path
    imap: int
    imaps: int
    lmtp: int
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and return when it answers."""
        program = shutil.which("dovecot") or "/usr/sbin/dovecot"
        self._process = subprocess.Popen([program, "-F", "-c", str(self.folder / "dovecot.conf")])
        until = clock.monotonic() + STARTING_SECONDS
        while not (_answers(self.imap) and _answers(self.lmtp)):
            if clock.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError(f"Dovecot does not answer: {(self.folder / 'log').read_text()}")
            pause(0.05)

    def stop(self) -> None:
        """End it, sessions and all."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def deliver(self, *mails: bytes) -> None:
        """Mails arrive, in this order."""
        with smtplib.LMTP(LOOPBACK, self.lmtp) as server:
            server.ehlo()
            for mail in mails:
                server.mail("ann@example.net")
                server.rcpt(USER)
                status, said = server.data(mail)
                assert status == 250, said

    def flags(self) -> list[tuple[str, ...]]:
        """How the mails in the box are marked."""
        with MailBoxUnencrypted(LOOPBACK, self.imap).login_utf8(USER, PASSWORD) as box:
            return [one.flags for one in box.fetch(mark_seen=False, headers_only=True)]

    def source(self, **more: Any) -> dict[str, Any]:
        """A table of hub.toml for the box."""
        table = {"kind": "imap", "host": LOOPBACK, "port": self.imap, "tls": False, "domains": ["example.com"]}
        return table | {"user": USER, "password": PASSWORD} | more


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """A server that runs, until the end of the block; the test is left out where none is installed."""
    if not (shutil.which("dovecot") or Path("/usr/sbin/dovecot").exists()):
        pytest.skip("Dovecot is not installed: .ci/run installs it")
    folder = Path(tempfile.mkdtemp(prefix="hub-dovecot-"))
    folder.chmod(0o755)
    one = Dovecot(folder, free_port(), free_port(), free_port())
    try:
        _prepare(one)
        one.start()
        yield one
    finally:
        one.stop()
        shutil.rmtree(folder)


def _prepare(one: Dovecot) -> None:
    """Certificate, folders and configuration; as root, mail belongs to the user `mail`."""
    root = os.geteuid() == 0
    me = getpass.getuser()
    for name in ("mail", "home"):
        (one.folder / name).mkdir()
        if root:
            shutil.chown(one.folder / name, "mail", "mail")
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    key = ["-keyout", f"{one.folder}/key.pem", "-out", f"{one.folder}/cert.pem", "-days", "3650", "-nodes"]
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    subprocess.run([*new, *key, *subject], check=True, capture_output=True)
    words = {
        "folder": one.folder,
        "password": PASSWORD,
        "imap": one.imap,
        "imaps": one.imaps,
        "lmtp": one.lmtp,
        "internal": "dovecot" if root else me,
        "group": "dovecot" if root else me,
        "login": "dovenull" if root else me,
        "user": "mail" if root else me,
        "user_group": "mail" if root else me,
    }
    (one.folder / "dovecot.conf").write_text(CONFIGURATION.format(**words), encoding="utf-8")


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((LOOPBACK, port), 1) as there:
        return bool(there.recv(1))
    return False
