"""Facts, mappings, registers, ranges and files as an image file holds them, checked row by row.

The reader takes them from here, and the writer asks here whether what it is about to write will be read.
Imports ``capture``, ``debuginfo``, ``model`` and numpy.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from goretain.capture.image import CaptureFacts, Mapping
from goretain.capture.imagefile import blocks
from goretain.capture.libc import REGISTERS
from goretain.capture.ranges import I64, USER_SPACE
from goretain.capture.residency import unpacked
from goretain.debuginfo.beside.translated import Shift, Shifts
from goretain.model.errors import CorruptFile

_FLAGS = re.compile(rb"[r-][w-][x-][ps-]")
_MOST = 1 << 62
#: No Go heap comes near this; untouched memory costs nothing, but its addresses do.
_MOST_MEMORY = 1 << 44


@dataclass(frozen=True, slots=True)
class FileRow:
    """What a FILE block says: bytes of the file, load bias, what it is, its path, how it is translated."""

    size: int
    bias: int
    role: int
    path: str
    shifts: Shifts | None


def parse_facts(path: str, raw: bytes, at: int) -> CaptureFacts:
    """How the capture went. Raises CorruptFile; keys that are not known are left alone."""
    try:
        found: Any = json.loads(raw)
        facts = CaptureFacts(
            source=_one_of(found, "source", ("live", "core")),
            program=_text(found["program"]),
            pid=_count(found["pid"]),
            taken_at=_seconds(found["taken_at"]),
            copied_bytes=_count(found["copied_bytes"]),
            threads=_count(found["threads"]),
            pause_ns=_maybe(found["pause_ns"]),
            stop_ns=_maybe(found["stop_ns"]),
            rss_bytes=_maybe(found["rss_bytes"]),
            shortfall=_text(found["shortfall"]),
            with_data=_one_of(found, "with_data", (True, False)),
            notes=[_text(note) for note in found["notes"]],
            resident=unpacked(found.get("resident")),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as wrong:
        raise CorruptFile(path, at, f"the facts of the capture: {wrong}", hint=blocks.TAKE_AGAIN) from None
    return facts


def _one_of(found: Any, key: str, words: tuple[Any, ...]) -> Any:
    if not any(found[key] is word or (isinstance(word, str) and found[key] == word) for word in words):
        raise ValueError(f"{key} is {found[key]!r}")
    return found[key]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _MOST:
        raise ValueError(f"{value!r} is no count")
    return value


def _maybe(value: Any) -> int | None:
    return None if value is None else _count(value)


def _seconds(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 1 << 40:
        raise ValueError(f"{value!r} is no time")
    return float(value)


def mappings_of(path: str, raw: bytes, at: int) -> list[Mapping]:
    """The address space, by start. Raises CorruptFile."""
    found: list[Mapping] = []
    row, place, last = blocks.MAPPING_ROW, 0, 0
    while place < len(raw):
        if place + row.size > len(raw):
            raise CorruptFile(path, at, "the MAPS table ends within a row")
        start, end, offset, flags, length = row.unpack_from(raw, place)
        place += row.size
        if not last <= start < end <= USER_SPACE or offset >= _MOST or not _FLAGS.fullmatch(flags):
            raise CorruptFile(path, at, f"an impossible mapping, {start:#x} to {end:#x}")
        if length > len(raw) - place:
            raise CorruptFile(path, at, "a path of the MAPS table is cut off")
        name = os.fsdecode(raw[place : place + length])
        found.append(Mapping(start, end, flags.decode(), offset, name))
        place, last = place + length, start
    return found


def registers_of(path: str, raw: bytes, at: int) -> dict[int, dict[str, int]]:
    """Registers by thread. Raises CorruptFile."""
    if len(raw) % blocks.REGISTER_ROW.size:
        raise CorruptFile(path, at, "the REGS table ends within a row")
    found: dict[int, dict[str, int]] = {}
    for tid, *values in blocks.REGISTER_ROW.iter_unpack(raw):
        if not 0 <= tid < 1 << 31 or tid in found:
            raise CorruptFile(path, at, f"a thread with the impossible or repeated ID {tid}")
        found[tid] = dict(zip(REGISTERS, values, strict=True))
    return found


def ranges_of(path: str, raw: bytes, at: int, file_size: int) -> tuple[I64, I64]:
    """Captured ranges int64[k, 2], and where in the program's file each is, -1 for those in PAGE blocks.

    file_size: bytes of the program's file. Raises CorruptFile.
    """
    if len(raw) % blocks.RANGE_ROW.size:
        raise CorruptFile(path, at, "the RANG table ends within a row")
    rows = np.frombuffer(raw, "<i8").reshape(-1, 3).astype(np.int64)
    starts, ends, sources = rows.T
    bad = (starts < 0) | (ends > USER_SPACE) | (starts >= ends) | (starts & 7 != 0)
    if bool(bad.any()):
        low, high = (f"{int(edge[bad][0]) & (1 << 64) - 1:#x}" for edge in (starts, ends))
        reason = "a range of memory is empty, misaligned or outside of user space"
        raise CorruptFile(path, at, f"{reason}: {low} to {high}")
    if bool((starts[1:] < ends[:-1]).any()):
        raise CorruptFile(path, at, "ranges of memory overlap or do not ascend")
    if int((ends - starts).sum()) > _MOST_MEMORY:
        raise CorruptFile(path, at, "the ranges of memory are impossibly large")
    beyond = (sources >= 0) & (sources > file_size - (ends - starts))
    if bool((sources < -1).any() | beyond.any()):
        raise CorruptFile(path, at, "a range of memory lies outside of the program's file")
    return np.ascontiguousarray(rows[:, :2]), np.ascontiguousarray(sources)


def file_of(path: str, raw: bytes, at: int) -> FileRow:
    """What a FILE block says. Raises CorruptFile."""
    row = blocks.FILE_ROW
    if len(raw) < row.size:
        raise CorruptFile(path, at, "the FILE block is cut off")
    size, bias, role, length = row.unpack_from(raw)
    if len(raw) < row.size + length or size >= _MOST or abs(bias) >= USER_SPACE or bias % blocks.PAGE:
        raise CorruptFile(path, at, "the FILE block has an impossible size, bias or path")
    name = os.fsdecode(raw[row.size : row.size + length])
    return FileRow(size, bias, role, name, _shifts(path, raw[row.size + length :], at))


def _shifts(path: str, raw: bytes, at: int) -> Shifts | None:
    if len(raw) % blocks.SHIFT_ROW.size:
        raise CorruptFile(path, at, "the FILE block ends within a row")
    rows = [Shift(*row) for row in blocks.SHIFT_ROW.iter_unpack(raw)]
    if not all(0 <= s.start < s.end <= USER_SPACE and abs(s.distance) < USER_SPACE for s in rows):
        raise CorruptFile(path, at, "an impossible distance of two sections")
    return Shifts(rows) if rows else None
