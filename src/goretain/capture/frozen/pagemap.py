"""Which pages of a process are worth reading: those in memory or in swap.

An anonymous page that was never touched is zero; to read it would make the target allocate page tables.
Asks by the PAGEMAP_SCAN ioctl (Linux 6.7), else by reading /proc/PID/pagemap
(Documentation/admin-guide/mm/pagemap.rst). Imports ``capture.ranges`` and numpy.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct

import numpy as np

from goretain.capture.ranges import I64, PAGE, bridged, intersect, normalise, total

_SCAN = 0xC0606610  # _IOWR('f', 16, struct pm_scan_arg)
_SCAN_ARGUMENTS = struct.Struct("<12Q")
#: Categories of pages (PAGE_IS_* of include/uapi/linux/fs.h): of a file or of shared memory, in memory, in
#: swap, the page of zeros that all untouched memory shares once it was read.
FILE, PRESENT, SWAPPED, ZERO = 1 << 2, 1 << 3, 1 << 4, 1 << 5
# The same in an entry of the file; that a page is mapped once tells memory of its own from the page of zeros.
_BITS = {FILE: 61, PRESENT: 63, SWAPPED: 62}
_EXCLUSIVE = 56
_REGIONS = 4096
# To ask about a gap costs less than another system call up to about this size.
_SCAN_BRIDGE, _READ_BRIDGE = 2 << 20, 512 << 10
_WINDOW = 64 << 20
# Address space of which each page is asked for: the shadow memory of the race detector is larger.
_READ_LIMIT = 64 << 30


def resident(pagemap: int, ranges: I64) -> I64:
    """The pages of ranges that are in memory or in swap: normal int64[j, 2].

    Args:
        pagemap: descriptor of /proc/PID/pagemap.
        ranges: normal, page aligned.

    Raises ProcessLookupError when the process ended: its pages are gone, not untouched.
    """
    return intersect(ranges, normalise(_ask(pagemap, ranges, PRESENT | SWAPPED)[:, :2]))


def categories(pagemap: int, ranges: I64) -> I64:
    """What the pages of ranges are that are in memory or in swap: int64[j, 3] of start, end and categories.

    Sorted and disjoint; pages between ranges that lie close may be among them. Arguments and errors as of
    ``resident``.
    """
    return _ask(pagemap, ranges, FILE | PRESENT | SWAPPED | ZERO)


def _ask(pagemap: int, ranges: I64, wanted: int) -> I64:
    try:
        return _scan(pagemap, bridged(ranges, _SCAN_BRIDGE), wanted)
    except OSError as error:
        if error.errno not in (errno.ENOTTY, errno.EINVAL, errno.EPERM, errno.ENOSYS):
            raise
    windows = bridged(ranges, _READ_BRIDGE)
    if total(windows) > _READ_LIMIT:
        raise OSError(errno.EFBIG, "there are too many pages to ask for each")
    return _read(pagemap, windows, wanted)


def _scan(pagemap: int, windows: I64, wanted: int) -> I64:
    regions = np.zeros((_REGIONS, 3), np.int64)  # struct page_region: start, end, categories
    parts: list[I64] = []
    for start, end in windows.tolist():
        at = start
        while at < end:
            arguments = bytearray(
                _SCAN_ARGUMENTS.pack(
                    _SCAN_ARGUMENTS.size, 0, at, end, 0, regions.ctypes.data, _REGIONS, 0,
                    0, 0, PRESENT | SWAPPED, wanted,
                )
            )  # fmt: skip
            count = fcntl.ioctl(pagemap, _SCAN, arguments)
            parts.append(regions[:count].copy())
            at = _SCAN_ARGUMENTS.unpack(arguments)[4] if count == _REGIONS else end
    return np.concatenate(parts) if parts else np.empty((0, 3), np.int64)


def _read(pagemap: int, windows: I64, wanted: int) -> I64:
    parts: list[I64] = []
    for start, end in windows.tolist():
        begins = range(start, end, _WINDOW)
        parts.extend(_runs(pagemap, begin, min(end, begin + _WINDOW), wanted) for begin in begins)
    return np.concatenate(parts) if parts else np.empty((0, 3), np.int64)


def _runs(pagemap: int, start: int, end: int, wanted: int) -> I64:
    pages = (end - start) // PAGE
    data = os.pread(pagemap, pages * 8, start // PAGE * 8)
    if len(data) < pages * 8:
        raise ProcessLookupError(errno.ESRCH, "the pagemap ends early: its process ended")
    entries = np.frombuffer(data, np.uint64)
    found = np.zeros(pages + 2, np.int64)
    for category, bit in _BITS.items():
        found[1:-1] |= np.where(entries >> np.uint64(bit) & np.uint64(1), category, 0)
    own = entries >> np.uint64(_EXCLUSIVE) & np.uint64(1)
    found[1:-1] |= np.where((found[1:-1] == PRESENT) & (own == 0), ZERO, 0)
    found[found & (PRESENT | SWAPPED) == 0] = 0
    found &= wanted
    steps = np.flatnonzero(np.diff(found))
    held = found[steps + 1] != 0
    ends = np.append(steps[1:], pages)
    runs: I64 = np.column_stack((start + steps * PAGE, start + ends * PAGE, found[steps + 1]))[held]
    return runs
