"""Profiles added up: those that kernels read.

Samples of one stack, object size and set of labels are one; stacks and names are kept once for all profiles.
Numbers in hashes are drawn anew for every run: nobody can make a profile whose stacks collide. Imports
``golang.packages``, ``kernels``, ``profile.columns`` and this room.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from goretain.golang.packages import display_name
from goretain.kernels import profilewire as wire
from goretain.profile.columns import I32, I64, Label, Profile, Stacks
from goretain.profile.readers.pprof.names import Names
from goretain.profile.readers.pprof.wire import Parsed, Unusual, head, parse, texts_of

Numbers = TypeVar("Numbers", NDArray[np.int32], NDArray[np.int64])

_LEAST = 1024


def read_compiled(data: bytes) -> Profile | None:
    """A single profile; None where protobuf's own parser should look at it."""
    parsed, whole = parse(data), Sum()
    return whole.profile() if parsed is not None and whole.add(parsed) else None


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
        self._names: dict[str, int] = {}
        self._functions = Names(self._factor, self._names, display_name)
        self._files = Names(self._factor, self._names, str)
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
        self._first: Profile | None = None
        self._times: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._times)

    def add(self, parsed: Parsed) -> Profile | None:
        """Add a profile of the same kind, which is given back without its samples.

        None where protobuf's own parser should look at it.
        """
        columns = parsed.columns
        try:
            frames = self._numbered_frames(parsed)
            labels = self._labels(parsed)
            alone = head(parsed)
        except Unusual:
            return None
        stacks = self._numbered_stacks(parsed, frames)
        details = self._details.numbers(columns.size, labels)
        rows = self._rows.numbers(stacks.astype(np.int64), details.astype(np.int64))
        if len(self._rows) > len(self._values):
            grown = np.zeros((2 * len(self._rows), len(parsed.types)), np.int64)
            if len(self._values):
                grown[: len(self._values)] = self._values
            self._values = grown
        wire.add_rows(rows, columns.value, self._values)
        self._first = self._first or alone
        self._times.append(int(columns.single[wire.TIME]))
        return alone

    def _numbered_frames(self, parsed: Parsed) -> I32:
        """int32[lines], the frame of each line of code."""
        columns, data = parsed.columns, parsed.data
        names = _numbered(self._functions, data, columns, columns.function[:, 1])
        files = _numbered(self._files, data, columns, columns.function[:, 2])
        numbers = self._function_pairs.numbers(names, files).astype(np.int64)
        used = int(columns.first_line[-1])
        return self._frames.numbers(numbers[columns.line_function[:used]], columns.line[:used])

    def _labels(self, parsed: Parsed) -> I64:
        """int64[n], the set of labels of each sample."""
        columns = parsed.columns
        sets = np.zeros(len(columns.size), np.int64)
        found: dict[int, list[Label]] = {}
        for sample, key, text, number, unit in columns.label[: columns.label_count[0]].tolist():
            name, value, measure = texts_of(parsed.data, columns, np.array([key, text, unit]))
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
            first,
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


def _numbered(names: Names, data: bytes, columns: wire.Columns, texts: I64) -> I64:
    """The numbers of the names that texts stand for. Raises Unusual."""
    if not len(texts):
        return texts
    if texts.min() < 0 or texts.max() >= len(columns.text_at):
        raise Unusual
    wanted = np.zeros(len(columns.text_at), np.bool_)
    wanted[texts] = True
    rows = np.flatnonzero(wanted)
    of_text = np.empty(len(wanted), np.int64)
    of_text[rows] = names.numbers(data, columns.text_at[rows], columns.text_size[rows])
    numbered: I64 = of_text[texts]
    return numbered


def _longer(array: Numbers, room: int) -> Numbers:
    """The array, or a copy with room for more."""
    if room <= len(array):
        return array
    return np.concatenate([array, np.zeros(2 * room - len(array), array.dtype)])
