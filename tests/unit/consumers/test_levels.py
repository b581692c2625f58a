"""What is to be told next, out of what was told, what is wanted and what is true."""

from __future__ import annotations

from typing import Any

from consumers.levels import dirty, news, opened
from hub.identity.ids import as_text, hash_id
from hub.storage.told import Level, Truth

ANN, BOB, ZED = (hash_id("test", name) for name in ("ann", "bob", "zed"))


def a_level(**known: Any) -> Level:
    """Ann, of whom the tool should know version 3 and knows nothing."""
    nothing: dict[str, Any] = {
        "destination": "sales",
        "profile_id": ANN,
        "want_kind": "alive",
        "want_version": 3,
        "want_into": None,
        "told_kind": None,
        "told_version": 0,
        "told_into": None,
        "tried": False,
    }
    return Level(**(nothing | known))


TOLD: dict[str, Any] = {"told_kind": "alive", "told_version": 2, "tried": True}
AWAY: dict[str, Any] = {"told_kind": "merged", "told_version": 2, "told_into": BOB, "tried": True}
GOES: dict[str, Any] = {"want_kind": "merged", "want_into": BOB}
ALIVE, MERGED = Truth(ANN, 3, "{}"), Truth(BOB, 7, "{}")


def test_a_newer_version_is_news_and_an_older_one_is_not() -> None:
    assert dirty(a_level())
    assert dirty(a_level(**TOLD))
    assert not dirty(a_level(**TOLD | {"told_version": 3}))
    assert not dirty(a_level(**TOLD | {"told_version": 9}))


def test_a_merge_is_news_once_and_only_of_an_id_that_was_spoken_of() -> None:
    assert dirty(a_level(**GOES, **TOLD))
    assert dirty(a_level(**GOES, tried=True)), "a try that nobody answered may have arrived"
    assert not dirty(a_level(**GOES))
    assert not dirty(a_level(**GOES, **AWAY))


def test_an_absorbed_id_that_came_out_with_somebody_else_is_told_again_under_its_new_survivor() -> None:
    moved = a_level(**GOES | {"want_into": ZED}, **AWAY)
    assert dirty(moved)
    told = news(moved, Truth(ZED, 9, "{}"))
    assert told
    assert (told.type, told.version, told.lane, told.others) == ("profile.merged", 9, ZED, (as_text(ANN),))
    assert news(moved, MERGED) is None, "the truth went on, and that is told already"


def test_an_erasure_is_told_once_to_who_may_have_heard_of_the_id() -> None:
    gone = a_level(want_kind="erased", want_version=4, **TOLD)
    assert dirty(gone)
    assert dirty(a_level(want_kind="erased", want_version=4, tried=True)), "a try that nobody answered may have arrived"
    assert not dirty(a_level(want_kind="erased", want_version=1))
    assert not dirty(a_level(want_kind="erased", want_version=4, told_kind="erased", told_version=4, tried=True))
    told = news(gone, Truth(None, 0, None))
    assert told
    assert (told.type, told.kind, told.version, told.others) == ("profile.erased", "erased", 4, (as_text(ANN),))
    assert told.id == opened(gone).id


def test_the_first_is_created_then_it_is_updated() -> None:
    first, second = news(a_level(), ALIVE), news(a_level(**TOLD), ALIVE)
    assert first
    assert second
    assert (first.type, first.version, first.lane, first.others) == ("profile.created", 3, ANN, ())
    assert second.type == "profile.updated"
    assert first.id != second.id


def test_a_merge_carries_the_survivor_and_names_who_was_absorbed() -> None:
    told = news(a_level(**GOES, **TOLD), MERGED)
    assert told
    assert (told.type, told.version, told.lane, told.others) == ("profile.merged", 7, BOB, (as_text(ANN),))


def test_who_comes_back_is_a_split_with_both_parts() -> None:
    told = news(a_level(**AWAY), ALIVE)
    assert told
    assert (told.type, told.lane) == ("profile.split", ANN)
    assert set(told.others) == {as_text(ANN), as_text(BOB)}


def test_the_truth_goes_before_what_sync_has_heard() -> None:
    assert news(a_level(**TOLD), MERGED), "merged already, and the redirect is on its way"
    assert news(a_level(), MERGED) is None
    assert news(a_level(**AWAY), MERGED) is None
    assert news(a_level(**TOLD | {"told_version": 3}), ALIVE) is None
    assert news(a_level(), Truth(None, 0, "")) is None


def test_the_id_stands_for_destination_profile_type_and_version() -> None:
    ids = {
        opened(level).id
        for level in (
            a_level(),
            a_level(destination="service"),
            a_level(profile_id=BOB),
            a_level(want_version=4),
            a_level(**TOLD),
        )
    }
    assert len(ids) == 5
    told = news(a_level(), ALIVE)
    assert told
    assert opened(a_level()).id == told.id


def test_a_merge_waits_among_the_survivors_deliveries() -> None:
    assert opened(a_level(**GOES, **TOLD)).lane == BOB
    assert opened(a_level()).lane == ANN
