"""When an attempt at a capture is given up: much too long, not nearly done, and worth it."""

from __future__ import annotations

from goretain.capture.frozen.expectation import Expected, Rehearsal, Took, note, rest

USUAL = Expected(planning=0.003, copying=0.004, copied=4000)


def test_up_to_twice_the_expected_time_is_waited_for() -> None:
    assert not USUAL.forbids(0.006, "stopping", 0.006, 0, 0)
    assert USUAL.forbids(0.0071, "stopping", 0.0071, 0, 0)
    assert not USUAL.forbids(0.0099, "planning", 0.0099, 0, 0)
    assert USUAL.forbids(0.0101, "planning", 0.0101, 0, 0)
    assert not USUAL.forbids(0.0119, "copying", 0.002, 2000, 4000)
    assert USUAL.forbids(0.0121, "copying", 0.002, 2000, 4000)


def test_what_is_nearly_done_is_finished() -> None:
    assert USUAL.forbids(1.0, "copying", 0.9, 2200, 4000)
    assert not USUAL.forbids(1.0, "copying", 0.9, 2300, 4000)


def test_a_larger_copy_than_was_rehearsed_may_take_longer() -> None:
    assert USUAL.forbids(0.011, "copying", 0.0, 0, 4000)
    assert not USUAL.forbids(0.011, "copying", 0.0, 0, 8000)


def test_milliseconds_of_a_tiny_target_are_nothing_amiss() -> None:
    tiny = Expected(planning=0.0005, copying=0.0001, copied=100)
    assert not tiny.forbids(0.007, "stopping", 0.007, 0, 0)
    assert tiny.forbids(0.008, "stopping", 0.008, 0, 0)


def test_what_takes_long_anyway_goes_through() -> None:
    assert not Expected(0.06, 0.05, 1 << 30).forbids(9.0, "planning", 9.0, 0, 0)


def test_who_goes_first_pays_only_for_its_own_time() -> None:
    rehearsal = Rehearsal(Took(1.0, 5.0), Took(2.0, 7.0), 10)
    assert rehearsal.expected(first=True) == Expected(1.0, 2.0, 10)
    assert rehearsal.expected(first=False) == Expected(5.0, 7.0, 10)


def test_the_target_runs_for_a_moment_that_is_long_to_it_and_short_to_us() -> None:
    assert [rest(pause) for pause in (0.001, 0.02, 5.0)] == [0.1, 0.2, 2.0]


def test_every_pause_is_told_if_there_were_several() -> None:
    assert note([7_000_000]) == []
    (said,) = note([20_000_000, 15_500_000, 7_000_000])
    assert "given up 2 times" in said
    assert "stood still 3 times, 42.5 ms in all, 20.0 ms at the longest" in said
