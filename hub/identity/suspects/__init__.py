"""Suspected duplicates: two people who may be one, though no rule joins them. A person decides (identity.md §3.7).

`traits_of` a profile's records → `block_keys` → `score` of every two with a key in common → a band and reasons. All of
it is a function of its arguments; when to look, what to keep and whom to ask are the caller's.
"""

from __future__ import annotations

from hub.identity.suspects.blocking import MOST_IN_BLOCK, block_keys
from hub.identity.suspects.scoring import LIKELY, POSSIBLE, Reason, Score, fingerprint, score
from hub.identity.suspects.traits import Traits, traits_of
from hub.identity.suspects.weights import WEIGHTS, Weights

__all__ = [
    "LIKELY",
    "MOST_IN_BLOCK",
    "POSSIBLE",
    "WEIGHTS",
    "Reason",
    "Score",
    "Traits",
    "Weights",
    "block_keys",
    "fingerprint",
    "score",
    "traits_of",
]
