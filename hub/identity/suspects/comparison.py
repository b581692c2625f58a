"""How alike two people are, trait by trait, in words: the levels that have a weight each (identity.md §3.7).

Every comparison gives the same level whichever person comes first. `bench.identity.train` learns the weights of exactly
these functions: who changes one of them trains anew.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from jellyfish import metaphone
from rapidfuzz.distance import OSA, Indel, JaroWinkler

from hub.identity.names import same_formal
from hub.identity.suspects.traits import Traits

MISSING = "not known"
SAME = "the same"
SHORT_FORM = "a short form"
INITIAL = "only the initial"
SWAPPED = "given and family name swapped"
PART = "a part of it"
ALIKE = "nearly the same"
SIMILAR = "similar"
SLIP = "one sign differs"
TWO_SLIPS = "two signs differ"
TURNED = "day and month swapped"
POSTCODE = "only the postcode"
TOWN = "only the town"
REGION = "only the region"
LOCAL_PART = "the same before the @"
LAST_DIGITS = "the same last digits"
DIFFERENT = "different"

LEVELS: dict[str, tuple[str, ...]] = {
    "given": (SAME, ALIKE, SHORT_FORM, SWAPPED, INITIAL, SIMILAR, DIFFERENT),
    "family": (SAME, ALIKE, PART, SWAPPED, SIMILAR, DIFFERENT),
    "birth_date": (SAME, SLIP, TURNED, TWO_SLIPS, DIFFERENT),
    "street": (SAME, ALIKE, SIMILAR, PART, DIFFERENT),
    "street_number": (SAME, SLIP, DIFFERENT),
    "place": (SAME, ALIKE, POSTCODE, TOWN, REGION, DIFFERENT),
    "email": (SAME, SLIP, LOCAL_PART, DIFFERENT),
    "phone": (SAME, SLIP, LAST_DIGITS, DIFFERENT),
}
"""The traits that are compared, in the order in which they are told, and the levels of each, surest first."""

_ALIKE, _SIMILAR = 0.92, 0.88
_STREET_SIMILAR, _STREET_PART = 0.75, 0.6
_LEAST_SOUNDS = 3
_LEAST_LOCAL_PART = 5
_DIGITS = 7
_CACHE = 65_536

_near = JaroWinkler.normalized_similarity
_overlap = Indel.normalized_similarity
_slips = OSA.distance


class Levels(NamedTuple):
    """How alike two people are: a level of `LEVELS` per trait, or `MISSING` where one of the two says nothing."""

    given: str
    family: str
    birth_date: str
    street: str
    street_number: str
    place: str
    email: str
    phone: str


def compare(one: Traits, other: Traits) -> Levels:
    """The levels of two people."""
    given = _name(one.given, other.given, _other_given)
    family = _name(one.family, other.family, _other_family)
    if given in _UNSURE and family in _UNSURE and _swapped(one, other):
        given = family = SWAPPED
    return Levels(
        given,
        family,
        _birth_date(one.birth_date, other.birth_date),
        _street(one.street, other.street),
        _street_number(one.street_number, other.street_number),
        _place(one, other),
        _any_of(one.emails, other.emails, _email, EMAIL_ORDER),
        _any_of(one.phones, other.phones, _phone, PHONE_ORDER),
    )


def _name(mine: str, its: str, otherwise: Callable[[str, str], str | None]) -> str:
    if not mine or not its:
        return MISSING
    if mine == its:
        return SAME
    near = _near(mine, its)
    if near >= _ALIKE:
        return ALIKE
    return otherwise(mine, its) or (SIMILAR if near >= _SIMILAR or _sounds_alike(mine, its) else DIFFERENT)


def _other_given(mine: str, its: str) -> str | None:
    if mine[0] == its[0] and (len(mine) == 1 or len(its) == 1):
        return INITIAL
    return SHORT_FORM if same_formal(mine, its) else None


def _other_family(mine: str, its: str) -> str | None:
    if "-" in mine or "-" in its or " " in mine or " " in its:
        return None if _parts(mine).isdisjoint(_parts(its)) else PART
    return None


_UNSURE = frozenset({SIMILAR, DIFFERENT})


def _swapped(one: Traits, other: Traits) -> bool:
    """Each given name is the other's family name, but for a slip."""
    return (
        _near(one.given, other.family, score_cutoff=_ALIKE) > 0
        and _near(one.family, other.given, score_cutoff=_ALIKE) > 0
    )


