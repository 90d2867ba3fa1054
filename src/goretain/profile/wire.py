"""Reads many pprof profiles, or large ones, with compiled kernels and adds them up.

Samples of one stack, object size and set of labels are one; stacks and names are kept once for all profiles.
What the kernels find unusual or damaged they leave to :mod:`goretain.profile.pprof`, so both readers say the
same of every file. Numbers in hashes are drawn anew for every run: nobody can make a profile whose stacks
collide. Imports ``golang.packages``, ``kernels`` and this package.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from goretain.golang.packages import display_name
from goretain.kernels import profilewire as wire
from goretain.profile.columns import I32, I64, Label, Profile, Stacks, StackTable, ValueType
from goretain.profile.pprof import MOST_FRAMES

Numbers = TypeVar("Numbers", NDArray[np.int32], NDArray[np.int64])

_LEAST = 1024
#: Ids of locations and functions may be so many times as large as their number.
_SPARSE = 4


class _Unusual(Exception):
    """Something that protobuf's own parser should look at."""


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """A profile of which nothing was found wrong; columns.reference and line_function are indexes.

    frames: of all samples together. types, period_type, period: as of a Profile.
    """

    data: bytes
    columns: wire.Columns
    frames: int
    types: tuple[ValueType, ...]
    period_type: ValueType | None
    period: int | None

    @property
    def kind(self) -> tuple[object, ...]:
        """Profiles of one kind can be added up, and the number of their samples still be told."""
        return self.types, self.period_type, self.period


def parse(data: bytes) -> Parsed | None:
    """A profile's columns; None where protobuf's own parser should look at it."""
    try:
        return _parse(data)
    except (_Unusual, IndexError):
        return None


def _parse(data: bytes) -> Parsed:
    octets = np.frombuffer(data, np.uint8)
    counts = np.zeros(wire.COUNTERS, np.int64)
    _fine(wire.measure(octets, counts))
    columns = _room(counts)
    _fine(wire.extract(octets, columns, np.zeros(10, np.int64)))
    if not len(columns.types) or (len(columns.text_size) and columns.text_size[0]):
        raise _Unusual
    _to_indexes(columns.reference[: columns.first_reference[-1]], columns.location_id)
    _to_indexes(columns.line_function[: columns.first_line[-1]], columns.function[:, 0])
    frames = int(np.diff(columns.first_line)[columns.reference[: columns.first_reference[-1]]].sum())
    if frames > MOST_FRAMES:
        raise _Unusual
    has_period = counts[wire.FIELD_COUNT + wire.PERIOD_TYPE] > 0
    period = int(columns.single[wire.PERIOD])
    return Parsed(
        data=data,
        columns=columns,
        frames=frames,
        types=tuple(ValueType(*_texts(data, columns, kind)) for kind in columns.types),
        period_type=ValueType(*_texts(data, columns, columns.period_type)) if has_period else None,
        period=period if period > 0 else None,
    )


def _fine(status: int) -> None:
    if status >= 0:
        raise _Unusual


def _room(counts: I64) -> wire.Columns:
    """Columns for what was counted: 0, but size -1; what ``extract`` writes in full is not cleared."""
    of = counts[wire.FIELD_COUNT :].tolist()
    references, labels, lines = counts[: wire.FIELD_COUNT].tolist()

    def zeros(*shape: int) -> I64:
        return np.zeros(shape, np.int64)

    def room(*shape: int) -> I64:
        return np.empty(shape, np.int64)

    return wire.Columns(
        types=zeros(of[wire.SAMPLE_TYPE], 2),
        period_type=zeros(2),
        first_reference=zeros(of[wire.SAMPLE] + 1),
        reference=room(references),
        value=room(of[wire.SAMPLE], of[wire.SAMPLE_TYPE]),
        size=np.full(of[wire.SAMPLE], -1, np.int64),
        label=zeros(labels, 5),
        label_count=zeros(1),
        location_id=zeros(of[wire.LOCATION]),
        first_line=zeros(of[wire.LOCATION] + 1),
        line_function=room(lines),
        line=room(lines),
        function=zeros(of[wire.FUNCTION], 3),
        mapping=zeros(2),
        text_at=room(of[wire.STRING]),
        text_size=room(of[wire.STRING]),
        single=zeros(16),
        comment=zeros(of[wire.COMMENT]),
    )


