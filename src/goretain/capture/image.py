"""An Image: bytes of a process at one instant, packed into one buffer.

Nothing in an image is guessed: an address that was not captured raises MissingMemory or is marked absent.
Imports ``capture.residency``, ``debuginfo``, ``model`` and numpy.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from goretain.capture.residency import Residency
from goretain.debuginfo.elf.elf import Elf
from goretain.model.errors import MissingMemory

if TYPE_CHECKING:
    from goretain.debuginfo.beside.companion import DebugFile

I64 = NDArray[np.int64]
TAKE_AGAIN = "take the core again with ulimit -c unlimited and enough space on the disk"


@dataclass(frozen=True, slots=True)
class Mapping:
    """One line of /proc/PID/maps or one PT_LOAD of a core: [start, end), rwxp flags, file offset, path."""

    start: int
    end: int
    flags: str
    offset: int
    path: str


def path_at(mapped: Iterable[Mapping], address: int) -> str:
    """The path of the mapping that holds an address; "" where there is none, or it has none."""
    return next((m.path for m in mapped if m.start <= address < m.end), "")


@dataclass(slots=True)
class CaptureFacts:
    """How the image came to be; sizes in bytes, times in nanoseconds, None when unknown.

    pause_ns is the time that the process stood still in all, pauses_ns each time: one, or before it those of
    attempts that were given up; empty when it was read from a file. stop_ns is the part of the last one
    before the last thread stopped. shortfall says how much of a truncated core is there; "" of whole ones and
    of processes. with_data: contents of pointer-free objects were taken along, so that map keys can be shown.
    resident: what rss_bytes is made of, when it ran again; None when unknown.
    """

    source: Literal["live", "core", "dump"]
    program: str
    pid: int
    taken_at: float
    copied_bytes: int
    threads: int
    pause_ns: int | None = None
    stop_ns: int | None = None
    rss_bytes: int | None = None
    shortfall: str = ""
    with_data: bool = False
    notes: list[str] = field(default_factory=list)
    pauses_ns: list[int] = field(default_factory=list)
    resident: Residency | None = None


@dataclass(frozen=True, slots=True)
class Library:
    """A shared object with Go code that the program loaded (a plugin): its path, file, load bias."""

    path: str
    elf: Elf
    bias: int


class Image:
    """Captured ranges of one address space.

    Attributes:
        memory: uint8[b], all ranges packed; every range starts at a multiple of 8 in it.
        words: int64 view of memory.
        starts, ends, offsets: int64[k], sorted and disjoint: address a with starts[i] <= a < ends[i] is
            memory[offsets[i] + a - starts[i]].
        registers: thread id -> {"rip": ..., "rsp": ..., "rbp": ..., ...} of amd64's user_regs_struct.
        binary: the ELF file of the program; bias: its load address minus its link address.
        mappings: the address space as it was.
        facts: how the capture went.
        libraries: plugins that it loaded, as far as their files are known.
        debug: the file that holds the debug information, where that is another than the binary and is known.
    """

    def __init__(
        self,
        memory: NDArray[np.uint8],
        ranges: I64,
        offsets: I64,
        *,
        binary: Elf,
        bias: int,
        registers: dict[int, dict[str, int]],
        mappings: list[Mapping],
        facts: CaptureFacts,
        libraries: tuple[Library, ...] = (),
        debug: DebugFile | None = None,
    ) -> None:
        """ranges: int64[k, 2] of [start, end), sorted and disjoint; offsets: int64[k] into memory."""
        self.memory = memory
        self.words: I64 = memory[: len(memory) & ~7].view(np.int64)
        self.starts: I64 = np.ascontiguousarray(ranges[:, 0])
        self.ends: I64 = np.ascontiguousarray(ranges[:, 1])
        self.offsets: I64 = offsets
        self.binary = binary
        self.bias = bias
        self.registers = registers
        self.mappings = mappings
        self.facts = facts
        self.libraries = libraries
        self.debug = debug
        self._starts: list[int] = self.starts.tolist()

    def offset_of(self, address: int, size: int) -> int:
        """Position in ``memory`` of [address, address + size), all in one range. Raises MissingMemory."""
        i = bisect.bisect_right(self._starts, address) - 1
        if i < 0 or address + size > int(self.ends[i]):
            cut = self.facts.shortfall
            raise MissingMemory(address, size, reason=cut, hint=TAKE_AGAIN if cut else "")
        return int(self.offsets[i]) + address - self._starts[i]

    def read(self, address: int, size: int) -> bytes:
        """size bytes at address. Raises MissingMemory."""
        at = self.offset_of(address, size)
        return self.memory[at : at + size].tobytes()

    def uint(self, address: int, size: int = 8) -> int:
        """Little-endian unsigned integer of size bytes at address. Raises MissingMemory."""
        return int.from_bytes(self.read(address, size), "little")

    def locate(self, addresses: I64, size: int | I64 = 8) -> I64:
        """Vectorised offset_of (one size, or int64[k]): int64[k] positions in ``memory``, -1 where absent."""
        i = np.searchsorted(self.starts, addresses, side="right") - 1
        j = np.maximum(i, 0)
        if not len(self.starts):
            return np.full(len(addresses), -1, np.int64)
        held = (i >= 0) & (addresses + size <= self.ends[j])
        return np.where(held, self.offsets[j] + addresses - self.starts[j], -1)

    def gather(
        self, addresses: I64, dtype: type[np.generic] | np.dtype[np.generic] = np.int64
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Values of dtype at addresses (any alignment) and which of them were captured (others read as 0)."""
        kind = np.dtype(dtype)
        at = self.locate(addresses, kind.itemsize)
        held = at >= 0
        columns = np.where(held, at, 0)[:, None] + np.arange(kind.itemsize)
        raw = self.memory[columns] if len(self.memory) else np.zeros((len(at), kind.itemsize), np.uint8)
        raw[~held] = 0
        return np.ascontiguousarray(raw).view(kind)[:, 0], held
