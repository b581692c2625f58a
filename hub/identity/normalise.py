"""One spelling for each identifier and name; and which values stand for nobody in particular.

Rules: identity.md §3.1, where identity-check.md §1 says nothing else. Every function is a function of its text, and
normalising twice is normalising once.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumberType, number_type

CACHE = 65_536
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_PLAIN_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9]")
_LONGEST_EMAIL, _LONGEST_LOCAL = 254, 64
_ROLES = frozenset(
    "abuse accounting accounts accountspayable admin administrator all anfrage billing bookings buchhaltung careers "
    "commercial compras contact contacto customerservice dummy einkauf email empfang enquiries enquiry everyone "
    "example fake feedback finance hello help helpdesk hi hostmaster hr info info1 information inquiries invoice "
    "invoices jobs kontakt legal mail mailbox mailer-daemon marketing media n/a news newsletter no-email no-reply "
    "noemail nomail noreply donotreply do-not-reply nobody none null office orders postmaster press privacy "
    "procurement purchasing reception rechnung root sales security service shipping shop spam staff subscribe support "
    "team test testing undefined unknown unsubscribe user ventas vertrieb verwaltung web webmaster zentrale".split()
)
_PLACEHOLDERS = frozenset(
    "a@a.com a@b.com aa@aa.com aaa@aaa.com abc@abc.com abc@xyz.com asd@asd.com asdf@asdf.com foo@bar.com me@me.com "
    "no@no.com qwerty@qwerty.com x@x.com x@y.com xx@xx.com xxx@xxx.com xyz@xyz.com".split()
)
_NO_ID = frozenset(
    {"", "anonymous", "distinct_id", "distinctid", "email", "false", "guest", "id", "nan", "nil", "none"}
    | {"not_authenticated", "null", "[object object]", "true", "undefined", "unknown", "-1"}
)
"""What careless clients send for an id they do not have; after Segment's and PostHog's lists (identity.md §1.1)."""
_FEWEST_OF_A_RUN = 4
_DEAF_DOMAINS = ("example.invalid", "test.test", "localhost.localdomain")
_DOTS_SAY_NOTHING = frozenset({"gmail.com", "googlemail.com"})
_PROVIDERS = _DOTS_SAY_NOTHING | frozenset(
    "outlook.com outlook.at outlook.be outlook.de outlook.dk outlook.es outlook.fr outlook.ie outlook.it outlook.pt "
    "hotmail.com hotmail.be hotmail.ca hotmail.ch hotmail.co.uk hotmail.de hotmail.dk hotmail.es hotmail.fr "
    "hotmail.it hotmail.nl hotmail.no hotmail.se live.com live.at live.be live.ca live.co.uk live.de live.dk live.fr "
    "live.ie live.it live.nl live.no live.se icloud.com me.com mac.com fastmail.com fastmail.fm proton.me "
    "protonmail.com pm.me".split()
)
"""Providers that deliver `name+anything` to `name`; those above ignore dots as well."""
_UNDECOMPOSED = {"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ı": "i"}
_TYPEWRITER = dict.fromkeys("’‘ʼ`", "'") | dict.fromkeys("‐–—", "-")
_ONE_SIGN = str.maketrans(_UNDECOMPOSED | _TYPEWRITER)
_NO_PERSON = {
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.UAN,
    PhoneNumberType.PAGER,
    PhoneNumberType.VOICEMAIL,
}
_FEWEST_DIGITS = 3


NOBODY_HERE: set[str] = set()
"""What stands for nobody in this installation, beside the lists above: addresses, numbers, and domains as `@firm.org`.