def _to_indexes(ids: I64, known: I64) -> None:
    """Replace ids by the index of the last that is known by it."""
    if not len(ids):
        return
    if not len(known) or known.min() < 0 or known.max() > _SPARSE * len(known) + _LEAST:
        raise _Unusual
    table = np.full(int(known.max()) + 1, -1, np.int64)
    table[known] = np.arange(len(known))
    if ids.min() < 0 or ids.max() >= len(table):
        raise _Unusual
    ids[:] = table[ids]
    if ids.min() < 0:
        raise _Unusual


def _texts(data: bytes, columns: wire.Columns, numbers: I64) -> list[str]:
    return [_bytes(data, columns, number).decode("utf-8", "backslashreplace") for number in numbers.tolist()]


def _bytes(data: bytes, columns: wire.Columns, number: int) -> bytes:
    if number == 0:
        return b""
    if not 0 < number < len(columns.text_at):
        raise _Unusual
    at = int(columns.text_at[number])
    return data[at : at + int(columns.text_size[number])]


class _Pairs:
    """Pairs of numbers, each with a number of its own."""

    def __init__(self, factor: int) -> None:
        self._factor = factor
        self._used = np.zeros(1, np.int64)
        self._key = np.zeros((_LEAST, 2), np.int64)
        self._slot = np.zeros(2 * _LEAST, np.int32)

    def __len__(self) -> int:
        return int(self._used[0])

    @property
    def keys(self) -> I64:
        """int64[n, 2], the pairs by their number."""
        return self._key[: len(self)]

    def numbers(self, first: I64, second: I64) -> I32:
        """int32[n]: the numbers of pairs, given where they are new."""
        room = len(self) + len(first)
        if room > len(self._key):
            self._key = np.concatenate([self.keys, np.zeros((2 * room - len(self), 2), np.int64)])
            self._slot = np.zeros(2 << int(2 * room - 1).bit_length(), np.int32)
            wire.place_pairs(self._key, len(self), self._factor, self._slot)
        out = np.zeros(len(first), np.int32)
        wire.intern_pairs(first, second, self._factor, self._key, self._slot, self._used, out)
        return out


