"""What a change adds to a benchmark, and what it takes away."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from goretain.gate.compare import compare
from goretain.gate.measure import Measured, verdict_of
from goretain.gate.run import Retained, Run
from goretain.gate.series import ladder
from goretain.snapshot import Frame

Left = Callable[[int], int]


def measured(
    sites: Mapping[tuple[str, int], Left],
    standing: Mapping[str, Left] | None = None,
    iterations: int = 600,
    from_: int = 0,
) -> Measured:
    """A benchmark whose functions, at lines, leave objects of 8 bytes by the number of iterations."""
    runs = [
        Run(
            count,
            {
                (Frame(name, "/src/a.go", line), Frame("main.BenchmarkX")): Retained(8 * of(count), of(count))
                for (name, line), of in sites.items()
            },
            {(Frame(name), Frame("main.wait")): of(count) for name, of in (standing or {}).items()},
            0.1,
            1,
        )
        for count in ladder(iterations)
        if count >= from_
    ]
    return verdict_of("BenchmarkX", runs, "iterations")


def doubling(count: int) -> int:
    """A slice that doubles."""
    return 1 << count.bit_length()


def found(head: Measured, base: Measured | None) -> dict[str, tuple[str, float | None]]:
    """Function -> course, and bytes or goroutines per iteration, of what grows."""
    compared = compare(head, base)
    rows: dict[str, tuple[str, float | None]] = {}
    sides = [(compared.added, compared.courses)]
    if compared.removed is not None:
        sides.append((compared.removed, compared.less))
    for side, courses in sides:
        for site in side.sites:
            if site.bytes.trend == "grows":
                rows[site.stack[0].function] = (courses[site.stack], site.bytes.rate)
        for one in side.standing:
            if one.count.trend == "grows":
                rows[one.stack[0].function] = (courses[one.stack], one.count.rate)
    return rows


def test_courses() -> None:
    base = measured(
        {
            ("main.same", 1): lambda n: 3 * n,
            ("main.more", 2): lambda n: n,
            ("main.less", 3): lambda n: 2 * n,
            ("main.gone", 4): lambda n: n,
            ("main.full", 5): lambda n: min(n, 40),
        },
        {"main.recv": lambda n: n},
    )
    head = measured(
        {
            ("main.same", 11): lambda n: 3 * n,
            ("main.more", 12): lambda n: 2 * n,
            ("main.less", 13): lambda n: n,
            ("main.full", 15): lambda n: n,
            ("main.new", 16): lambda n: 4 * n,
        },
        {"main.send": lambda n: 2 * n},
    )
    assert found(head, base) == {
        "main.more": ("more", 8.0),
        "main.full": ("new", 8.0),
        "main.new": ("new", 32.0),
        "main.less": ("less", 8.0),
        "main.gone": ("gone", 8.0),
        "main.send": ("new", 2.0),
        "main.recv": ("gone", 1.0),
    }


def test_nothing_is_added_where_nothing_changed_but_lines() -> None:
    sites: dict[str, Left] = {"main.f": lambda n: n, "main.g": doubling, "main.h": lambda n: n // 16}
    base = measured({(name, 1): left for name, left in sites.items()})
    head = measured({(name, 2): left for name, left in sites.items()})
    assert compare(head, base).added.trend == "settles"
    assert found(head, base) == {}


def test_steps_of_both_do_not_hide_what_is_added() -> None:
    base = measured({("main.g", 1): doubling})
    head = measured({("main.g", 1): lambda n: doubling(n) + n // 2})
    ((course, rate),) = found(head, base).values()
    assert course == "more"
    assert rate == pytest.approx(4, abs=0.2)


def test_functions_without_names_are_those_of_their_function() -> None:
    base = measured({("main.f.func1", 1): lambda n: n, ("main.f.gowrap1", 1): lambda n: n})
    head = measured({("main.f.func2.1", 9): lambda n: n, ("main.f.func3", 9): lambda n: n})
    assert found(head, base) == {}


def test_only_numbers_of_iterations_that_both_ran_are_compared() -> None:
    base = measured({("main.f", 1): lambda n: n}, iterations=600, from_=10)
    head = measured({("main.f", 1): lambda n: 2 * n}, iterations=5000)
    for one, other, course in ((head, base, "more"), (base, head, "less")):
        compared = compare(one, other)
        assert compared.added.series is not None
        assert base.series is not None
        assert compared.added.series.iterations.tolist() == base.series.iterations.tolist()
        assert found(one, other) == {"main.f": (course, 8.0)}


def test_without_a_base_all_is_new() -> None:
    head = measured({("main.f", 1): lambda n: n})
    skipped = Measured("BenchmarkX", skipped=True)
    for base in (None, skipped):
        assert found(head, base) == {"main.f": ("new", 8.0)}
    assert compare(skipped, head).added is skipped


def test_what_was_renamed_adds_nothing() -> None:
    base = measured({("main.old", 1): doubling, ("main.stays", 2): lambda n: n}, {"main.waits": lambda n: n})
    head = measured({("main.new", 9): doubling, ("main.stays", 3): lambda n: n}, {"main.parks": lambda n: n})
    assert found(head, base) == {}
    other = measured({("main.new", 9): lambda n: 2 * n, ("main.stays", 3): lambda n: n})
    assert {name: course for name, (course, _) in found(other, base).items()} == {
        "main.new": "new",
        "main.old": "gone",
        "main.waits": "gone",
    }
