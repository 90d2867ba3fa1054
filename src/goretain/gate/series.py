"""Runs of one benchmark side by side: columns per call stack over growing numbers of iterations.

Numbers of iterations are three to a doubling, and primes: what a cache of any size holds when it is emptied
whenever it is full must not look like growth because the numbers fall in step with its size. Imports numpy,
``profile.frames`` and this room.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from goretain.gate.run import Retained, Run, Stack
from goretain.profile.columns import I64
from goretain.profile.frames import layer_of
from goretain.snapshot import Layer

#: Runs within one doubling of the iterations.
AN_OCTAVE = 3
_FIRST = 4


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """What runs of one benchmark left.

    Attributes:
        iterations: int64[r], of each run, rising.
        stacks: call stacks that had something in use after any run, but those of the runtime alone.
        bytes, objects: int64[len(stacks), r].
        standing: call stacks that goroutines stood at; goroutines: int64[len(standing), r].
        seconds, rss_bytes: of each run: wall time, largest resident size.
    """

    iterations: I64
    stacks: tuple[Stack, ...]
    bytes: I64
    objects: I64
    standing: tuple[Stack, ...]
    goroutines: I64
    seconds: tuple[float, ...]
    rss_bytes: tuple[int, ...]


def ladder(most: int) -> Iterator[int]:
    """Numbers of iterations, three to a doubling, up to the first that is not below ``most``."""
    at, before = 0, 0
    while before < most:
        before = _prime(max(round(_FIRST * 2 ** (at / AN_OCTAVE)), before + 1))
        yield before
        at += 1


def side_by_side(runs: Sequence[Run]) -> Series:
    """The runs of one benchmark, in the order of their iterations."""
    nothing = Retained(0, 0)
    stacks = tuple(stack for stack in _all([run.retained for run in runs]) if not _is_runtime(stack))
    standing = _all([run.goroutines for run in runs])
    rows = [[run.retained.get(stack, nothing) for run in runs] for stack in stacks]
    shape = (len(stacks), len(runs))
    return Series(
        np.array([run.iterations for run in runs], np.int64),
        stacks,
        np.array([[one.bytes for one in row] for row in rows], np.int64).reshape(shape),
        np.array([[one.objects for one in row] for row in rows], np.int64).reshape(shape),
        standing,
        np.array([[run.goroutines.get(stack, 0) for run in runs] for stack in standing], np.int64).reshape(
            len(standing), len(runs)
        ),
        tuple(run.seconds for run in runs),
        tuple(run.rss_bytes for run in runs),
    )


def _all(runs: Sequence[Mapping[Stack, object]]) -> tuple[Stack, ...]:
    return tuple(dict.fromkeys(stack for run in runs for stack in run))


def _is_runtime(stack: Stack) -> bool:
    """Whether only the runtime had a part in it: threads, and what it keeps of goroutines that have ended; or
    package testing.
    """
    return all(
        layer_of(frame.function) == Layer.RUNTIME or frame.function.startswith("testing.") for frame in stack
    )


def _prime(least: int) -> int:
    """The first prime from ``least`` on."""
    number = max(least, 2)
    while any(number % divisor == 0 for divisor in range(2, int(number**0.5) + 1)):
        number += 1
    return number