class Sum:
    """Profiles of one kind, added up."""

    def __init__(self) -> None:
        self._factor = secrets.randbits(62) * 2 + 1
        self._functions: dict[bytes, int] = {}
        self._files: dict[bytes, int] = {}
        self._names: dict[str, int] = {}
        self._function_pairs = _Pairs(self._factor)
        self._frames = _Pairs(self._factor)
        self._details = _Pairs(self._factor)
        self._rows = _Pairs(self._factor)
        self._label_sets: dict[tuple[Label, ...], int] = {(): 0}
        self._values = np.zeros((0, 0), np.int64)
        self._stacks = wire.Pool(
            used=np.zeros(2, np.int64),
            start=np.zeros(_LEAST + 1, np.int64),
            frame=np.zeros(16 * _LEAST, np.int32),
            hash=np.zeros(_LEAST, np.int64),
            slot=np.zeros(2 * _LEAST, np.int32),
        )
        self._first: Parsed | None = None
        self._times: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._times)

    def add(self, parsed: Parsed) -> bool:
        """Add a profile of the same kind; False where protobuf's own parser should look at it."""
        columns = parsed.columns
        try:
            frames = self._numbered_frames(parsed)
            labels = self._labels(parsed)
            head(parsed)
        except _Unusual:
            return False
        stacks = self._numbered_stacks(parsed, frames)
        details = self._details.numbers(columns.size, labels)
        rows = self._rows.numbers(stacks.astype(np.int64), details.astype(np.int64))
        if len(self._rows) > len(self._values):
            grown = np.zeros((2 * len(self._rows), len(parsed.types)), np.int64)
            if len(self._values):
                grown[: len(self._values)] = self._values
            self._values = grown
        wire.add_rows(rows, columns.value, self._values)
        self._first = self._first or parsed
        self._times.append(int(columns.single[wire.TIME]))
        return True

    def _numbered_frames(self, parsed: Parsed) -> I32:
        """int32[lines], the frame of each line of code."""
        columns, data = parsed.columns, parsed.data
        functions = columns.function
        names = self._numbered_texts(data, columns, functions[:, 1], self._functions, display_name)
        files = self._numbered_texts(data, columns, functions[:, 2], self._files, str)
        numbers = self._function_pairs.numbers(names, files).astype(np.int64)
        used = int(columns.first_line[-1])
        return self._frames.numbers(numbers[columns.line_function[:used]], columns.line[:used])

    def _numbered_texts(
        self,
        data: bytes,
        columns: wire.Columns,
        texts: I64,
        known: dict[bytes, int],
        shown: Callable[[str], str],
    ) -> I64:
        """The names that texts stand for."""
        wanted, inverse = np.unique(texts, return_inverse=True)
        if len(wanted) and (wanted[0] < 0 or wanted[-1] >= len(columns.text_at)):
            raise _Unusual
        begins = columns.text_at[wanted]
        ends = begins + columns.text_size[wanted]
        numbers: list[int] = []
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            raw = data[begin:end]
            number = known.get(raw)
            if number is None:
                name = shown(raw.decode("utf-8", "backslashreplace"))
                number = known[raw] = self._names.setdefault(name, len(self._names))
            numbers.append(number)
        return np.array(numbers, np.int64)[inverse]

    def _labels(self, parsed: Parsed) -> I64:
        """int64[n], the set of labels of each sample."""
        columns = parsed.columns
        sets = np.zeros(len(columns.size), np.int64)
        found: dict[int, list[Label]] = {}
        for sample, key, text, number, unit in columns.label[: columns.label_count[0]].tolist():
            name, value, measure = _texts(parsed.data, columns, np.array([key, text, unit]))
            found.setdefault(sample, []).append(Label(name, value) if text else Label(name, number, measure))
        for sample, labels in found.items():
            sets[sample] = self._label_sets.setdefault(tuple(labels), len(self._label_sets))
        return sets

    def _numbered_stacks(self, parsed: Parsed, frames: I32) -> I32:
        """int32[n], the stack of each sample."""
        columns = parsed.columns
        hashes = np.zeros((len(columns.location_id), 3), np.int64)
        wire.hash_locations(columns.first_line, frames, self._factor, hashes)
        self._make_room(len(columns.size), parsed.frames)
        out = np.zeros(len(columns.size), np.int32)
        wire.intern_stacks(self._stacks, columns, frames, hashes, out)
        return out

    def _make_room(self, stacks: int, frames: int) -> None:
        pool, (used, used_frames) = self._stacks, self._stacks.used.tolist()
        frame = _longer(pool.frame, used_frames + frames)
        if used + stacks > len(pool.hash):
            hashes = _longer(pool.hash, used + stacks)
            slot = np.zeros(2 << int(len(hashes) - 1).bit_length(), np.int32)
            wire.place_stacks(hashes, used, slot)
            start = np.zeros(len(hashes) + 1, np.int64)
            start[: used + 1] = pool.start[: used + 1]
            pool = pool._replace(start=start, hash=hashes, slot=slot)
        self._stacks = pool._replace(frame=frame)

    def profile(self) -> Profile:
        """The sum; what only a single profile has (a time span, comments) is of that one alone."""
        first, pool = self._first, self._stacks
        assert first is not None  # something was added
        stacks, frames = pool.used.tolist()
        function, line = self._frames.keys.T
        details = self._details.keys[self._rows.keys[:, 1]]
        whole = replace(
            head(first),
            stacks=Stacks(
                names=list(self._names),
                function=self._function_pairs.keys[function, 0].astype(np.int32),
                file=self._function_pairs.keys[function, 1].astype(np.int32),
                line=line.copy(),
                start=pool.start[: stacks + 1].copy(),
                frame=pool.frame[:frames].copy(),
            ),
            stack=self._rows.keys[:, 0].astype(np.int32),
            values=self._values[: len(self._rows)].copy(),
            object_size=details[:, 0].copy(),
            label_set=details[:, 1].astype(np.int32),
            label_sets=tuple(self._label_sets),
        )
        if len(self._times) == 1:
            return whole
        return replace(whole, time_ns=max(self._times) or None, duration_ns=None, comments=())


def head(parsed: Parsed) -> Profile:
    """All of a profile but its samples."""
    columns, data = parsed.columns, parsed.data
    default, program, build = _texts(
        data, columns, np.array([columns.single[wire.DEFAULT_TYPE], *columns.mapping])
    )
    none = np.zeros(0, np.int32)
    return Profile(
        types=parsed.types,
        stacks=StackTable().columns(),
        stack=none,
        values=np.zeros((0, len(parsed.types)), np.int64),
        object_size=none.astype(np.int64),
        label_set=none,
        default_type=default,
        period_type=parsed.period_type,
        period=parsed.period,
        time_ns=int(columns.single[wire.TIME]) or None,
        duration_ns=int(columns.single[wire.DURATION]) or None,
        program=program,
        build_id=build,
        comments=tuple(_texts(data, columns, columns.comment[: columns.single[wire.COMMENT]])),
    )


def _longer(array: Numbers, room: int) -> Numbers:
    """The array, or a copy with room for more."""
    if room <= len(array):
        return array
    return np.concatenate([array, np.zeros(2 * room - len(array), array.dtype)])
