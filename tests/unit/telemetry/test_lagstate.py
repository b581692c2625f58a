"""The table that says what each lag means. Changing a line wants a reason beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from hub.telemetry.lagstate import STATES, WORST, Sample, State, state

NOBODY, ONE = 0, 1
UNKNOWN_MEMBERS = None


def history(
    committed: Iterable[int | None],
    ends: Iterable[int] | int = 100,
    *,
    members: int | None = ONE,
    every: float = 5.0,
    seconds: float | None = None,
    beginning: int = 0,
) -> list[Sample]:
    """Samples five seconds apart; `ends` is one end for all, or one each."""
    commits = list(committed)
    tops = [ends] * len(commits) if isinstance(ends, int) else list(ends)
    return [
        Sample(1000 + at * every, one, beginning, top, members, seconds)
        for at, (one, top) in enumerate(zip(commits, tops, strict=True))
    ]


def repeated(value: int | None, times: int) -> list[int | None]:
    return [value] * times


GROWING = list(range(100, 1500, 100))  # fourteen ends, 65 s

CASES: list[tuple[str, State, Sequence[Sample]]] = [
    # one reading alone
    ("nothing was ever looked at", "unknown", []),
    ("everything is read", "ok", history([100])),
    ("everything is read and nobody is there", "ok", history([100], members=NOBODY)),
    ("an empty topic that nobody ever read", "ok", history([None], 0, members=NOBODY)),
    ("records wait and the group has no members", "stopped", history([90], members=NOBODY)),
    ("records wait, no commit, no members", "stopped", history([None], members=NOBODY)),
    ("records wait, no commit, somebody is there", "unknown", history([None])),
    ("records wait, no commit, members not known", "unknown", history([None], members=UNKNOWN_MEMBERS)),
    ("fresh records wait for somebody who is there", "ok", history([90], seconds=0.2)),
    ("old records wait for somebody who is there", "unknown", history([90], seconds=3600)),
    ("records of unknown age wait for somebody", "unknown", history([90])),
    ("a commit at 0 and nothing to read", "ok", history([0], 0)),
    ("no commit, all records deleted already", "ok", history([None], 100, beginning=100)),
    ("the position lies beyond the end", "rewound", history([120])),
    ("the position lies beyond the end of an empty log", "rewound", history([120], 0, members=NOBODY)),
    ("everything unread was deleted and nothing came", "unknown", history([50], 100, beginning=100)),
    ("some of the unread was deleted, nobody is there", "stopped", history([50], 100, beginning=70, members=NOBODY)),
    ("some of the unread was deleted, somebody reads fresh ones", "ok", history([50], beginning=70, seconds=1)),
    # standing still
    ("still for 15 s: not yet", "ok", history(repeated(90, 4))),
    ("still for 20 s: somebody hangs", "stalled", history(repeated(90, 5))),
    ("still for ten minutes", "stalled", history(repeated(90, 120))),
    ("still, and the broker does not say who is there", "stopped", history(repeated(90, 5), members=UNKNOWN_MEMBERS)),
    ("still, and nobody is there", "stopped", history(repeated(90, 5), members=NOBODY)),
    ("still while more comes", "stalled", history(repeated(90, 5), [100, 110, 120, 130, 140])),
    ("still, because there was nothing to read until now", "ok", history(repeated(100, 5), [100, 100, 100, 100, 110])),
    ("idle for minutes, then one record 5 s ago", "ok", history(repeated(100, 30), [100] * 28 + [101] * 2)),
    ("idle for minutes, then one record 20 s ago", "stalled", history(repeated(100, 30), [100] * 25 + [101] * 5)),
    ("still, but it moved 10 s ago", "ok", history([80, 80, 80, 80, 90, 90, 90])),
    ("no commit for a minute, somebody is there", "unknown", history(repeated(None, 13))),
    ("no commit for a minute, then the first", "ok", history([*repeated(None, 12), 50])),
    ("no commit, nothing to read, then a record", "unknown", history(repeated(None, 3), [0, 0, 1])),
    ("killed with members on the books still", "stalled", history(repeated(90, 6), range(100, 160, 10))),
    ("killed, session over", "stopped", [*history(repeated(90, 5)), Sample(1025, 90, 0, 160, NOBODY)]),
    ("the members left at the end, all is read", "ok", [*history([80, 90]), Sample(1010, 100, 0, 100, NOBODY)]),
    ("a rolling restart: nobody for a moment, nothing waits", "ok", history([99, 100, 100], members=NOBODY)),
    # going back
    ("set back to the start", "rewound", history([90, 95, 100, 0])),
    ("set back, reading again, not there yet", "rewound", history([90, 100, 0, 40, 80])),
    ("set back and past where it was", "ok", history([90, 95, 50, 80, 98])),
    ("set back and all read again", "ok", history([90, 95, 50, 80, 100])),
    ("set back while nobody is there", "stopped", history([90, 0], members=NOBODY)),
    ("its offsets were deleted", "rewound", history([90, 95, None])),
    ("its offsets were deleted, all had been read, nothing left", "ok", history([100, 100, None], beginning=100)),
    ("set back more than ten minutes ago", "ok", [Sample(1, 900, 0, 1000, 1), *history([50, 60, 70])]),
    # another log
    ("the topic was made anew and is read from its start", "ok", history([90, 95, 3], [100, 100, 5], seconds=1)),
    ("the topic was made anew and the position is of the old one", "rewound", history([90, 95, 95], [100, 100, 5])),
    ("the log was cut below the position", "rewound", history([90, 90], [100, 80])),
    # falling behind
    ("more comes than is read", "slow", history(range(0, 140, 10), GROWING)),
    (
        "more comes than is read, one break in the growth",
        "slow",
        history([0, 0, 190, *range(200, 310, 10)], GROWING),
    ),
    ("more comes than is read, but all of it is fresh", "ok", history(range(0, 140, 10), GROWING, seconds=0.8)),
    ("more comes than is read, and it is old", "slow", history(range(0, 140, 10), GROWING, seconds=40)),
    ("a burst that is worked off", "ok", history(range(0, 1400, 100), 1500)),
    ("growing for 25 s only", "ok", history(range(0, 60, 10), GROWING[:6])),
    ("growing, but at zero once within the minute", "ok", history([200, *range(220, 330, 10)], GROWING[1:13])),
    (
        "a large lag goes up and down",
        "ok",
        history([50, 60, 80, 90, 110, 120, 140, 150], [100, 140, 130, 170] * 2),
    ),
    ("a few on their way at every look", "ok", history(range(97, 1397, 100), range(100, 1400, 100))),
    # clocks and gaps
    ("the clock was set forward: no history", "ok", [*history(repeated(90, 5)), Sample(9000, 90, 0, 100, 1, 1.0)]),
    ("the clock was set back: later samples do not count", "ok", [*history([80, 80]), Sample(990, 90, 0, 100, 1, 1.0)]),
    ("a gap of three minutes, still the same", "stalled", history([90, 90], every=180)),
    ("a gap of three minutes, moved", "ok", history([80, 90], every=180)),
    ("a gap of three minutes, nothing had waited before it", "ok", history([100, 100], [100, 110], every=180)),
    ("restarted in mid-window: few samples, all still", "stalled", history(repeated(90, 3), every=10)),
    # transaction markers end a log that has nothing more to read: the position is at its end all the same
    ("only markers behind the last record, position past them", "ok", history(repeated(100, 10))),
]


@pytest.mark.parametrize(("expected", "samples"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_lag_means(expected: State, samples: Sequence[Sample]) -> None:
    assert state(samples) == expected


def test_an_allowed_lag_is_none() -> None:
    samples = history(repeated(95, 10))
    assert state(samples, allowed=5) == "ok"
    assert state(samples, allowed=4) == "stalled"


def test_every_state_is_in_the_table_and_has_its_rank() -> None:
    assert {case[1] for case in CASES} == set(STATES) == set(WORST)


def test_each_case_of_the_table_is_there_once() -> None:
    assert len({case[0] for case in CASES}) == len(CASES) >= 40