def _sounds_alike(mine: str, its: str) -> bool:
    sound = sound_of(mine)
    return len(sound) >= _LEAST_SOUNDS and sound == sound_of(its)


@lru_cache(maxsize=_CACHE)
def sound_of(name: str) -> str:
    """The phonetic code of a folded name; empty for other scripts."""
    return metaphone(name)


@lru_cache(maxsize=_CACHE)
def _parts(name: str) -> frozenset[str]:
    return frozenset(name.replace("-", " ").split())


def _birth_date(mine: str, its: str) -> str:
    if not mine or not its:
        return MISSING
    if mine == its:
        return SAME
    slips = _slips(mine, its, score_cutoff=2)
    if slips == 1:
        return SLIP
    if mine[:4] == its[:4] and mine[5:7] == its[8:] and mine[8:] == its[5:7]:
        return TURNED
    return TWO_SLIPS if slips == 2 else DIFFERENT


def _street(mine: str, its: str) -> str:
    """Without regard to the order of the words: house names and streets change their lines."""
    if not mine or not its:
        return MISSING
    if mine == its:
        return SAME
    near = _overlap(_in_order(mine), _in_order(its), score_cutoff=_STREET_PART)
    if near >= _ALIKE:
        return ALIKE
    if near >= _STREET_SIMILAR:
        return SIMILAR
    return PART if near or _parts(mine) <= _parts(its) or _parts(its) <= _parts(mine) else DIFFERENT


@lru_cache(maxsize=_CACHE)
def _in_order(street: str) -> str:
    return " ".join(sorted(street.split()))


def _street_number(mine: str, its: str) -> str:
    if not mine or not its:
        return MISSING
    return SAME if mine == its else SLIP if _slips(mine, its, score_cutoff=1) == 1 else DIFFERENT


def _place(one: Traits, other: Traits) -> str:
    """Postcode, city and region in one, for one follows from the other: alone they would count the same fact thrice."""
    town = _town(one.city, other.city)
    if one.postcode and one.postcode == other.postcode:
        return SAME if town else POSTCODE
    slip = one.postcode and other.postcode and _slips(one.postcode, other.postcode, score_cutoff=1) == 1
    if town:
        return ALIKE if slip else TOWN
    if one.region and one.region == other.region:
        return REGION
    known = (one.postcode and other.postcode) or (one.city and other.city) or (one.region and other.region)
    return DIFFERENT if known else MISSING


def _town(mine: str, its: str) -> bool:
    return bool(mine and its) and (mine == its or _near(mine, its, score_cutoff=_SIMILAR) > 0)


def _any_of(
    mine: tuple[str, ...], its: tuple[str, ...], compared: Callable[[str, str], str], order: dict[str, int]
) -> str:
    """The surest level of any two values."""
    if not mine or not its:
        return MISSING
    return min((compared(one, other) for one in mine for other in its), key=order.__getitem__)


def _email(mine: str, its: str) -> str:
    if mine == its:
        return SAME
    if _slips(mine, its, score_cutoff=1) == 1:
        return SLIP
    local = local_part(mine)
    return LOCAL_PART if len(local) >= _LEAST_LOCAL_PART and local == local_part(its) else DIFFERENT


@lru_cache(maxsize=_CACHE)
def local_part(email: str) -> str:
    """What stands before the @, as one mailbox is often written: without dots and without what follows a plus.

    Good enough to suspect somebody; two mailboxes may well share it, so nothing is ever joined by it.
    """
    return email.rpartition("@")[0].partition("+")[0].replace(".", "")


def _phone(mine: str, its: str) -> str:
    if mine == its:
        return SAME
    if _slips(mine, its, score_cutoff=1) == 1:
        return SLIP
    return LAST_DIGITS if last_digits(mine) == last_digits(its) else DIFFERENT


def last_digits(phone: str) -> str:
    """The last seven digits of a number, without its extension."""
    return phone.partition(";")[0][-_DIGITS:]


EMAIL_ORDER = {level: place for place, level in enumerate(LEVELS["email"])}
PHONE_ORDER = {level: place for place, level in enumerate(LEVELS["phone"])}
