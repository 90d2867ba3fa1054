"""A trace in memory: columns over events, and the texts, stacks and types that they name.

Imports ``kernels``, ``snapshot`` for its Frame, and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from goretain.kernels import tracewire as wire
from goretain.kernels.tracewire import I64, Entries, Events
from goretain.snapshot import Frame

#: Generation and number: every generation has tables of its own.
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class TracedType:
    """A type of objects: its name without the paths of packages, and the bytes of one value."""

    name: str
    size: int


@dataclass(frozen=True, eq=False)
class Tables:
    """What events name by number.

    Attributes:
        texts: key -> text; types: key -> type, of a trace with allocations.
        stacks: key -> where in ``numbers`` its frames begin, and how many there are.
        numbers: int64[m]; of a frame address, text of the function, text of the file, line; innermost first.
        samples: how many CPU samples.
        traces_objects: whether allocations are traced.
    """

    texts: dict[Key, str]
    stacks: dict[Key, tuple[int, int]]
    types: dict[Key, TracedType]
    numbers: I64
    samples: int
    traces_objects: bool

    @classmethod
    def of(cls, data: bytes, batches: I64, entries: Entries) -> Tables:
        """The tables of a trace's entries."""
        texts: dict[Key, str] = {}
        stacks: dict[Key, tuple[int, int]] = {}
        types: dict[Key, TracedType] = {}
        generations = batches[entries.batch, wire.GENERATION]
        tables = (wire.STRING, wire.STACK, wire.TYPE)
        chosen = np.flatnonzero(np.isin(entries.kind, tables))
        kinds, numbers = entries.kind[chosen].tolist(), entries.numbers
        for kind, generation, at in zip(
            kinds, generations[chosen].tolist(), entries.first[chosen].tolist(), strict=True
        ):
            key = (generation, int(numbers[at]))
            if kind == wire.STACK:
                stacks[key] = (at + 2, int(numbers[at + 1]))
            elif kind == wire.STRING:
                texts[key] = _text(data, numbers[at + 1 : at + 3])
            else:
                types[key] = TracedType(_text(data, numbers[at + 4 : at + 6]), int(numbers[at + 2]))
        return cls(
            texts=texts,
            stacks=stacks,
            types=types,
            numbers=numbers,
            samples=int((entries.kind == wire.SAMPLE).sum()),
            traces_objects=bool((entries.kind == wire.LAYOUT).any()),
        )

    def text(self, generation: int, number: int) -> str:
        """A text, "" for none."""
        return self.texts.get((generation, number), "")

    def frames(self, generation: int, number: int) -> tuple[Frame, ...]:
        """A stack, innermost first; () for none."""
        start, count = self.stacks.get((generation, number), (0, 0))
        rows = self.numbers[start : start + 4 * count].reshape(count, 4).tolist()
        return tuple(
            Frame(self.text(generation, function), self.text(generation, file), line)
            for _, function, file, line in rows
        )


@dataclass(frozen=True, eq=False)
class Trace:
    """One trace.

    Attributes:
        name: as the user named it.
        version: of the format: 26 is that of Go 1.26.
        batches: as the kernel lists them.
        events: by thread, in its order.
        tables: what they name.
        cut_off: whether its end is missing; before Go 1.26 nobody can tell.
    """

    name: str
    version: int
    batches: I64
    events: Events
    tables: Tables
    cut_off: bool

    def __len__(self) -> int:
        return len(self.events.kind)

    @property
    def time(self) -> I64:
        """int64[n]: nanoseconds since the trace began."""
        return self.events.time

    @cached_property
    def duration_ns(self) -> int:
        """From the beginning to the last event."""
        return int(self.time.max())

    def select(self, *kinds: int) -> I64:
        """int64[k]: the events of some kinds, in the order of time."""
        chosen = np.flatnonzero(np.isin(self.events.kind, kinds))
        ordered: I64 = chosen[np.argsort(self.time[chosen], kind="stable")]
        return ordered

    def number(self, rows: I64, place: int) -> I64:
        """int64[k]: a number of events, 0 the first behind the time."""
        numbers: I64 = self.events.numbers[self.events.first[rows] + place]
        return numbers

    def generation(self, rows: I64) -> I64:
        """int64[k]: whose tables events name."""
        generations: I64 = self.batches[self.events.batch[rows], wire.GENERATION]
        return generations


def _text(data: bytes, where: I64) -> str:
    offset, size = where.tolist()
    return data[offset : offset + size].decode("utf-8", "replace")
