"""The Go function table (pclntab): which function a pc is in, its frame size, maps, lines and inlined calls.

It is part of every Go binary, stripped or not, and the runtime unwinds stacks with it. Structs
``runtime.pcHeader``, ``runtime._func``, ``runtime.functab`` and ``runtime.inlinedCall`` of runtime/symtab.go,
runtime2.go and symtabinl.go; written by cmd/link/internal/ld/pcln.go. The header's own start of the text is
not used: it needs a relocation in a PIE, and newer versions leave it out. May import ``debuginfo``, ``model``
and numpy.
"""

from __future__ import annotations

import bisect
import itertools
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.debuginfo.elf.elf import PT_LOAD, Elf
from goretain.debuginfo.pclntab.pcvalue import PcValues
from goretain.model.errors import CorruptFile, UnknownLayout

Read = Callable[[int, int], bytes]
"""(address, size) -> exactly that many bytes, or an exception."""

MAGIC_GO_1_20 = 0xFFFFFFF1
_MAGIC_GO_1_18, _OLDER = 0xFFFFFFF0, (0xFFFFFFFA, 0xFFFFFFFB)
PCDATA_UNSAFE_POINT, PCDATA_STACK_MAP, PCDATA_INLINE_TREE = 0, 1, 2
FUNCDATA_ARGS, FUNCDATA_LOCALS, FUNCDATA_STACK_OBJECTS, FUNCDATA_INLINE_TREE = 0, 1, 2, 3
FLAG_TOP_FRAME, FLAG_SP_WRITE, FLAG_ASM = 1, 2, 4
NO_FUNCDATA = 0xFFFFFFFF
ARGS_UNKNOWN = -0x80000000

_HEADER_SIZE = 72
_HEADER_CONSTANTS = 0x0801_0000  # two bytes of padding, the quantum of pcs, the size of a pointer
_NAMES_BEGIN = (72, 96)  # right behind the header; up to Go 1.25 at a multiple of 32
_WINDOW = 16 << 20
_FUNC = struct.Struct("<IiiIIIIIIiBBBB")
_INLINED_CALL = struct.Struct("<B3xiii")
_MAX_NAME, _MAX_DEPTH, _MAX_PCDATA = 1 << 16, 256, 64
# The largest programs known have 500 000 functions and a table of 200 MB.
_MAX_TABLE = 1 << 30


@dataclass(frozen=True, slots=True)
class Func:
    """One function with machine code (runtime._func).

    Attributes:
        name: as the linker has it, type arguments spelled out; see printed_name.
        entry: pc of its first instruction. end: of the first one after it.
        args: bytes of arguments and results in memory, ARGS_UNKNOWN for some assembly.
        flag: FLAG_*. func_id: internal/abi.FuncID, numbers differ between Go versions.
        deferreturn: distance from the entry of the call of deferreturn, 0 when there is none.
        pcsp, pcfile, pcln: offsets of pc-value tables; pcdata: likewise, by PCDATA_* (0: no table).
        funcdata: offsets from moduledata.gofunc by FUNCDATA_*, NO_FUNCDATA where there is none.
        start_line: line of the func keyword. cu_offset: where its files start in the cutab.
    """

    name: str
    entry: int
    end: int
    args: int
    deferreturn: int
    flag: int
    func_id: int
    pcsp: int
    pcfile: int
    pcln: int
    pcdata: tuple[int, ...]
    funcdata: tuple[int, ...]
    start_line: int
    cu_offset: int


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """A function as in the source, inlined or not, and the file and line that a pc is at in it."""

    name: str
    file: str
    line: int


def printed_name(name: str) -> str:
    """A function's name as Go prints it in stack traces: type arguments become "[...]" (funcNameForPrint)."""
    first, last = name.find("["), name.rfind("]")
    return f"{name[:first]}[...]{name[last + 1 :]}" if 0 <= first < last else name


@dataclass(frozen=True, slots=True)
class FuncColumns:
    """All functions of a table at once, by row.

    Attributes:
        names: n names, as Func has them.
        args: int64[n], bytes of arguments and results in memory, ARGS_UNKNOWN where that is not known.
        flag: uint8[n], FLAG_*.
    """

    names: list[str]
    args: NDArray[np.int64]
    flag: NDArray[np.uint8]


