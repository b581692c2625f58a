"""`python -m hub.cli.tethered …` is `hub …` as a child that ends with its parent, however that went.

It reads its standard input, which only the parent holds open: where that closes, the parent is gone.
"""

from __future__ import annotations

import os
import sys
from threading import Thread

from hub.cli import main


def _hold_on() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    Thread(target=_hold_on, daemon=True).start()
    main()
