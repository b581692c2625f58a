"""Which two people are compared at all: those who have a key in common (identity.md §3.7)."""

from __future__ import annotations

from hub.identity.suspects.comparison import last_digits, local_part, sound_of
from hub.identity.suspects.traits import Traits

MOST_IN_BLOCK = 100
"""A key that more people than this have says too little: its block is left out, and counted."""


def block_keys(traits: Traits) -> set[str]:
    """The keys of a person, at most ten and one per contact: a letter for the sort of key, then its parts.

    A key stands only where all of its parts are known.

    The sorts beside those of §3.7 were chosen on FEBRL1 and 2, where they raise the share of true pairs that have a key
    in common from 0.79 to 0.999; `python -m bench.identity.quality` measures it on FEBRL3 and 4.
    """
    one = traits
    initial = one.given[:1]
    keys = [
        ("n", sound_of(one.family) or one.family, initial, one.postcode),
        ("f", one.family[:4], one.given[:3]),
        ("d", one.birth_date, one.family[:3]),
        ("a", one.street_number, one.postcode, one.family[:1]),
        ("b", one.birth_date),
        ("w", *sorted((one.given[:3], one.family[:3]))),  # the same when given and family name are swapped
        ("v", one.street[:4], one.city[:4]),
        ("t", one.street[:5], one.street_number),
        ("c", one.given[:4], one.city[:4]),
        ("i", one.family[:4], one.city[:4]),
        *(("e", local_part(email), initial) for email in one.emails),
        *(("p", last_digits(phone)) for phone in one.phones),
    ]
    return {"\x1f".join(key) for key in keys if all(key)}