`hub.identity.blocklist` fills it when a process starts, and nobody changes it afterwards.
"""


class Value(NamedTuple):
    """A normalised identifier; `blocked` values are kept and never link."""

    value: str
    blocked: bool


class Name(NamedTuple):
    """A folded name; a part that is not known is empty."""

    given: str
    family: str


@lru_cache(maxsize=CACHE)
def email(written: str) -> Value | None:
    """An address in one spelling: domain in ASCII, everything lower case; None where it is no address."""
    candidate = unicodedata.normalize("NFKC", written).strip().strip("<>").lower()
    if not candidate.isascii() or not _PLAIN_EMAIL.fullmatch(candidate):
        found = _unusual_email(candidate)
        if found is None:
            return None
        candidate = found
    local, _, domain = candidate.rpartition("@")
    if len(candidate) > _LONGEST_EMAIL or len(local) > _LONGEST_LOCAL:
        return None
    name = local.partition("+")[0]
    role = local in _ROLES or name in _ROLES
    run = len(name) >= _FEWEST_OF_A_RUN and name.isdigit() and _is_pattern(name)
    listed = candidate in _PLACEHOLDERS or domain in _DEAF_DOMAINS
    ours = bool(NOBODY_HERE) and (candidate in NOBODY_HERE or f"@{domain}" in NOBODY_HERE)
    return Value(candidate, role or run or listed or ours)


def _unusual_email(candidate: str) -> str | None:
    try:
        parts = validate_email(candidate, check_deliverability=False, allow_smtputf8=True, test_environment=True)
    except EmailNotValidError:
        return None
    return f"{parts.local_part.lower()}@{parts.ascii_domain.lower()}"


def mailbox(address: str) -> str | None:
    """The one spelling of all addresses that a provider delivers to one place; None for a provider we do not know.

    `address` is a normalised one. The list is closed: at any other domain two spellings are two people, for all we know
    (identity.md §3.1). No address of somebody becomes one that stands for nobody.
    """
    return _canonical(address) if address[address.rfind("@") + 1 :] in _PROVIDERS else None


def forget() -> None:
    """Forget what was normalised by other lists."""
    email.cache_clear()
    phone.cache_clear()
    _canonical.cache_clear()


@lru_cache(maxsize=CACHE)
def _canonical(address: str) -> str | None:
    local, _, domain = address.rpartition("@")
    local = local.partition("+")[0]
    if domain in _DOTS_SAY_NOTHING:
        local, domain = local.replace(".", ""), "gmail.com"
    canonical, known = email(f"{local}@{domain}"), email(address)
    if canonical is None or known is None or (canonical.blocked and not known.blocked):
        return None
    return canonical.value


@lru_cache(maxsize=CACHE)
def phone(written: str, region: str | None) -> Value | None:
    """A number as E.164, with `;ext=` where it has one; None without a country or where it is no valid number."""
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    kind = number_type(number)  # valid and of which kind, in one look: the library asks its patterns for either
    if kind == PhoneNumberType.UNKNOWN:
        return None
    value = f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    if number.extension:
        value += f";ext={number.extension}"
    return Value(value, kind in _NO_PERSON or value in NOBODY_HERE or _is_pattern(str(number.national_number)))


def device(written: str) -> str | None:
    """An anonymous id as it stands; None for what careless clients send instead of one."""
    return known_id(written) or None


def known_id(written: str) -> str:
    """The id that a source gives somebody, as it stands; empty for what careless clients send instead of one."""
    value = clean(written)
    bare = value.strip("\"' ").lower()
    return "" if bare in _NO_ID or not bare.strip("0-") else value


def _is_pattern(digits: str) -> bool:
    """One digit over and over, or one run up or down: typed to get past a form."""
    return len(set(digits)) == 1 or digits in "01234567890123456789" or digits in "98765432109876543210"


@lru_cache(maxsize=CACHE)
def fold(written: str) -> str:
    """A name for comparing: NFKC, case folded, accents off (also those that Unicode does not take apart).

    Vowel signs of other scripts are letters here; a typewriter's apostrophe and hyphen stand for all of their kind.
    """
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", written).casefold())
    text = "".join(sign for sign in text if not unicodedata.combining(sign)).translate(_ONE_SIGN)
    return " ".join("".join(sign if _is_of_a_name(sign) else " " for sign in text).split())


def _is_of_a_name(sign: str) -> bool:
    return sign.isalnum() or sign in "-'" or unicodedata.category(sign).startswith("M")


@lru_cache(maxsize=CACHE)
def name(whole: str, given: str, family: str) -> Name:
    """Given and family name, folded: as stated, else out of the whole name (its first and its last word)."""
    words = fold(whole).split() if not (given and family) else []
    if "," in whole and len(words) > 1:
        last = fold(whole.partition(",")[0])
        words = [*fold(whole.partition(",")[2]).split(), last]
    first_word = words[0] if words else ""
    last_word = words[-1] if len(words) > 1 else ""
    return Name(fold(given) or first_word, fold(family) or last_word)


@lru_cache(maxsize=CACHE)
def clean(written: str) -> str:
    """A trait as people typed it, without the spaces around it and without control characters."""
    return "".join(sign for sign in unicodedata.normalize("NFC", written) if sign == "\n" or ord(sign) >= 32).strip()
