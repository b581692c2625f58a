"""`python -m bench.identity.train`: learns the weights of suspected duplicates and writes `weights.json`.

Splink (MIT) learns m and u by expectation and maximisation on FEBRL1 and 2, without being told any truth; FEBRL3 and 4
are for the evaluation alone. Splink calls the hub's own comparisons, so both mean the same by a level. What FEBRL does
not know is assumed here, and the file says so.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.comparison_library import CustomComparison

from bench.identity.febrl import people
from hub.identity.suspects import comparison as words
from hub.identity.suspects import weights
from hub.identity.suspects.comparison import LEVELS, MISSING, compare
from hub.identity.suspects.traits import Traits
from hub.identity.suspects.weights import Chance, File, Names

TRAINED_ON = ("FEBRL1", "FEBRL2")
SEED = 20_240_607
RANDOM_PAIRS = 500_000
COLUMNS = {
    "given": ("given", "family"),
    "family": ("given", "family"),
    "birth_date": ("birth_date",),
    "street": ("street",),
    "street_number": ("street_number",),
    "place": ("postcode", "city", "region"),
}
"""What each comparison looks at: while Splink blocks on one of these, it does not learn that comparison."""
BLOCKS = (("birth_date",), ("given", "family"), ("street",))
EXACT = (("given", "family", "birth_date"), ("birth_date", "postcode"), ("street", "street_number", "family"))
"""Pairs that agree in one of these are one person, and half of all true pairs do: a first guess, which Splink mends."""
EXACT_FINDS = 0.7

ASSUMED = {
    "given": {words.SHORT_FORM: (0.02, 0.001), words.INITIAL: (0.01, 0.002), words.SWAPPED: (0.01, 0.000_01)},
    "family": {words.PART: (0.01, 0.000_5), words.SWAPPED: (0.01, 0.01)},
    "birth_date": {words.TURNED: (0.01, 0.000_1)},
    "email": {
        words.SAME: (0.4, 0.000_01),
        words.SLIP: (0.03, 0.000_2),
        words.LOCAL_PART: (0.07, 0.000_5),
        words.DIFFERENT: (0.5, 0.999),
    },
    "phone": {
        words.SAME: (0.5, 0.000_1),
        words.SLIP: (0.03, 0.000_2),
        words.LAST_DIGITS: (0.02, 0.000_2),
        words.DIFFERENT: (0.45, 0.999),
    },
}
"""(m, u) of what FEBRL has not: no contacts, and invented people have no short forms and no initials. Two mailboxes or
two numbers are usual, so a difference says little. SWAPPED counts once, with the given name."""
LEAST_U = {"street": 0.001, "street_number": 0.01, "place": 0.005}
"""FEBRL spreads its people over a continent; those of one company live in few places, and often in one house."""
LEAST_M = 0.000_5
LEAST_NAME = 0.001
MOST_NAMES = 300
NAMES = ("given", "family")
TARGET = Path(weights.__file__).with_name("weights.json")


def main() -> None:
    """Train, and write the file; the same versions of everything write the same file."""
    everybody = [one.traits for name in TRAINED_ON for one in people(name)]
    model = _model(everybody)
    learned = {one["output_column_name"]: _chances(one["comparison_levels"]) for one in model["comparisons"]}
    file = File(
        version="",
        trained_on=list(TRAINED_ON),
        duplicates_per_record=_rounded(model["probability_two_random_records_match"] * (len(everybody) - 1) / 2),
        levels={trait: _levels(trait, learned.get(trait, {})) for trait in LEVELS},
        names={trait: _names(everybody, trait) for trait in NAMES},
    )
    file.version = sha256(_text(file)).hexdigest()[:12]
    TARGET.write_bytes(_text(file) + b"\n")
    print(f"{TARGET.name} {file.version}")


def _text(file: File) -> bytes:
    return msgspec.json.format(msgspec.json.encode(file), indent=1)


def _model(everybody: Sequence[Traits]) -> dict[str, Any]:
    """What Splink makes of these people: its model, as it saves it."""
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    for trait, columns in COLUMNS.items():
        connection.create_function(f"level_of_{trait}", _level(trait, columns), ["VARCHAR"], "VARCHAR")
    linker = Linker(_table(connection, everybody), _settings(), log_level=logging.ERROR)
    linker.training.estimate_probability_two_random_records_match([block_on(*one) for one in EXACT], EXACT_FINDS)
    linker.training.estimate_u_using_random_sampling(RANDOM_PAIRS, SEED, min_count_per_level=None, num_chunks=1)
    for columns in BLOCKS:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*columns))
    model: dict[str, Any] = linker.misc.save_model_to_json()
    return model


def _table(connection: duckdb.DuckDBPyConnection, everybody: Sequence[Traits]) -> Any:
    """Empty values are NULL, as Splink must not block on them."""
    columns = [column for column in Traits._fields if column not in {"emails", "phones"}]
    table = {column: [getattr(one, column) or None for one in everybody] for column in columns}
    rows = pa.table({"unique_id": list(range(len(everybody)))} | table)
    return DuckDBAPI(connection).register(rows)


def _level(trait: str, columns: Sequence[str]) -> Callable[[str], str]:
    """The hub's comparison as a function of SQL: of the columns of one, then of the other, in one text (see `_sql`)."""

    @cache
    def level(both: str) -> str:
        values = both.split("\x1f")
        halves = values[: len(columns)], values[len(columns) :]
        one, other = (dict[str, Any](zip(columns, half, strict=True)) for half in halves)
        found: str = getattr(compare(Traits()._replace(**one), Traits()._replace(**other)), trait)
        return found

    return level


