"""Reads pprof profiles with compiled kernels: large ones, and fleets of them.

What the kernels find unusual or damaged they leave to ``protobuf`` beside, so both readers say the same of
every file. Samples become those of a Profile in ``sums``. Imports ``kernels``, ``profile.columns`` and this
room.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from goretain.kernels import profilewire as wire
from goretain.profile.columns import I64, Profile, StackTable, ValueType
from goretain.profile.readers.pprof.protobuf import MOST_FRAMES, MOST_TYPES

_LEAST = 1024
#: Bytes of an entry on the average, at least.
_DENSEST = 3
#: Ids of locations and functions may be so many times as large as their number.
_SPARSE = 4


class Unusual(Exception):
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


def is_dense(data: bytes) -> bool:
    """Whether it has more entries than a profile of its size: to look at them might take all memory."""
    counts = np.zeros(wire.COUNTERS, np.int64)
    wire.measure(np.frombuffer(data, np.uint8), counts)
    return int(counts.sum()) - int(counts[wire.REFERENCES]) > len(data) // _DENSEST


def parse(data: bytes) -> Parsed | None:
    """A profile's columns; None where protobuf's own parser should look at it."""
    try:
        return _parse(data)
    except (Unusual, IndexError):
        return None


def _parse(data: bytes) -> Parsed:
    octets = np.frombuffer(data, np.uint8)
    counts = np.zeros(wire.COUNTERS, np.int64)
    _fine(wire.measure(octets, counts))
    samples, types = counts[[wire.FIELD_COUNT + wire.SAMPLE, wire.FIELD_COUNT + wire.SAMPLE_TYPE]].tolist()
    if not 0 < types <= MOST_TYPES or samples * types > len(data):
        raise Unusual
    columns = _room(counts)
    _fine(wire.extract(octets, columns, np.zeros(10, np.int64)))
    if len(columns.text_size) and columns.text_size[0]:
        raise Unusual
    _to_indexes(columns.reference[: columns.first_reference[-1]], columns.location_id)
    _to_indexes(columns.line_function[: columns.first_line[-1]], columns.function[:, 0])
    frames = int(np.diff(columns.first_line)[columns.reference[: columns.first_reference[-1]]].sum())
    if frames > MOST_FRAMES:
        raise Unusual
    has_period = counts[wire.FIELD_COUNT + wire.PERIOD_TYPE] > 0
    period = int(columns.single[wire.PERIOD])
    return Parsed(
        data=data,
        columns=columns,
        frames=frames,
        types=tuple(ValueType(*texts_of(data, columns, kind)) for kind in columns.types),
        period_type=ValueType(*texts_of(data, columns, columns.period_type)) if has_period else None,
        period=period if period > 0 else None,
    )


def _fine(status: int) -> None:
    if status >= 0:
        raise Unusual


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
    """Replace ids by the index of what is known by it."""
    if len(known) and (known.min() <= 0 or known.max() > _SPARSE * len(known) + _LEAST):
        raise Unusual
    table = np.full(int(known.max(initial=0)) + 1, -1, np.int64)
    table[known] = np.arange(len(known))
    if (table[known] != np.arange(len(known))).any():  # two of one id
        raise Unusual
    if not len(ids):
        return
    if ids.min() < 0 or ids.max() >= len(table):
        raise Unusual
    ids[:] = table[ids]
    if ids.min() < 0:
        raise Unusual


def texts_of(data: bytes, columns: wire.Columns, numbers: I64) -> list[str]:
    """Texts by their numbers. Raises Unusual."""
    return [
        bytes_of(data, columns, number).decode("utf-8", "backslashreplace") for number in numbers.tolist()
    ]


def bytes_of(data: bytes, columns: wire.Columns, number: int) -> bytes:
    """One text by its number. Raises Unusual."""
    if number == 0:
        return b""
    if not 0 < number < len(columns.text_at):
        raise Unusual
    at = int(columns.text_at[number])
    return data[at : at + int(columns.text_size[number])]


def head(parsed: Parsed) -> Profile:
    """All of a profile but its samples. Raises Unusual."""
    columns, data = parsed.columns, parsed.data
    default, program, build = texts_of(
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
        comments=tuple(texts_of(data, columns, columns.comment[: columns.single[wire.COMMENT]])),
    )
