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
    "abuse accounting accounts admin administrator all anfrage billing bookings buchhaltung careers contact contacto "
    "customerservice enquiries enquiry everyone feedback finance hello help helpdesk hi hostmaster hr info info1 "
    "information inquiries jobs kontakt legal mail mailbox marketing media news newsletter no-reply noreply "
    "donotreply do-not-reply nobody none null office orders postmaster press privacy reception root sales security "
    "service shop spam staff subscribe support team test undefined unknown unsubscribe user vertrieb verwaltung web "
    "webmaster".split()
)
_PLACEHOLDERS = frozenset(
    {"a@a.com", "a@b.com", "abc@abc.com", "asdf@asdf.com", "email@email.com", "me@me.com", "x@x.com"}
)
_NO_DEVICE = frozenset(
    {"", "anonymous", "false", "guest", "nan", "nil", "none", "null", "[object object]", "true", "undefined", "unknown"}
)
_DEAF_DOMAINS = ("example.invalid", "test.test", "localhost.localdomain")
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
    role = local in _ROLES or local.partition("+")[0] in _ROLES
    return Value(candidate, role or candidate in _PLACEHOLDERS or domain in _DEAF_DOMAINS)


def _unusual_email(candidate: str) -> str | None:
    try:
        parts = validate_email(candidate, check_deliverability=False, allow_smtputf8=True, test_environment=True)
    except EmailNotValidError:
        return None
    return f"{parts.local_part.lower()}@{parts.ascii_domain.lower()}"


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
    return Value(value, kind in _NO_PERSON or _is_pattern(str(number.national_number)))


def device(written: str) -> str | None:
    """An anonymous id as it stands; None for what careless clients send instead of one."""
    value = clean(written)
    return None if value.lower() in _NO_DEVICE or not value.strip("0-") else value


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
