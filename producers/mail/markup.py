"""From a mail's HTML to its text: paragraphs as lines, quotations with `>`, nothing of what is not shown."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import nh3

DEEPEST = 300
"""Elements within elements: the time of any HTML parser grows with the square of it."""

_BLOCKS = frozenset("p div br li tr h1 h2 h3 h4 h5 h6 ul ol table pre hr section article header footer dt dd".split())
_TAGS = {*_BLOCKS, "blockquote", "td", "th"}
_UNSEEN = {"script", "style", "title", "noscript", "template"}
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*)")
_BLUNT = re.compile(r"<[^<>]*>")
_CLOSED_BY_THE_NEXT = frozenset(
    "area base br col embed hr img input link meta source track wbr"
    " p li dt dd td th tr tbody thead tfoot option".split()
)


def text_of(html: str) -> str:
    """The text that a reader sees, as well as it goes. Some markup costs the square of its length: cut it before."""
    if _depth(html) > DEEPEST:
        return _BLUNT.sub(" ", html)
    reader = _Reader()
    reader.feed(nh3.clean(html, tags=_TAGS, clean_content_tags=_UNSEEN, attributes={}, link_rel=None))
    reader.close()
    return reader.text()


def _depth(html: str) -> int:
    """How deep elements lie in each other at the most; those that end by themselves do not count."""
    depth = deepest = 0
    for found in _TAG.finditer(html):
        if found[2].lower() not in _CLOSED_BY_THE_NEXT:
            depth = max(0, depth - 1) if found[1] else depth + 1
            deepest = max(deepest, depth)
    return deepest


class _Reader(HTMLParser):
    """Gathers lines; what it is given is well-formed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line: list[str] = []
        self._quoted = 0
        self._as_it_is = 0

    def handle_starttag(self, tag: str, _attributes: list[tuple[str, str | None]]) -> None:
        """A block begins on a line of its own."""
        if tag in {"td", "th"}:
            self._line.append(" ")
            return
        self._end_line(empty=tag in {"p", "br"})
        self._quoted += tag == "blockquote"
        self._as_it_is += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        """And ends with it."""
        if tag in {"td", "th", "br"}:
            return
        self._end_line(empty=tag == "p")
        self._quoted -= tag == "blockquote"
        self._as_it_is -= tag == "pre"

    def handle_data(self, data: str) -> None:
        """Text: its line ends count within `pre` alone."""
        if not self._as_it_is:
            self._line.append(data)
            return
        first, *others = data.split("\n")
        self._line.append(first)
        for line in others:
            self._end_line(empty=True)
            self._line.append(line)

    def text(self) -> str:
        """Everything, an empty line between paragraphs."""
        self._end_line(empty=False)
        return "\n".join(self._lines).strip("\n")

    def _end_line(self, *, empty: bool) -> None:
        said = "".join(self._line)
        said = said.rstrip() if self._as_it_is else " ".join(said.split())
        self._line = []
        if said or (empty and self._lines and self._lines[-1].strip("> ")):
            self._lines.append("> " * min(self._quoted, 9) + said)
