"""A profile in memory: columns over samples, and the call stacks that they name.

Every reader of this package makes one of these, whatever the format was. Amounts are scaled: estimates
of what the program did, as ``go tool pprof`` shows them, never the raw counts of samples; those are in
:mod:`goretain.profile.sites.sampling`. Stacks are told apart by functions, files and lines, never by
addresses, so that profiles of two processes, and of one before and after a restart, can be laid side by side.
Imports ``snapshot`` for its Frame, and numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.snapshot import Frame

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

ALLOC_OBJECTS, ALLOC_SPACE = "alloc_objects", "alloc_space"
INUSE_OBJECTS, INUSE_SPACE = "inuse_objects", "inuse_space"
HEAP_TYPES = (ALLOC_OBJECTS, ALLOC_SPACE, INUSE_OBJECTS, INUSE_SPACE)


class ValueType(NamedTuple):
    """What the values of a column are: ``inuse_space`` in ``bytes``."""

    name: str
    unit: str


class Label(NamedTuple):
    """A label of samples (runtime/pprof.Do); value is a text, or a number with a unit ("" none)."""

    key: str
    value: str | int
    unit: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Stacks:
    """Call stacks, each once, as rows of frames.

    Attributes:
        names: functions and files.
        function, file: int32[f] into names; line: int64[f], 0 unknown; of each frame, which occurs once.
        start: int64[s + 1], frame: int32[start[s]]: the frames of stack i are frame[start[i]:start[i + 1]],
            innermost first, inlined ones too.
    """

    names: list[str]
    function: I32
    file: I32
    line: I64
    start: I64
    frame: I32

    def __len__(self) -> int:
        return len(self.start) - 1

    def frame_at(self, number: int) -> Frame:
        """One frame by its number."""
        return Frame(self.names[self.function[number]], self.names[self.file[number]], int(self.line[number]))

    def frames(self, stack: int) -> tuple[Frame, ...]:
        """The frames of a stack, innermost first."""
        return tuple(map(self.frame_at, self.frame[self.start[stack] : self.start[stack + 1]].tolist()))


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """One profile.

    Attributes:
        types: of the columns of values, which need not be those of a heap profile.
        stacks: which samples name.
        stack: int32[n], of each sample; values: int64[n, len(types)], scaled.
        object_size: int64[n], bytes of each object of a sample, -1 unknown (a heap profile's label
            ``bytes``).
        label_set: int32[n] into label_sets; the first is the empty one.
        default_type: the column that the profile is about, "" when it does not say.
        period_type, period: one sample in so many, of a heap profile the rate in bytes. None unknown.
        time_ns: when it was taken, Unix nanoseconds; duration_ns: what it covers. None unknown.
        program, build_id: of the first mapping, "" unknown.
        comments: free texts.
    """

    types: tuple[ValueType, ...]
    stacks: Stacks
    stack: I32
    values: I64
    object_size: I64
    label_set: I32
    label_sets: tuple[tuple[Label, ...], ...] = ((),)
    default_type: str = ""
    period_type: ValueType | None = None
    period: int | None = None
    time_ns: int | None = None
    duration_ns: int | None = None
    program: str = ""
    build_id: str = ""
    comments: tuple[str, ...] = ()

    def column(self, name: str) -> I64 | None:
        """int64[n], the values of one type; None when the profile has none."""
        for at, kind in enumerate(self.types):
            if kind.name == name:
                return self.values[:, at]
        return None

    @property
    def is_heap(self) -> bool:
        """Whether it has the four columns of Go's heap profile."""
        return {kind.name for kind in self.types} >= set(HEAP_TYPES)


@dataclass(slots=True)
class StackTable:
    """Stacks under construction: names, frames and stacks are kept once."""

    _names: dict[str, int] = field(default_factory=dict)
    _frames: dict[tuple[int, int, int], int] = field(default_factory=dict)
    _stacks: dict[tuple[int, ...], int] = field(default_factory=dict)

    def frame(self, function: str, file: str = "", line: int = 0) -> int:
        """Number of a frame."""
        key = (self._name(function), self._name(file), line)
        return self._frames.setdefault(key, len(self._frames))

    def stack(self, frames: tuple[int, ...]) -> int:
        """Number of a stack of such frames, innermost first."""
        return self._stacks.setdefault(frames, len(self._stacks))

    def _name(self, text: str) -> int:
        return self._names.setdefault(text, len(self._names))

    def columns(self) -> Stacks:
        """What was put in so far."""
        function, file, line = zip(*self._frames, strict=True) if self._frames else ((), (), ())
        start = np.zeros(len(self._stacks) + 1, np.int64)
        np.cumsum([len(stack) for stack in self._stacks], out=start[1:])
        frames = (number for stack in self._stacks for number in stack)
        return Stacks(
            names=list(self._names),
            function=np.array(function, np.int32),
            file=np.array(file, np.int32),
            line=np.array(line, np.int64),
            start=start,
            frame=np.fromiter(frames, np.int32, int(start[-1])),
        )


def table(rows: Sequence[Sequence[int]], width: int) -> I64:
    """int64[len(rows), width]; also of no rows."""
    return np.array(rows, np.int64).reshape(len(rows), width)
