"""Memory of a live process, read by process_vm_readv, and by /proc/PID/mem where that refuses.

Knows which pages are worth reading: pages of anonymous memory that were never touched are zero, and reading
them would make the target allocate page tables. Imports ``debuginfo``, ``capture``, ``model`` and
numpy.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from goretain.capture import libc, procfs
from goretain.capture.frozen import pagemap
from goretain.capture.frozen.resident import measure
from goretain.capture.frozen.transfer import BulkReader
from goretain.capture.image import Mapping
from goretain.capture.ranges import I64, PAGE, aligned, as_ranges, intersect, normalise, subtract
from goretain.capture.residency import Residency
from goretain.capture.rights import privileges
from goretain.capture.rights.refusal import explain_refusal
from goretain.debuginfo.elf.elf import Elf
from goretain.model.errors import MissingMemory, TargetGone


class LiveProcess:
    """A MemorySource over a process, running or frozen.

    Attributes:
        registers: of the frozen threads; empty while the process runs.
        reader: reads many ranges at once.
    """

    def __init__(self, pid: int, binary: Elf, bias: int) -> None:
        """Raises PermissionDenied, TargetGone."""
        self.pid = pid
        self.binary = binary
        self.bias = bias
        self.registers: dict[int, dict[str, int]] = {}
        self._mappings: list[Mapping] = []
        self._files: list[int] = []
        self._between: Callable[[], None] = _nothing
        try:
            # Only the owner of a process may open these (by their mode), also where CAP_SYS_PTRACE lets us
            # trace it: -1 then. Memory comes by process_vm_readv alone, and every page counts as touched.
            self._memory = self._open("mem")
            self._pagemap = self._open("pagemap")
            self.reader = BulkReader(pid, self._memory)
        except BaseException:
            self.close()
            raise

    def _open(self, name: str) -> int:
        try:
            fd = os.open(f"/proc/{self.pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        except PermissionError:
            if privileges.may_attach(self.pid):
                return -1
            raise explain_refusal(self.pid) from None
        except (FileNotFoundError, ProcessLookupError):
            raise procfs.gone(self.pid) from None
        self._files.append(fd)
        return fd

    def close(self) -> None:
        """Close what is open under /proc."""
        while self._files:
            os.close(self._files.pop())

    def mappings(self) -> list[Mapping]:
        """The address space as it is now. Raises TargetGone."""
        return self._mappings or procfs.mappings(self.pid)

    def hold(self, registers: dict[int, dict[str, int]], between: Callable[[], None]) -> None:
        """Take note that the process is frozen: its mappings stay what they are now. Raises TargetGone.

        between: called now and then while something is read; may raise to stop.
        """
        self.registers = registers
        self._between = between
        self._mappings = procfs.mappings(self.pid)

    def let_go(self) -> None:
        """Take note that it runs again."""
        self.registers = {}
        self._mappings = []
        self._between = _nothing

    def read(self, address: int, size: int) -> bytes:
        """size bytes at address. Raises MissingMemory, TargetGone."""
        self._between()
        data = b""
        try:
            while len(data) < size:
                part = self._read_some(address + len(data), size - len(data))
                if not part:
                    raise procfs.gone(self.pid)
                data += part
        except (OSError, OverflowError):
            raise MissingMemory(address, size) from None
        return data

    def _read_some(self, address: int, size: int) -> bytes:
        if self._memory >= 0:
            return os.pread(self._memory, size, address)
        try:
            return libc.peek(self.pid, address, size)
        except ProcessLookupError:
            return b""

    def gather(self, ranges: I64) -> NDArray[np.uint8]:
        """All ranges int64[k, 2] concatenated in the order given. Raises MissingMemory, TargetGone."""
        if len(ranges) and bool((ranges[:, 0] < 0).any() | (ranges[:, 1] < ranges[:, 0]).any()):
            bad = ranges[(ranges[:, 0] < 0) | (ranges[:, 1] < ranges[:, 0])][0]
            raise MissingMemory(int(bad[0]), int(bad[1] - bad[0]))
        sizes = ranges[:, 1] - ranges[:, 0]
        out = np.empty(int(sizes.sum()), np.uint8)
        places = out.ctypes.data + np.concatenate(([0], np.cumsum(sizes)[:-1])) if len(sizes) else sizes
        self.reader.read(ranges[:, 0], sizes, places.astype(np.int64), lambda _done: self._between())
        return out

    def residency(self, program: str) -> Residency | None:
        """What its RSS is made of; None when that cannot be told. program: path of its executable."""
        try:
            return measure(self._pagemap, self.mappings(), program)
        except TargetGone:
            return None

    def pieces(self, ranges: I64, mapped: list[Mapping]) -> tuple[I64, I64]:
        """What of normal ranges must be read, and what is not there.

        Returns (normal int64[j, 2] that may hold something else than zeros, normal int64[m, 2] not mapped).
        Raises TargetGone.
        """
        readable = [m for m in mapped if m.flags[0] == "r" and not m.path.startswith("[v")]
        anonymous = normalise(as_ranges((m.start, m.end) for m in readable if procfs.is_anonymous(m)))
        backed = normalise(as_ranges((m.start, m.end) for m in readable if not procfs.is_anonymous(m)))
        asked = intersect(ranges, anonymous)
        try:
            runs = asked
            if self._pagemap >= 0:
                runs = pagemap.resident(self._pagemap, normalise(aligned(asked, PAGE)))
        except ProcessLookupError:
            raise procfs.gone(self.pid) from None
        found = normalise(np.concatenate((intersect(asked, normalise(runs)), intersect(ranges, backed))))
        return found, subtract(subtract(ranges, anonymous), backed)


def _nothing() -> None:
    """Nobody waits."""


def placed(pieces: I64, ranges: I64, offsets: I64) -> I64:
    """Offsets int64[j] of normal pieces int64[j, 2] of normal ranges int64[k, 2] at offsets int64[k]."""
    owner = np.searchsorted(ranges[:, 0], pieces[:, 0], side="right") - 1
    found: I64 = offsets[owner] + pieces[:, 0] - ranges[owner, 0]
    return found
