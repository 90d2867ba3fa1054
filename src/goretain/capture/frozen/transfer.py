"""Reading many ranges of another process into our memory, on as many processors as there are.

By process_vm_readv, which reads a thousand ranges a call and waits for no lock of Python's; what it refuses
(pages that the process itself may not read) comes through /proc/PID/mem. Imports ``capture``,
``model`` and numpy.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable

import numpy as np

from goretain.capture import libc, procfs
from goretain.capture.ranges import I64
from goretain.model.errors import MissingMemory

# One system call reads at most this much: between two of them an interruption is noticed.
_BATCH = 2 << 20
# Less than this is read before another thread has started.
_WORTH_SHARING = 32 << 20
# Memory is not faster than this many processors.
_MOST_THREADS = 4


class BulkReader:
    """Reads memory of one process.

    memory is a descriptor of /proc/PID/mem that outlives this object, -1 where that may not be opened.

    Attributes:
        shares: long reads are shared with other threads. Not to be done where memory may run out: the kernel
            releases what a killed process traced when its tracing thread has ended, but takes its memory
            back when all have.
    """

    def __init__(self, pid: int, memory: int) -> None:
        self.pid = pid
        self.shares = True
        self._memory = memory

    def read(self, remote: I64, sizes: I64, local: I64, between: Callable[[int], None] | None = None) -> int:
        """Read sizes[i] bytes at remote[i] to our address local[i]; returns the bytes read.

        Args:
            between: called in this thread between system calls with the bytes read so far; may raise to stop.

        Raises MissingMemory where a page cannot be read, TargetGone.
        """
        remote, sizes, local = _split(remote, sizes, local)
        batches = _batches(sizes)
        total = int(sizes.sum())
        done: list[int] = []
        failures: list[BaseException] = []

        def work(between: Callable[[int], None] | None) -> None:
            try:
                while (batch := _take(batches)) and not failures:
                    done.append(
                        self._batch(remote[slice(*batch)], sizes[slice(*batch)], local[slice(*batch)])
                    )
                    if between is not None:
                        between(sum(done))
            except BaseException as failure:
                failures.append(failure)  # raised below, when all threads have ended

        helpers = [threading.Thread(target=work, args=(None,)) for _ in range(self.helpers(total))]
        for helper in helpers:
            helper.start()
        work(between)
        for helper in helpers:
            helper.join()
        if failures:
            raise failures[0]
        return total

    def helpers(self, size: int) -> int:
        """Threads beside our own that reading so much is shared with."""
        if size < _WORTH_SHARING or not self.shares:
            return 0
        return min(len(os.sched_getaffinity(0)), _MOST_THREADS) - 1

    def _batch(self, remote: I64, sizes: I64, local: I64) -> int:
        got = self._readv(remote, sizes, local)
        ends = np.cumsum(sizes)
        while got < int(ends[-1]):
            # One piece broke off: the rest of it is read another way, what follows it as before.
            k = int(np.searchsorted(ends, got, side="right"))
            inside = got - (int(ends[k]) - int(sizes[k]))
            self._read_piece(int(remote[k]) + inside, int(sizes[k]) - inside, int(local[k]) + inside)
            got = int(ends[k])
            if k + 1 < len(sizes):
                got += self._readv(remote[k + 1 :], sizes[k + 1 :], local[k + 1 :])
        return got

    def _readv(self, remote: I64, sizes: I64, local: I64) -> int:
        theirs = np.column_stack((remote, sizes))
        ours = np.column_stack((local, sizes))
        try:
            return libc.process_vm_readv(self.pid, ours, theirs)
        except OSError as error:
            if error.errno == errno.ESRCH:
                raise procfs.gone(self.pid) from None
            return 0

    def _read_piece(self, remote: int, size: int, local: int) -> None:
        """By /proc/PID/mem, which also reads what the target itself may not."""
        view = libc.view(local, size)
        done = 0
        while done < size:
            try:
                got = os.preadv(self._memory, [view[done:]], remote + done)
            except OSError:
                got = -1
            if got <= 0:
                if got == 0 or procfs.thread_state(self.pid, self.pid) in "ZX":
                    raise procfs.gone(self.pid)
                raise MissingMemory(remote + done, size - done)
            done += got


def _take(batches: list[tuple[int, int]]) -> tuple[int, int] | None:
    """The last batch, taken off the list; None when another thread had it."""
    try:
        return batches.pop()
    except IndexError:
        return None


def _batches(sizes: I64) -> list[tuple[int, int]]:
    """Index ranges of pieces that are read by one call each; the last comes first."""
    ends = np.cumsum(sizes)
    found: list[tuple[int, int]] = []
    first, done = 0, 0
    while first < len(sizes):
        last = int(np.searchsorted(ends, done + _BATCH, side="right"))
        last = min(max(last, first + 1), first + libc.IOV_MAX)
        found.append((first, last))
        first, done = last, int(ends[last - 1])
    return found[::-1]


def _split(remote: I64, sizes: I64, local: I64) -> tuple[I64, I64, I64]:
    """The same pieces without empty ones and with none longer than a batch."""
    parts = -(-sizes // _BATCH)
    if bool((parts == 1).all()):
        return remote, sizes, local
    which = np.repeat(np.arange(len(sizes)), parts)
    before = np.concatenate(([0], np.cumsum(parts)[:-1])) if len(parts) else parts
    shift = (np.arange(len(which)) - np.repeat(before, parts)) * _BATCH
    return remote[which] + shift, np.minimum(sizes[which] - shift, _BATCH), local[which] + shift
