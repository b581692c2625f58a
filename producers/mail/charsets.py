"""Bytes to text where the declared character set may be wrong, unknown or a trap. Nothing here raises."""

from __future__ import annotations

import codecs
import re

_WIDER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
}
"""What programs declare → the superset that they write."""

_OTHERS = frozenset(
    "utf-8 utf-7 utf-16 utf-16-be utf-16-le utf-32 utf-32-be utf-32-le koi8-r koi8-u gb18030 hz big5 big5hkscs euc_jp"
    " iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_3 iso2022_kr cp932 johab cp949 mac-roman mac-cyrillic".split()
)
_DIRECTED = re.compile(r"(?i)^(iso-8859-[68])-[ie]$")
"""Hebrew and Arabic, with a word about who turns the lines round."""

_PAGES = re.compile(r"iso8859-\d+|cp\d+")
_MISREAD = frozenset(("cp1252", "cp1254", "iso8859-15"))
"""Sets in which any bytes are text: what is UTF-8 as well is UTF-8."""

_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


def decoded(data: bytes, declared: str | None) -> str:
    """The text of these bytes: in the declared set, in UTF-8, or as well as it goes. Never NUL, never a surrogate."""
    name = _codec(declared)
    attempts = ["utf-8", name] if name is None or name in _MISREAD else [name, "utf-8"]
    for attempt in filter(None, attempts):
        try:
            return clean(data.decode(attempt))
        except ValueError:
            continue
    return clean(data.decode(name or "cp1252", "replace"))


def clean(text: str) -> str:
    """The text without what neither UTF-8 nor PostgreSQL can hold."""
    return _FORBIDDEN.sub("\ufffd", text)


def _codec(declared: str | None) -> str | None:
    """Python's name for a set of characters; None for what is no such thing (Python has `zip` and `rot13` as well)."""
    written = _DIRECTED.sub(r"\1", (declared or "").strip(" \"'")[:40])
    try:
        name = codecs.lookup(written).name
    except (LookupError, ValueError):
        return None
    name = _WIDER.get(name, name)
    return name if name in _OTHERS or _PAGES.fullmatch(name) else None
