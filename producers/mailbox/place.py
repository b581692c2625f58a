"""How far a mailbox was read: kept in a small file, as a shortcut. Without it mails are read again, and known again."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from producers.sources.imap import Settings


class Place:
    """The last mail that is safe, by its UID. It holds for one folder of one server, and for one UIDVALIDITY."""

    def __init__(self, file: Path, settings: Settings) -> None:
        self._file = file
        self._box = f"{settings.user}@{settings.host}:{settings.at_port}/{settings.folder}"
        self._uidvalidity = self._kept = 0
        self.uid = 0
        with suppress(OSError, ValueError, KeyError, TypeError):
            told = json.loads(file.read_text(encoding="utf-8"))
            if told["box"] == self._box:
                self._uidvalidity, self.uid = int(told["uidvalidity"]), int(told["uid"])
                self._kept = self.uid

    def enter(self, uidvalidity: int) -> None:
        """The folder is open. Under another UIDVALIDITY its numbers mean other mails: all is read again."""
        if uidvalidity != self._uidvalidity:
            self._uidvalidity, self.uid = uidvalidity, 0

    def keep(self) -> None:
        """Write it down, where it changed. A file that cannot be written costs only work."""
        if self.uid == self._kept:
            return
        told = json.dumps({"box": self._box, "uidvalidity": self._uidvalidity, "uid": self.uid})
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            new = self._file.with_suffix(".new")
            new.write_text(told + "\n", encoding="utf-8")
            os.replace(new, self._file)  # noqa: PTH105 - a whole file or none
            self._kept = self.uid
