"""What the writer of a mail says anew: without quotation, signature and the marks of programs.

Looked at line by line, each pattern on a line of bounded length: the time is linear in the text, whoever wrote it.
"""

from __future__ import annotations

import re

LONGEST_LINE = 400
"""Characters of a line that patterns look at."""

SIGNATURE_LINES = 15
_ORIGINAL = re.compile(
    r"(?i)^[-_*\s]{2,40}(original (message|appointment)|forwarded message|urspr[üu]ngliche nachricht"
    r"|weitergeleitete nachricht|message (d'origine|transf[ée]r[ée])|mensaje original|messaggio originale"
    r"|oorspronkelijk bericht|mensagem original|reply message|begin forwarded message)[-_*:\s]{0,40}$"
)
"""`-----Original Message-----` in the languages of Outlook and its kin."""

_SAID = re.compile(
    r"(?i)^(on|am|le|el|il|em|op|den|dnia|dne|w dniu|в|пт|пн|вт|ср|чт|сб|вс)\b.{5,300}"
    r"\b(wrote|schrieb|a [ée]crit|escribi[óo]|ha scritto|escreveu|schreef|skrev|napisał\S*|napsal\S*|пишет|написал\S*)"
    r"\b.{0,100}:\s*$"
)
_FIELD = re.compile(r"^\s*\*{0,2}([^\W\d_][\w .'-]{1,24})\s*:\*{0,2}\s*(\S.{0,300})?$")
_FROM = frozenset("from von de da van från fra od от expéditeur afzender remitente mittente avsändare 发件人".split())
_DATE = re.compile(
    r"(?i)^(sent|date|gesendet|datum|envoy[ée]|enviado|fecha|inviato|data|verzonden|skickat|sendt|дата)$"
)
_PHONE = re.compile(
    r"(?i)^(sent (from|via)|get outlook for|gesendet (von|mit)|von meinem|diese nachricht wurde von"
    r"|envoy[ée] (de|depuis)|enviado (desde|do|de)|inviato da|verzonden (vanaf|met)|skickat från|sendt fra|wysłane z"
    r"|отправлено с)\b"
)
_GOODBYE = re.compile(
    r"(?i)^\W*((best|kind|kindest|warm|warmest|many)( regards| wishes| thanks)|regards|sincerely|cheers"
    r"|yours (sincerely|faithfully|truly)|mfg|lg|vg"
    r"|(mit |viele |beste |liebe |herzliche |sch[öo]ne )?(freundlichen? |besten |lieben |herzlichen )?"
    r"gr[üu](ß|ss)(e|en)?"
    r"|(bien )?cordialement|bien [àa] (vous|toi)|salutations|(un )?saludos?( cordial\w*)?|atentamente"
    r"|cordiali saluti|distinti saluti|atenciosamente|(met )?vriendelijke groet(en)?"
    r"|(med )?(vänliga|venlig) h[äi]lsning\w*|pozdrawiam)\b.{0,30}$"
)


def own_words(text: str) -> str:
    """The text without what others said before and without the signature; the whole where nothing else is left."""
    whole = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [line.rstrip() for line in whole.split("\n")]
    lines = _unquoted(_above_the_original(lines))
    kept = "\n".join(_unsigned(lines)).strip()
    return re.sub(r"\n{3,}", "\n\n", kept) or whole.strip()


def _above_the_original(lines: list[str]) -> list[str]:
    """Cut where a program pasted the mail that is answered, under a rule, a header or a sentence."""
    for number, line in enumerate(lines):
        seen = line[:LONGEST_LINE]
        if _ORIGINAL.match(seen) or _is_pasted_header(lines, number) or _is_attribution(lines, number):
            above = lines[:number]
            while above and (not above[-1].strip() or set(above[-1].strip()) <= set("_-")):
                above.pop()
            return above
    return lines


def _is_pasted_header(lines: list[str], number: int) -> bool:
    """`From: … Sent: … To: …` in any language of ours, or in any, where an address stands in it."""
    first = _FIELD.match(lines[number][:LONGEST_LINE])
    if not first or first[1].lower() not in _FROM:
        return False
    following = [_FIELD.match(line[:LONGEST_LINE]) for line in lines[number + 1 : number + 8] if line.strip()][:3]
    names = [found[1].strip() for found in following if found]
    return len(names) >= 2 and (any(map(_DATE.match, names)) or "@" in lines[number])


def _is_attribution(lines: list[str], number: int) -> bool:
    """`On … wrote:`, on up to three lines; before lines with `>` it is left to those, since answers may follow."""
    for last in range(number, min(number + 3, len(lines))):
        if not lines[last].strip():
            return False
        if lines[last].endswith(":"):
            said = " ".join(lines[number : last + 1])[:LONGEST_LINE]
            below = next((line for line in lines[last + 1 : last + 6] if line.strip()), "")
            return bool(_SAID.match(said)) and not below.startswith(">")
    return False


def _unquoted(lines: list[str]) -> list[str]:
    """Without the lines that begin with `>`, and without the sentence that introduces them."""
    kept: list[str] = []
    quoting = False
    for line in lines:
        if line.lstrip().startswith(">"):
            if not quoting:
                _take_off_introduction(kept)
            quoting = True
        else:
            if quoting and line.strip():
                kept.append("")
            quoting = quoting and not line.strip()
            kept.append(line)
    return kept


def _take_off_introduction(kept: list[str]) -> None:
    """Remove the last paragraph, of three lines at the most, that ends with a colon and names a time or an address."""
    end = len(kept)
    while end and not kept[end - 1].strip():
        end -= 1
    if not end or not kept[end - 1].endswith((":", "：")):
        return
    begin = end
    while begin and end - begin < 3 and kept[begin - 1].strip():
        begin -= 1
    for start in range(end - 1, begin - 1, -1):
        said = " ".join(kept[start:end])[:LONGEST_LINE]
        if _SAID.match(said) or (re.search(r"\d", said) and ("@" in said or re.search(r"\d[:.]\d\d", said))):
            del kept[start:]
            return


def _unsigned(lines: list[str]) -> list[str]:
    """Cut at `--`, at `Sent from my …`, at `Best regards` with a few short lines after it."""
    for number, line in enumerate(lines):
        seen, rest = line[:LONGEST_LINE].strip(), [one for one in lines[number + 1 : number + 40] if one.strip()]
        if len(lines) - number > 3 * SIGNATURE_LINES or len(rest) > SIGNATURE_LINES:
            continue
        if seen in {"--", "—", "__"} or (len(line) <= 100 and _PHONE.match(seen)):
            return lines[:number]
        if _GOODBYE.match(seen) and all(len(one) <= 80 for one in rest) and any(one.strip() for one in lines[:number]):
            return lines[:number]
    return lines
