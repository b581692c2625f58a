"""What strangers make large or slow on purpose is borne: mails, texts, packed bodies."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest

from hub import clock
from hub.errors import Reject, TooLarge
from producers.gateway.bodies import PLAIN_BYTES, WIRE_BYTES, unpacked
from producers.mail.quotes import own_words
from tests.support.mail_readings import check_read_and_kept
from tests.support.mails import is_large, mails
from tests.support.packing import bare_deflate

pytestmark = pytest.mark.load


@pytest.mark.parametrize("horror", [pytest.param(one, id=name) for name, one in mails() if is_large(name)])
def test_a_large_horror_is_read_and_can_be_kept(horror: bytes) -> None:
    check_read_and_kept(horror)


@pytest.mark.parametrize(
    "unit", ["\n", "On ", "On a\n", "> ", "Am a b c ", "_", "From: a\n", "a 1:11 @:\n\n> x\n", "Regards\n"]
)
def test_no_text_takes_long(unit: str) -> None:
    began = clock.monotonic()
    own_words(unit * (300_000 // len(unit)))
    assert clock.monotonic() - began < 5


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, bare_deflate])
def test_a_bomb_goes_off_outside(pack: Any) -> None:
    encoding = "gzip" if pack is gzip.compress else "deflate"
    assert len(unpacked(pack(bytes(PLAIN_BYTES)), encoding)) == PLAIN_BYTES
    bomb = pack(bytes(PLAIN_BYTES * 2))
    assert len(bomb) < WIRE_BYTES
    with pytest.raises(TooLarge):
        unpacked(bomb, encoding)


def test_a_bomb_in_pieces_goes_off_outside() -> None:
    with pytest.raises(Reject) as wrong:
        unpacked(gzip.compress(bytes(PLAIN_BYTES // 4)) * 5, "gzip")
    assert wrong.value.status == 413
