"""Ways of packing a body that no library has a name for."""

from __future__ import annotations

import zlib


def bare_deflate(body: bytes) -> bytes:
    """Deflate without zlib's head and sum, as some clients send it."""
    writer = zlib.compressobj(wbits=-15)
    return writer.compress(body) + writer.flush()
