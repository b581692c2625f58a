"""When a partition stops: more than five failures in a row, or more than a tenth of the last five hundred."""

from __future__ import annotations

from hub.streams.limits import IN_A_ROW, OF_THE_LAST, SHARE, Limit


def test_five_in_a_row_are_letters_and_the_sixth_stops() -> None:
    limit = Limit()
    assert [limit.failed() for _ in range(IN_A_ROW + 2)] == [False] * IN_A_ROW + [True, True]


def test_a_success_in_between_begins_the_row_anew() -> None:
    limit = Limit()
    for _ in range(5):
        assert [limit.failed() for _ in range(IN_A_ROW)] == [False] * IN_A_ROW
        limit.succeeded(1)


def test_a_tenth_of_the_last_five_hundred_is_allowed_and_one_more_stops() -> None:
    limit = Limit()
    most = int(SHARE * OF_THE_LAST)
    for _ in range(most):
        limit.succeeded(1)
        assert not limit.failed()
    limit.succeeded(1)
    assert limit.failed()


def test_failures_are_forgotten_after_five_hundred_records() -> None:
    limit = Limit()
    for _ in range(3):
        for _ in range(int(SHARE * OF_THE_LAST)):
            limit.succeeded(1)
            assert not limit.failed()
        limit.succeeded(OF_THE_LAST)


def test_a_batch_of_any_size_pushes_no_more_than_the_window_out() -> None:
    limit = Limit()
    for _ in range(IN_A_ROW):
        limit.failed()
    limit.succeeded(1_000_000_000)
    assert not limit.failed()


def test_a_rate_of_one_in_twenty_never_stops_whatever_the_order() -> None:
    limit = Limit()
    for number in range(5000):
        if number % 20:
            limit.succeeded(1)
        else:
            assert not limit.failed()