class FuncTable:
    """The table of one module, read once.

    Attributes:
        entries: int64[n + 1], function entries ascending, then the end of the last function.
    """

    def __init__(self, read: Read, address: int, text: int, gofunc: int = 0, label: str = "pclntab") -> None:
        """Read the table at an address.

        text: moduledata.text, what entries count from; gofunc: moduledata.gofunc, what funcdata counts from
        (0: inlined calls are not looked up). Addresses are what ``read`` takes, run-time or link.
        label: what to call the table in messages.
        Raises UnknownLayout for Go 1.19 and older, CorruptFile, and whatever ``read`` raises.
        """
        self._read = read
        self._label = label
        self._gofunc = gofunc
        self._address = address
        self.text = text
        header = read(address, _HEADER_SIZE)
        magic, pad, quantum, pointer_size = struct.unpack_from("<IHBB", header)
        if magic == _MAGIC_GO_1_18 or magic in _OLDER:
            raise UnknownLayout("runtime.pcHeader", None, "Go 1.19 or older")
        count, files, _text, *offsets = struct.unpack_from("<QQQQQQQQ", header, 8)
        # Obfuscators (garble) change the magic number; that names follow the header then stands in for it.
        known = magic == MAGIC_GO_1_20 or offsets[0] in _NAMES_BEGIN
        if not known or pad or quantum != 1 or pointer_size != 8:
            raise self._corrupt(0, "not the header of a function table of Go 1.20 or later on amd64")
        self._names_at, _units_at, self._files_at, self._values_at, self._funcs_at = offsets
        in_order = all(a <= b for a, b in itertools.pairwise([_HEADER_SIZE, *offsets]))
        if not in_order or offsets[-1] > _MAX_TABLE or count * 8 + 4 > _MAX_TABLE or files > _MAX_TABLE:
            raise self._corrupt(8, "the header's offsets are out of order or too large")
        self._names, self._units, self._files, values = (
            read(address + low, high - low) for low, high in itertools.pairwise(offsets)
        )
        # Without self: a table that refers to itself would keep the memory that it reads.
        values_at = self._values_at
        self._values = PcValues(values, lambda at, reason: CorruptFile(label, values_at + at, reason))
        self._read_functions(count)
        self._known: dict[int, Func] = {}

    @classmethod
    def from_section(cls, content: bytes, address: int, text: int) -> FuncTable:
        """The table in the bytes of section .gopclntab at a link address. Raises as the constructor."""

        def read(at: int, size: int) -> bytes:
            start = at - address
            if start < 0 or size < 0 or start + size > len(content):
                raise CorruptFile(".gopclntab", max(start, 0), f"{size} bytes expected here")
            return content[start : start + size]

        return cls(read, address, text, label=".gopclntab")

    def _corrupt(self, at: int, reason: str) -> CorruptFile:
        return CorruptFile(self._label, at, reason)

    def _read_functions(self, count: int) -> None:
        """Read functab (pairs of entry and offset of the _func, then the end) and the _funcs after it."""
        pairs = np.frombuffer(self._read(self._address + self._funcs_at, count * 8 + 4), "<u4")
        columns = pairs[: 2 * count].reshape(-1, 2)
        self.entries: NDArray[np.int64] = pairs[::2].astype(np.int64) + self.text
        self._offsets: list[int] = columns[:, 1].tolist()
        if np.any(np.diff(self.entries) < 0):
            raise self._corrupt(self._funcs_at, "the functions are not in order")
        self._sorted: list[int] = self.entries.tolist()

    def __len__(self) -> int:
        return len(self._offsets)

    def find(self, pc: int) -> Func | None:
        """The function that holds a pc, or None outside the module's Go code. Raises CorruptFile."""
        i = bisect.bisect_right(self._sorted, pc) - 1
        if i < 0 or i >= len(self._offsets):
            return None
        known = self._known.get(i)
        if known is None:
            known = self._known[i] = self._decode(i)
        return known

    def columns(self) -> FuncColumns:
        """Names, argument sizes and flags of all functions. Raises CorruptFile and what ``read`` raises."""
        count = len(self._offsets)
        if not count:
            return FuncColumns([], np.empty(0, np.int64), np.empty(0, np.uint8))
        offsets = np.array(self._offsets, np.int64)
        low, high = int(offsets.min()), int(offsets.max()) + _FUNC.size
        if high - low > _MAX_TABLE:
            raise self._corrupt(self._funcs_at + low, "the functions lie too far apart")
        raw = np.frombuffer(self._read(self._address + self._funcs_at + low, high - low), np.uint8)
        rows = raw[(offsets - low)[:, None] + np.arange(_FUNC.size)]
        words = rows[:, :12].copy().view("<i4").reshape(count, 3).astype(np.int64)
        names = [self._text(self._names, self._names_at, at) for at in words[:, 1].tolist()]
        return FuncColumns(names, words[:, 2], rows[:, 41].copy())

    def _decode(self, i: int) -> Func:
        at = self._funcs_at + self._offsets[i]
        fields = _FUNC.unpack(self._read(self._address + at, _FUNC.size))
        _entry, name_at, args, deferreturn, pcsp, pcfile, pcln, maps, cu_offset, line = fields[:10]
        func_id, flag, _, data = fields[10:]
        if maps > _MAX_PCDATA:
            raise self._corrupt(at, f"a function with {maps} pc-value tables")
        words = struct.unpack(
            f"<{maps + data}I", self._read(self._address + at + _FUNC.size, 4 * (maps + data))
        )
        return Func(
            self._text(self._names, self._names_at, name_at), self._sorted[i], self._sorted[i + 1],
            args, deferreturn, flag, func_id, pcsp, pcfile, pcln, words[:maps], words[maps:], line, cu_offset,
        )  # fmt: skip

    def _text(self, table: bytes, start: int, at: int) -> str:
        """The zero-terminated string at an offset of a table that starts at an offset of the whole."""
        end = table.find(b"\0", at, at + _MAX_NAME) if at >= 0 else -1
        if end < 0:
            raise self._corrupt(start + at, "a name has no end")
        return table[at:end].decode("utf-8", "replace")

    def pc_value(self, table_offset: int, entry: int, target_pc: int) -> int:
        """Value at target_pc of a table of the function that starts at entry; -1 when it says nothing there.

        For a return address ask for the pc before it. Raises CorruptFile.
        """
        return self._values.value(table_offset, target_pc - entry)

    def file_line(self, func: Func, pc: int) -> tuple[str, int]:
        """File and line of a pc in a function; ("?", 0) where there is none. Raises CorruptFile."""
        number = self._values.value(func.pcfile, pc - func.entry)
        line = self._values.value(func.pcln, pc - func.entry)
        at = 4 * (func.cu_offset + number)
        if number < 0 or line < 0 or at + 4 > len(self._units):
            return "?", 0
        name_at = int.from_bytes(self._units[at : at + 4], "little")
        if name_at == NO_FUNCDATA:
            return "?", 0
        return self._text(self._files, self._files_at, name_at), line

    def frames(self, func: Func, pc: int) -> list[SourceFrame]:
        """The functions whose source a pc belongs to, innermost inlined call first, ``func`` itself last.

        For a return address ask for the pc before it. Raises CorruptFile and what ``read`` raises.
        """
        out: list[SourceFrame] = []
        has_tree = len(func.funcdata) > FUNCDATA_INLINE_TREE and len(func.pcdata) > PCDATA_INLINE_TREE
        tree = func.funcdata[FUNCDATA_INLINE_TREE] if has_tree and self._gofunc else NO_FUNCDATA
        while tree != NO_FUNCDATA and len(out) < _MAX_DEPTH:
            index = self._values.value(func.pcdata[PCDATA_INLINE_TREE], pc - func.entry)
            if index < 0:
                break
            call = self._read(self._gofunc + tree + index * _INLINED_CALL.size, _INLINED_CALL.size)
            _func_id, name_at, parent, _line = _INLINED_CALL.unpack(call)
            file, line = self.file_line(func, pc)
            out.append(SourceFrame(self._text(self._names, self._names_at, name_at), file, line))
            pc = func.entry + parent
        return [*out, SourceFrame(func.name, *self.file_line(func, pc))]

    def inlined(self, func: Func, pc: int) -> list[str]:
        """Names of the calls inlined at a pc, innermost first; empty in the function's own code."""
        return [frame.name for frame in self.frames(func, pc)[:-1]]


def find_function_table(elf: Elf) -> int | None:
    """Link address of what looks like a function table in a program's file, None when there is none.

    The magic number is not asked, only the rest of the header. Raises CorruptFile.
    """
    for segment in elf.segments:
        size = segment.filesz if segment.type == PT_LOAD else 0
        for at in range(-segment.vaddr % 8, size, _WINDOW):
            raw = elf.read(segment.offset + at, min(_WINDOW + _HEADER_SIZE, size - at) & -8)
            words = np.frombuffer(raw, np.uint64)
            if len(words) < _HEADER_SIZE // 8:
                continue
            offsets = [words[i : len(words) + i - 8] for i in range(4, 9)]
            fits = (words[:-8] >> np.uint64(32)) == _HEADER_CONSTANTS
            fits &= np.isin(offsets[0], _NAMES_BEGIN)
            for low, high in itertools.pairwise(offsets):
                fits &= low <= high
            rows = np.flatnonzero(fits & (offsets[-1] < _MAX_TABLE) & (words[1:-7] > 0))
            if len(rows):
                return segment.vaddr + at + 8 * int(rows[0])
    return None
