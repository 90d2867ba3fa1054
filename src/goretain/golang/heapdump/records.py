"""The records of a heap dump file: what it says of the program, its goroutines, roots and finalizers.

The format is written by ``writeheapdump_m`` (runtime/heapdump.go); its header is "go1.7 heap dump" in every
Go from 1.7 on. Objects stay where they are in the file's bytes (``Records`` of ``kernels.dumpscan``).
Imports ``capture.ranges``, ``capture.room``, ``kernels``, ``model`` and numpy.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from goretain.capture.ranges import USER_SPACE
from goretain.capture.room.limits import Need, check_room
from goretain.golang.heapdump.dump import Block, DumpedFrame, DumpedGoroutine, HeapDump
from goretain.golang.heapdump.magic import MAGIC
from goretain.kernels import dumpscan
from goretain.kernels.dumpscan import Records
from goretain.model.errors import CorruptFile, UnsupportedArchitecture, UsageError

_AGAIN = "write it again, to a disk with enough space; or take a core: gcore PID"
#: Nanoseconds since 1970 are the largest numbers of MemStats; sums of two stay below 1 << 63.
_LARGEST_STAT = 1 << 61
_NEXT_GC = 21  # place in MemStats as writeheapdump_m writes it
#: Of one read.
_PART = 64 << 20
_ROOTS = frozenset((dumpscan.DATA, dumpscan.BSS, dumpscan.MEM_STATS))
_WRONG = {
    dumpscan.CUT_OFF: "the heap dump ends in the middle of a record",
    dumpscan.BAD_TAG: "there is no record of this kind",
    dumpscan.BAD_LENGTH: "a length is impossible",
    dumpscan.BAD_FIELD: "a pointer word lies outside of its object",
    dumpscan.BAD_NUMBER: "an object has an impossible address or size",
}

U8 = NDArray[np.uint8]


def read_dump(path: str, *, force: bool = False) -> HeapDump:
    """The records of a file.

    force: read it whatever the memory limits say. Raises CorruptFile, UnsupportedArchitecture,
    NotEnoughMemory, UsageError.
    """
    data = _bytes(path, force)
    counts = np.zeros(5, np.int64)
    dumpscan.walk(data, len(MAGIC), dumpscan.SHAPES, _room(0, 0), counts)
    objects, others = int(counts[dumpscan.OBJECTS]), int(counts[dumpscan.OTHERS])
    records = _room(objects, others)
    wrong = int(dumpscan.walk(data, len(MAGIC), dumpscan.SHAPES, records, counts)) if objects + others else 1
    dump = HeapDump(path, data, records)
    if wrong:
        _judge(dump, wrong, int(counts[dumpscan.BROKEN_AT]), int(counts[dumpscan.BROKEN_TAG]))
    _Reader(dump).read()
    return dump


def _bytes(path: str, force: bool) -> U8:
    """The whole file. Raises UsageError, NotEnoughMemory, CorruptFile."""
    try:
        with open(path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if not force:
                check_room(Need(2 * size))
            data = np.empty(size, np.uint8)
            view = data.data
            done = 0
            while done < size:
                got = file.readinto(view[done : done + _PART])
                if not got:
                    raise CorruptFile(path, done, "the file became shorter while it was read", hint=_AGAIN)
                done += got
    except OSError as failed:
        raise UsageError(f"cannot read {path}: {failed.strerror}") from None
    return data


def _room(objects: int, others: int) -> Records:
    def numbers(count: int) -> NDArray[np.int64]:
        return np.empty(count, np.int64)

    n = objects
    return Records(
        numbers(n), numbers(n), numbers(n), numbers(n), numbers(others), np.empty(others, np.uint8)
    )


def _judge(dump: HeapDump, wrong: int, at: int, tag: int) -> None:
    """A dump without its end can be read if all roots are there. Raises CorruptFile."""
    reason = _WRONG[wrong]
    if wrong == dumpscan.CUT_OFF and set(dump.records.tag.tolist()) >= _ROOTS:
        dump.cut_off = at
        return
    if wrong == dumpscan.CUT_OFF:
        reason += ", and what the program's variables hold would follow"
    elif wrong == dumpscan.BAD_TAG:
        reason += f" ({tag})"
    raise CorruptFile(dump.path, at, reason, hint=_AGAIN)


class _Reader:
    """Decodes the records that are not objects; their lengths were checked by the walk."""

    def __init__(self, dump: HeapDump) -> None:
        self.dump = dump
        self.at = 0
        self._decoders = {
            dumpscan.OTHER_ROOT: self._other_root,
            dumpscan.TYPE: self._type,
            dumpscan.GOROUTINE: self._goroutine,
            dumpscan.FRAME: self._frame,
            dumpscan.PARAMS: self._params,
            dumpscan.FINALIZER: lambda: self._finalizer(self.dump.finalizers),
            dumpscan.ITAB: self._itab,
            dumpscan.MEM_STATS: self._stats,
            dumpscan.QUEUED_FINALIZER: lambda: self._finalizer(self.dump.queued),
            dumpscan.DATA: self._data,
            dumpscan.BSS: self._bss,
            dumpscan.DEFER: self._defer,
            dumpscan.PANIC: self._panic,
        }

    def read(self) -> None:
        """Fill the dump. Raises UnsupportedArchitecture, CorruptFile."""
        records = self.dump.records
        for at, tag in zip(records.other.tolist(), records.tag.tolist(), strict=True):
            decode = self._decoders.get(tag)
            if decode is not None:
                self.at = at
                decode()
        dump = self.dump
        if not dump.go_version or not dump.stats or len(dump.segments()) < 2:
            raise CorruptFile(
                dump.path, None, "parameters, variables or MemStats are not in the heap dump", hint=_AGAIN
            )

    def _number(self) -> int:
        value = shift = 0
        while True:
            byte = int(self.dump.data[self.at])
            self.at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def _numbers(self, count: int) -> list[int]:
        return [self._number() for _ in range(count)]

    def _address(self) -> int:
        """A number that is an address. Raises CorruptFile."""
        at, value = self.at, self._number()
        if value >= USER_SPACE:
            raise CorruptFile(self.dump.path, at, f"{value:#x} is no address", hint=_AGAIN)
        return value

    def _memory(self) -> tuple[int, int]:
        """(offset, length) of bytes."""
        length = self._number()
        start = self.at
        self.at += length
        return start, length

    def _text(self) -> str:
        start, length = self._memory()
        return self.dump.data[start : start + length].tobytes().decode("utf-8", "replace")

    def _pointers(self) -> tuple[int, ...]:
        found = []
        while self._number():
            found.append(self._number())
        return tuple(found)

    def _params(self) -> None:
        big_endian, pointer_bytes, _low, _high = self._numbers(4)
        architecture, self.dump.go_version = self._text(), self._text()
        if big_endian or pointer_bytes != 8 or architecture != "amd64":
            raise UnsupportedArchitecture(
                f"{self.dump.path} is the heap dump of a {architecture} program",
                hint="goretain reads heap dumps of linux/amd64 programs",
            )

    def _other_root(self) -> None:
        self.dump.roots.append((self._text(), self._number()))

    def _type(self) -> None:
        address, size = self._address(), self._number()
        self.dump.types[address] = size, self._text()
        if not self._number():
            self.dump.direct.add(address)

    def _itab(self) -> None:
        address, of_type = self._address(), self._address()
        self.dump.itabs[address] = of_type

    def _goroutine(self) -> None:
        address, _sp, identity, _go_pc, status, system, _background, _since = self._numbers(8)
        reason = self._text()
        self.dump.goroutines.append(
            DumpedGoroutine(address, identity, status, bool(system), reason, self._number())
        )

    def _frame(self) -> None:
        sp, _depth, _child = self._address(), self._number(), self._number()
        start, length = self._memory()
        entry, pc, _continues = self._numbers(3)
        name = self._text()
        inside = tuple(offset for offset in self._pointers() if offset + 8 <= length)
        if self.dump.goroutines:
            frame = DumpedFrame(Block(sp, start, length, inside), name, entry, pc)
            self.dump.goroutines[-1].frames.append(frame)

    def _defer(self) -> None:
        record, _g, _sp, _pc, function, _entry, _link = self._numbers(7)
        if self.dump.goroutines:
            self.dump.goroutines[-1].roots += [("(defer record)", record), ("(deferred call)", function)]

    def _panic(self) -> None:
        _record, _g, _type, value, _defer, _link = self._numbers(6)
        if self.dump.goroutines:
            self.dump.goroutines[-1].roots.append(("(panic)", value))

    def _finalizer(self, out: list[tuple[int, int, int]]) -> None:
        target, function, _entry, _interface, pointer_type = (self._address() for _ in range(5))
        out.append((target, function, pointer_type))

    def _segment(self) -> Block:
        address = self._address()
        start, length = self._memory()
        return Block(address, start, length, self._pointers())

    def _data(self) -> None:
        self.dump.data_segment = self._segment()

    def _bss(self) -> None:
        self.dump.bss_segment = self._segment()

    def _stats(self) -> None:
        at, stats = self.at, tuple(self._numbers(dumpscan.STATS_NUMBERS))
        # With GOGC=off the next collection comes when the memory limit is reached, which there is none of.
        if max(stats[:_NEXT_GC] + stats[_NEXT_GC + 1 :]) > _LARGEST_STAT:
            raise CorruptFile(self.dump.path, at, "MemStats holds an impossible number", hint=_AGAIN)
        self.dump.stats = stats
