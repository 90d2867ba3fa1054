"""The destination of a copy: one sparse anonymous mapping, sized and faulted in before the target is frozen.

Pages that are never written stay untouched and read as zero, which is what untouched anonymous pages of the
target hold too. Imports numpy, ``capture.libc``, ``capture.room.limits`` and ``model``.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from goretain.capture import libc
from goretain.capture.ranges import I64, PAGE
from goretain.capture.room.limits import BRIM
from goretain.model.errors import NotEnoughMemory

_HUGE = 2 << 20
# What is looked at before a step is still enough after it.
_STEP = BRIM // 2


def _rounded(size: int) -> int:
    return (size + _HUGE - 1) & -_HUGE


def _refused(size: int) -> NotEnoughMemory:
    return NotEnoughMemory(
        f"the kernel does not give us {size >> 20} MiB of address space",
        hint="lift 'ulimit -v', or vm.overcommit_memory=2, under which untouched memory counts too",
    )


class _Block:
    """Owns the mapping; numpy arrays over it keep it alive."""

    def __init__(self, address: int, size: int) -> None:
        self.__array_interface__ = {
            "data": (address, False),
            "shape": (size,),
            "typestr": "|u1",
            "version": 3,
        }
        # Not at exit: arrays may still be in use then, and the kernel takes everything back anyway.
        weakref.finalize(self, libc.unmap, address, size).atexit = False


class Reservation:
    """size bytes of zeros that cost memory only where written.

    Attributes:
        address: where it is now (``grow`` may move it).
        size: bytes reserved.
    """

    def __init__(self, size: int) -> None:
        """Raises NotEnoughMemory."""
        self.size = max(_rounded(size), _HUGE)
        try:
            self.address = libc.reserve(self.size)
        except OSError:
            raise _refused(self.size) from None
        self._owned = True
        libc.advise(self.address, self.size, libc.MADV_HUGEPAGE)

    def populate(self, runs: I64, between: Callable[[], None]) -> None:
        """Fault in the pages under runs int64[k, 2] of [start, end) offsets, so that the copy need not.

        runs: sorted. between: called before each step of 8 MiB of addresses, in which no more than that can
        be faulted in however large pages are; may raise to stop.
        """
        looked = -1
        for start, end in runs.tolist():
            begin, stop = start & -PAGE, min(end, self.size)
            while begin < stop:
                step = begin // _STEP
                if step != looked:
                    between()
                    looked = step
                size = min(stop, (step + 1) * _STEP) - begin
                libc.advise(self.address + begin, size, libc.MADV_POPULATE_WRITE)
                begin += size

    def clear(self, runs: I64, since: int) -> None:
        """Zeros under runs int64[k, 2] of [start, end) offsets again, from offset since on."""
        for start, end in runs.tolist():
            begin = max(start, since)
            if begin < end:
                ctypes.memset(self.address + begin, 0, end - begin)

    def grow(self, size: int) -> None:
        """Make room for size bytes, keeping what is there. Raises NotEnoughMemory."""
        if size <= self.size:
            return
        size = _rounded(size)
        try:
            self.address = libc.resize(self.address, self.size, size)
        except OSError:
            raise _refused(size) from None
        self.size = size

    def detach(self, size: int) -> NDArray[np.uint8]:
        """The first size bytes as an array that owns the mapping; the reservation is empty afterwards."""
        self._owned = False
        rest = _rounded(size)
        if rest < self.size:
            libc.advise(self.address + rest, self.size - rest, libc.MADV_DONTNEED)
        return np.asarray(_Block(self.address, self.size))[:size]

    def free(self) -> None:
        """Give the memory back unless an array owns it."""
        if self._owned:
            self._owned = False
            libc.unmap(self.address, self.size)