def _settings() -> SettingsCreator:
    comparisons = [CustomComparison(list(_sql(trait)), output_column_name=trait) for trait in COLUMNS]
    return SettingsCreator(link_type="dedupe_only", comparisons=comparisons)


def _sql(trait: str) -> list[dict[str, Any]]:
    columns = [f"coalesce({column}_{side}, '')" for side in "lr" for column in COLUMNS[trait]]
    call = f"level_of_{trait}(concat_ws(chr(31), {', '.join(columns)}))"
    return [
        {"sql_condition": f"{call} = '{MISSING}'", "label_for_charts": MISSING, "is_null_level": True},
        *({"sql_condition": f"{call} = '{one}'", "label_for_charts": one} for one in LEVELS[trait][:-1]),
        {"sql_condition": "ELSE", "label_for_charts": LEVELS[trait][-1]},
    ]


def _chances(levels: Sequence[dict[str, Any]]) -> dict[str, Chance]:
    """What was met often enough to be learned."""
    return {
        one["label_for_charts"]: Chance(one["m_probability"], one["u_probability"], "learned")
        for one in levels
        if not one.get("is_null_level") and one.get("m_probability") and one.get("u_probability")
    }


def _levels(trait: str, learned: dict[str, Chance]) -> dict[str, Chance]:
    assumed = {level: Chance(m, u, "assumed") for level, (m, u) in ASSUMED.get(trait, {}).items()}
    found = learned | assumed
    missing = set(LEVELS[trait]) - set(found)
    if missing:
        raise SystemExit(f"{trait}: neither learned nor assumed: {', '.join(sorted(missing))}")
    raised = {level: _raised(found[level], LEAST_U.get(trait, 0.0)) for level in LEVELS[trait]}
    same = raised[words.SAME]
    # Nothing says more than being the same, but names that are swapped, which count for two.
    return {
        level: chance if level == words.SWAPPED else _raised(chance, chance.m * same.u / same.m)
        for level, chance in raised.items()
    }


def _raised(chance: Chance, least_u: float) -> Chance:
    m, u = _rounded(max(chance.m, LEAST_M)), _rounded(max(chance.u, least_u))
    return Chance(m, u, chance.origin if u <= _rounded(chance.u) else "learned, u raised")


def _rounded(number: float) -> float:
    return float(f"{number:.3g}")


def _names(everybody: Sequence[Traits], trait: str) -> Names:
    """The most frequent names; every other one counts as rare as the rarest that is worth a line."""
    known = Counter(name for one in everybody if (name := getattr(one, trait)))
    often = [
        (name, number / known.total()) for name, number in sorted(known.items(), key=lambda one: (-one[1], one[0]))
    ]
    listed = {name: _rounded(share) for name, share in often[:MOST_NAMES] if share > LEAST_NAME}
    return Names(listed, LEAST_NAME)


if __name__ == "__main__":
    main()
