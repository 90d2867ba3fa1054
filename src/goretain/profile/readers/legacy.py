"""Reads profiles in text, as ``?debug=1`` gives them (runtime/pprof: writeHeapInternal, printCountProfile,
writeProfileInternal).

A record is a line of amounts and addresses, a line for each frame after "#", and a blank line. The runtime
leaves out its own innermost frames. Amounts of the heap are as they were sampled and are scaled here, as
``go tool pprof`` does. A heap profile ends with MemStats. Imports ``golang.packages``, ``model``, numpy,
``profile.contents``, ``profile.columns`` and ``profile.sites.sampling``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from goretain.golang.packages import display_name
from goretain.model.errors import CorruptFile
from goretain.profile.columns import HEAP_TYPES, I64, Label, Profile, StackTable, ValueType, table
from goretain.profile.contents import Contents, MemStats
from goretain.profile.sites.sampling import scale

_HEAP = re.compile(rb"heap profile: \d+: \d+ \[\d+: \d+\] @ heap/(\d{1,18})\s*")
_COUNT = re.compile(rb"(\w+) profile: total \d+\s*")
_CONTENTION = re.compile(rb"--- (?:contention|mutex):\s*")
_HEAP_RECORD = re.compile(rb"(\d{1,18}): (\d{1,18}) \[(\d{1,18}): (\d{1,18})\] @((?: 0x[0-9a-f]+)*)\s*")
_COUNT_RECORD = re.compile(rb"(\d{1,18}) @((?: 0x[0-9a-f]+)*)\s*")
_CONTENTION_RECORD = re.compile(rb"(\d{1,18}) (\d{1,18}) @((?: 0x[0-9a-f]+)*)\s*")
#: Amounts are multiples of the sampling period already.
_SETTING = re.compile(rb"(cycles/second|sampling period)=(\d{1,18})\s*")
_LABEL = re.compile(r'"((?:[^"\\]|\\.)*)":"((?:[^"\\]|\\.)*)"')
_STATISTIC = re.compile(rb"# (\w+) = (.*)")
#: Bytes of a line; a stack of a thousand addresses has twenty thousand.
_LONGEST = 1 << 18
_CUT = "the profile is damaged; fetch it again"
#: Field of MemStats here -> its name in the file.
_STATISTICS = {
    "heap_alloc": "HeapAlloc", "heap_objects": "HeapObjects", "heap_in_use": "HeapInuse",
    "heap_idle": "HeapIdle",
    "heap_released": "HeapReleased", "heap_sys": "HeapSys", "stack_in_use": "Stack", "sys": "Sys",
    "total_alloc": "TotalAlloc", "next_gc": "NextGC", "gc_count": "NumGC", "gc_forced": "NumForcedGC",
}  # fmt: skip


def is_legacy(data: bytes) -> bool:
    """Whether the file begins as a profile in text does."""
    line = data[:200].partition(b"\n")[0]
    return any(pattern.fullmatch(line) for pattern in (_HEAP, _COUNT, _CONTENTION))


@dataclass(slots=True)
class _Record:
    """One record: amounts as they stand there."""

    amounts: list[int]
    frames: list[int] = field(default_factory=list)
    labels: tuple[Label, ...] = ()


def read_legacy(data: bytes, name: str) -> Contents:
    """A profile in text. Raises CorruptFile with the offset of the line that does not fit."""
    first = data.partition(b"\n")[0]
    reader = _Reader(name)
    if heap := _HEAP.fullmatch(first):
        return _heap(reader, data, int(heap[1]) // 2)  # the header says twice the rate, for old readers
    if count := _COUNT.fullmatch(first):
        records = reader.read(data, _COUNT_RECORD)
        kind = ValueType(count[1].decode(), "count")
        return Contents(
            name, reader.profile(records, (kind,), table([r.amounts for r in records], 1), kind, 1)
        )
    records = reader.read(data, _CONTENTION_RECORD)
    values = table([[count, cycles] for cycles, count in (record.amounts for record in records)], 2)
    if not reader.cycles:
        raise CorruptFile(name, 0, "it does not say how many cycles a second has", hint=_CUT)
    values[:, 1] = np.minimum(values[:, 1] / (reader.cycles / 1e9), 2.0**62).astype(np.int64)
    types = (ValueType("contentions", "count"), ValueType("delay", "nanoseconds"))
    return Contents(name, reader.profile(records, types, values, types[0], 1))


def _heap(reader: _Reader, data: bytes, rate: int) -> Contents:
    records = reader.read(data, _HEAP_RECORD)
    raw = table(
        [record.amounts for record in records], 4
    )  # in use: objects, bytes; allocated: objects, bytes
    columns = [*scale(raw[:, 2], raw[:, 3], rate), *scale(raw[:, 0], raw[:, 1], rate)]
    size = np.divide(raw[:, 3], raw[:, 2], out=np.full(len(raw), -1.0), where=raw[:, 2] > 0).astype(np.int64)
    types = tuple(ValueType(kind, "bytes" if "space" in kind else "count") for kind in HEAP_TYPES)
    values = np.stack(columns, axis=1)
    period = ValueType("space", "bytes")
    profile = reader.profile(records, types, values, period, rate or None, size)
    return Contents(reader.name, profile, memory=reader.memory())


class _Reader:
    """Records of one file; stacks are kept once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cycles = 0
        self._statistics: dict[str, str] = {}
        self._frames: dict[bytes, int] = {}
        self._table = StackTable()

    def read(self, data: bytes, pattern: re.Pattern[bytes]) -> list[_Record]:
        """All records of the form of ``pattern``, whose last group are the addresses."""
        records: list[_Record] = []
        for offset, line in _lines(data, self.name):
            if line.startswith(b"#\t") and records:  # most lines, and few different ones
                frame = self._frames.get(line)
                if frame is None:
                    frame = self._frames[line] = self._frame(line, offset)
                records[-1].frames.append(frame)
            elif match := pattern.fullmatch(line):
                records.append(_Record([int(text) for text in match.groups()[:-1]]))
            elif line.startswith(b"# labels: ") and records:
                records[-1].labels = _labels(line.decode("utf-8", "backslashreplace"))
            elif statistic := _STATISTIC.match(line):
                self._statistics[statistic[1].decode()] = statistic[2].decode("ascii", "replace").strip()
            elif setting := _SETTING.fullmatch(line):
                self.cycles = int(setting[2]) if setting[1] == b"cycles/second" else self.cycles
            elif line.strip() and not line.startswith(b"# "):
                raise CorruptFile(self.name, offset, f"no line of a profile: {line[:60]!r}", hint=_CUT)
        return records

    def _frame(self, line: bytes, offset: int) -> int:
        """``#  0x67b46a  main.filled+0x6a  /src/main.go:69``, tabs between; else the address alone."""
        parts = [part for part in line.decode("utf-8", "backslashreplace").split("\t")[1:] if part]
        if len(parts) == 1 and parts[0].startswith("0x"):
            return self._table.frame("")
        function, plus, _ = parts[1].rpartition("+0x") if len(parts) == 3 else ("", "", "")
        file, colon, number = parts[-1].rpartition(":") if plus else ("", "", "")
        if not colon or not number.isdecimal() or len(number) > 9:
            raise CorruptFile(self.name, offset, f"no frame of a stack: {line[:60]!r}", hint=_CUT)
        return self._table.frame(display_name(function), file, int(number))

    def profile(
        self,
        records: list[_Record],
        types: tuple[ValueType, ...],
        values: I64,
        period_type: ValueType,
        period: int | None,
        size: I64 | None = None,
    ) -> Profile:
        """The records as columns."""
        known: dict[tuple[Label, ...], int] = {(): 0}
        sets = [known.setdefault(record.labels, len(known)) for record in records]
        stack = [self._table.stack(tuple(record.frames)) for record in records]
        return Profile(
            types=types,
            stacks=self._table.columns(),
            stack=np.array(stack, np.int32),
            values=values,
            object_size=np.full(len(records), -1, np.int64) if size is None else size,
            label_set=np.array(sets, np.int32),
            label_sets=tuple(known),
            period_type=period_type,
            period=period,
        )

    def memory(self) -> MemStats | None:
        """The statistics behind a heap profile; None where they are cut off."""
        numbers: dict[str, int] = {}
        for ours, theirs in _STATISTICS.items():
            text = self._statistics.get(theirs, "").partition(" ")[0]
            if not text.isdecimal() or len(text) > 18:
                return None
            numbers[ours] = int(text)
        share, resident = self._statistics.get("GCCPUFraction", ""), self._statistics.get("MaxRSS", "")
        try:
            part = float(share)
        except ValueError:
            return None
        rss = int(resident) if resident.isdecimal() and len(resident) <= 18 else None
        return MemStats(gc_cpu=part, max_rss=rss or None, **numbers)


def _lines(data: bytes, name: str) -> Iterator[tuple[int, bytes]]:
    """Offset and text of every line behind the first."""
    at = data.find(b"\n") + 1
    while 0 < at < len(data):
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        if end - at > _LONGEST:
            raise CorruptFile(name, at, f"a line of more than {_LONGEST:,} bytes", hint=_CUT)
        yield at, data[at:end]
        at = end + 1


def _labels(line: str) -> tuple[Label, ...]:
    """``# labels: {"kind":"worker", "queue":"q0"}``; quoted as Go does."""
    return tuple(Label(key, value) for key, value in _LABEL.findall(line))
