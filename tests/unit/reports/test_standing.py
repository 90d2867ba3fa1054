"""Where the number of goroutines grows: by place, by go statement, from dumps and from profiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from goretain.profile.goroutines import Where
from goretain.reports.profile.standing import standing_trends
from goretain.reports.results import StandingTrend
from goretain.snapshot import Frame

LOOKS = 40
SECONDS = (np.arange(LOOKS) * 30).astype(np.float64)


def where(name: str, state: str | None, by: str = "") -> Where:
    """In a function of that name; by: the function that began it, of which a profile says nothing."""
    frame = Frame(f"main.{name}", "/src/main.go", 9)
    return Where(frame, frame, "main.worker", Frame(by, "/src/main.go", 5) if by else None, state)


def found(look: Callable[[int], dict[Where, int]]) -> tuple[StandingTrend, ...]:
    return standing_trends([Counter(look(at)) for at in range(LOOKS)], SECONDS, 10)


def test_what_leaks_at_one_place_is_told_as_that() -> None:
    """And its creator, whose other goroutines do not grow, is not told beside it."""
    (row,) = found(
        lambda at: {
            where("recv", "chan receive", "main.serve"): 3 * at,
            where("tick", "select", "main.serve"): 5 + at % 3,
            where("poll", "IO wait", "main.listen"): 4,
        }
    )
    assert row.place == Frame("main.recv", "/src/main.go", 9)
    assert (row.trend, row.counts[-1], row.state) == ("grows", 117, "chan receive")


def test_a_leak_that_moves_between_places_is_told_by_its_go_statement() -> None:
    """Two more at every look, which are in one of two waits by chance."""
    rng = np.random.default_rng(3)
    sleeping = [int(rng.binomial(2 * at, 0.5)) for at in range(LOOKS)]
    (row,) = found(
        lambda at: {
            where("loop", "select", "main.main"): 2 * at - sleeping[at],
            where("nap", "sleep", "main.main"): sleeping[at],
        }
    )
    assert row.place is None
    assert row.created_at == Frame("main.main", "/src/main.go", 5)
    assert (row.trend, row.start, row.state) == ("grows", "main.worker", "select or sleep")
    assert row.counts == tuple(range(0, 2 * LOOKS, 2))


def test_a_leak_goes_on_where_dumps_are_taken_no_more() -> None:
    """Too many goroutines for dumps: what stands at one place is one group before and after."""
    (row,) = found(
        lambda at: {where("recv", "chan receive", "main.main") if at < 33 else where("recv", None): 300 * at}
    )
    assert (row.trend, row.counts) == ("grows", tuple(range(0, 300 * LOOKS, 300)))
    assert row.created_at is not None


def test_where_dumps_know_two_creators_of_a_place_they_are_one_group() -> None:
    def look(at: int) -> dict[Where, int]:
        if at >= 33:
            return {where("recv", None): 300 * at}
        return {where("recv", "select", "main.a"): 100 * at, where("recv", "select", "main.b"): 200 * at}

    (row,) = found(look)
    assert (row.trend, row.counts) == ("grows", tuple(range(0, 300 * LOOKS, 300)))
    assert row.created_at is None


def test_workers_that_only_move_do_not_grow() -> None:
    assert not found(
        lambda at: {
            where("loop", "select", "main.main"): 20 - at % 7,
            where("nap", "sleep", "main.main"): at % 7,
        }
    )
    assert standing_trends([Counter()] * LOOKS, SECONDS, 10) == ()
