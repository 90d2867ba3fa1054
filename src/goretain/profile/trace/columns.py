"""A trace in memory: columns over events, and the texts, stacks and types that they name.

Imports ``kernels``, ``snapshot`` for its Frame, numpy and this room.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from goretain.kernels import tracewire as wire
from goretain.kernels.traceorder import list_kinds
from goretain.kernels.tracewire import I32, I64, U8, Entries, Events
from goretain.profile.trace.events import LISTED, Event
from goretain.snapshot import Frame

#: Generation and number: every generation has tables of its own.
Key = tuple[int, int]
#: Numbers up to which a table is small beside what an event takes anyway.
_TABLE = 1 << 16


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
        data: its bytes, which events and tables point into.
        batches: as the kernel lists them.
        counts: int64[256], how many events there are of each kind.
        events: by thread, in its order; those of kinds that are stored.
        tables: what they name.
        duration_ns: from the beginning to the last event.
        cut_off: whether its end is missing; before Go 1.26 nobody can tell.
    """

    name: str
    version: int
    data: U8
    batches: I64
    counts: I64
    events: Events
    tables: Tables
    duration_ns: int
    cut_off: bool

    def __len__(self) -> int:
        return int(self.counts.sum())

    @property
    def time(self) -> I64:
        """int64[n]: nanoseconds since the trace began."""
        return self.events.time

    @cached_property
    def _listed(self) -> tuple[I64, I32]:
        """(where the events of each kind begin, the events of each listed kind in the order of threads)."""
        start = np.concatenate(([0], np.cumsum(self.counts * LISTED)))
        rows = np.empty(int(start[-1]), np.int32)
        list_kinds(self.events.kind, LISTED, start[:-1].copy(), rows)
        return start, rows

    def listed(self, kind: Event) -> I32:
        """int32[k]: the events of a listed kind, in the order of threads."""
        start, rows = self._listed
        return rows[start[kind] : start[kind + 1]]

    def select(self, *kinds: Event) -> I64:
        """int64[k]: the events of some listed kinds, in the order of threads."""
        return np.sort(np.concatenate([self.listed(kind) for kind in kinds]).astype(np.int64))

    def count(self, *kinds: Event) -> int:
        """How many events of some kinds there are."""
        return int(self.counts[list(kinds)].sum())

    def number(self, rows: I64, place: int) -> I64:
        """int64[k]: a number of events, 0 the first behind the time."""
        numbers = np.empty(len(rows), np.int64)
        wire.read_numbers(self.data, self.events.at, rows, place, numbers)
        return numbers

    def batch(self, rows: I64) -> I64:
        """int64[k, 7]: the batches of events."""
        at = np.searchsorted(self.events.start, rows, "right") - 1
        batches: I64 = self.batches[self.events.row[at]]
        return batches

    def generation(self, rows: I64) -> I64:
        """int64[k]: whose tables events name."""
        return self.batch(rows)[:, wire.GENERATION]


def distinct(*columns: I64) -> tuple[I64, I64]:
    """(one row of each different one, which of them each row is)."""
    keys = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        values, which = _numbered(column)
        _, keys = _numbered(keys * len(values) + which)
    one = np.zeros(int(keys.max(initial=-1)) + 1, np.int64)
    one[keys] = np.arange(len(keys))
    return one, keys


def _numbered(values: I64) -> tuple[I64, I64]:
    """(the different values in order, which of them each is)."""
    if not len(values):
        return values, values
    least, most = int(values.min()), int(values.max())
    if most - least > _TABLE + 4 * len(values):
        found, which = np.unique(values, return_inverse=True)
        return found, which
    # Numbers that a trace gives to texts and stacks are small: a table does what sorting would.
    here = np.zeros(most - least + 1, np.bool_)
    here[values - least] = True
    return np.flatnonzero(here) + least, (np.cumsum(here) - 1)[values - least]


def _text(data: bytes, where: I64) -> str:
    offset, size = where.tolist()
    return data[offset : offset + size].decode("utf-8", "replace")
