"""What a change adds: the runs of two revisions, number of iterations by number of iterations, taken apart.

A site is told by functions, not lines: the one that allocates, or in which goroutines stand, and the
program's own that led there. What a revision leaves of it after so many iterations, less what the other does,
is judged as any amount is: what rises in the same steps in both is gone, also under another name. Imports
``profile.frames`` and this room.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import numpy as np

from goretain.gate.measure import Measured, verdict_of
from goretain.gate.run import Retained, Run, Stack
from goretain.gate.series import Series
from goretain.profile.columns import I64
from goretain.profile.frames import own_frame

#: What a change did to a site.
Course = Literal["new", "more", "less", "gone"]
#: Functions that a site is known by.
Functions = tuple[str, str]

_Value = TypeVar("_Value")
_Amounts = Mapping[Functions, list[int]]
#: Functions without names have numbers, which move when one is added before them.
_NUMBERS = re.compile(r"\.(?:func|gowrap)\d+(?:\.\d+)*|-range\d+")


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """What a change does to a benchmark.

    Attributes:
        added: what the head leaves more; courses: of its call stacks that grow or are undecided.
        removed: what it leaves less, None where there is nothing to compare; less: of its call stacks.
    """

    added: Measured
    courses: Mapping[Stack, Course] = field(default_factory=dict)
    removed: Measured | None = None
    less: Mapping[Stack, Course] = field(default_factory=dict)


def compare(head: Measured, base: Measured | None) -> Compared:
    """Compare a benchmark with what it was; without a base all that grows is new."""
    if head.series is None:
        return Compared(head)
    if base is None or base.series is None:
        return Compared(head, dict.fromkeys(_growing(head), "new"))
    both = np.intersect1d(head.series.iterations, base.series.iterations)
    ours, theirs = _by_site(head.series, both), _by_site(base.series, both)
    names = _renamed(ours, theirs)
    theirs = _with_names(theirs, names)
    stopped = head.stopped if len(both) == len(head.series.iterations) else base.stopped

    def less(one: _Sites, other: _Sites) -> Measured:
        return verdict_of(head.name, _differences(one, other), stopped)

    added, removed = less(ours, theirs), less(theirs, ours)
    known = {**names.memory, **names.standing}
    before = {known.get(_site(stack), _site(stack)) for stack in _growing(base)}
    after = {_site(stack) for stack in _growing(head)}
    return Compared(
        added,
        {stack: "more" if _site(stack) in before else "new" for stack in _growing(added)},
        removed,
        {stack: "less" if _site(stack) in after else "gone" for stack in _growing(removed)},
    )


def _growing(measured: Measured) -> list[Stack]:
    """The call stacks of memory and goroutines that do not settle."""
    return [
        *(site.stack for site in measured.sites if site.bytes.trend != "settles"),
        *(one.stack for one in measured.standing if one.count.trend != "settles"),
    ]


def _site(stack: Stack) -> Functions:
    names = (stack[0].function, own_frame(stack).function) if stack else ("", "")
    return _NUMBERS.sub(".func", names[0]), _NUMBERS.sub(".func", names[1])


@dataclass(frozen=True, slots=True, eq=False)
class _Sites:
    """A series by site: the call stack that stands for each, and int64[r] of it; the rest as in a Series."""

    iterations: I64
    stacks: Mapping[Functions, Stack]
    bytes: Mapping[Functions, I64]
    objects: Mapping[Functions, I64]
    standing: Mapping[Functions, Stack]
    goroutines: Mapping[Functions, I64]
    seconds: Sequence[float]
    rss_bytes: Sequence[int]


def _by_site(series: Series, iterations: I64) -> _Sites:
    """Runs of so many iterations; the call stack with most in the end stands for its site."""
    at = np.searchsorted(series.iterations, iterations)
    return _Sites(
        iterations,
        _heaviest(series.stacks, series.bytes[:, -1]),
        _sums(series.stacks, series.bytes[:, at]),
        _sums(series.stacks, series.objects[:, at]),
        _heaviest(series.standing, series.goroutines[:, -1]),
        _sums(series.standing, series.goroutines[:, at]),
        [series.seconds[run] for run in at.tolist()],
        [series.rss_bytes[run] for run in at.tolist()],
    )


def _heaviest(stacks: Sequence[Stack], last: I64) -> dict[Functions, Stack]:
    order = np.argsort(last, kind="stable").tolist()
    return {_site(stacks[at]): stacks[at] for at in order}


def _sums(stacks: Sequence[Stack], rows: I64) -> dict[Functions, I64]:
    found: dict[Functions, I64] = {}
    for stack, row in zip(stacks, rows, strict=True):
        site = _site(stack)
        found[site] = found[site] + row if site in found else row
    return found


@dataclass(frozen=True, slots=True)
class _Names:
    """Sites of the base that the head has under another name: of memory, and of goroutines."""

    memory: Mapping[Functions, Functions]
    standing: Mapping[Functions, Functions]


def _renamed(ours: _Sites, theirs: _Sites) -> _Names:
    """What was renamed or moved adds nothing: sites that one revision alone has and that leave the same after
    every run."""
    return _Names(_pairs(_amounts(ours), _amounts(theirs)), _pairs(_standing(ours), _standing(theirs)))


def _pairs(mine: _Amounts, other: _Amounts) -> dict[Functions, Functions]:
    """The base's name -> the head's."""
    pairs: dict[Functions, Functions] = {}
    left = {site: amount for site, amount in mine.items() if site not in other and any(amount)}
    for site, amount in other.items():
        same = next((name for name in left if left[name] == amount), None)
        if site not in mine and same is not None:
            pairs[site] = same
            del left[same]
    return pairs


def _amounts(sites: _Sites) -> _Amounts:
    return {site: [*size.tolist(), *sites.objects[site].tolist()] for site, size in sites.bytes.items()}


def _standing(sites: _Sites) -> _Amounts:
    return {site: count.tolist() for site, count in sites.goroutines.items()}


def _with_names(sites: _Sites, names: _Names) -> _Sites:
    """The sites under the head's names."""
    memory, standing = names.memory, names.standing
    return replace(
        sites,
        stacks=_under(memory, sites.stacks),
        bytes=_under(memory, sites.bytes),
        objects=_under(memory, sites.objects),
        standing=_under(standing, sites.standing),
        goroutines=_under(standing, sites.goroutines),
    )


def _under(names: Mapping[Functions, Functions], of: Mapping[Functions, _Value]) -> dict[Functions, _Value]:
    return {names.get(site, site): value for site, value in of.items()}


def _differences(one: _Sites, other: _Sites) -> list[Run]:
    """Runs that left what one did less what the other did."""
    nothing = np.zeros(len(one.iterations), np.int64)

    def taken(of: Callable[[_Sites], Mapping[Functions, I64]], site: Functions) -> list[int]:
        difference: list[int] = (of(one).get(site, nothing) - of(other).get(site, nothing)).tolist()
        return difference

    memory = {
        stack: (taken(lambda its: its.bytes, site), taken(lambda its: its.objects, site))
        for site, stack in {**other.stacks, **one.stacks}.items()
    }
    standing = {
        stack: taken(lambda its: its.goroutines, site)
        for site, stack in {**other.standing, **one.standing}.items()
    }
    return [
        Run(
            iterations,
            {stack: Retained(size[at], objects[at]) for stack, (size, objects) in memory.items()},
            {stack: count[at] for stack, count in standing.items()},
            max(one.seconds[at], other.seconds[at]),
            max(one.rss_bytes[at], other.rss_bytes[at]),
        )
        for at, iterations in enumerate(one.iterations.tolist())
    ]
