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

from goretain.capture.ranges import I64, PAGE, as_ranges, bridged, intersect, normalise

_SCAN = 0xC0606610  # _IOWR('f', 16, struct pm_scan_arg)
_SCAN_ARGUMENTS = struct.Struct("<12Q")
_PRESENT_OR_SWAPPED = 1 << 3 | 1 << 4
_REGIONS = 4096
# To ask about a gap costs less than another system call up to about this size.
_SCAN_BRIDGE, _READ_BRIDGE = 2 << 20, 512 << 10
_WINDOW = 64 << 20


def resident(pagemap: int, ranges: I64) -> I64:
    """The pages of ranges that are in memory or in swap: normal int64[j, 2].

    Args:
        pagemap: descriptor of /proc/PID/pagemap.
        ranges: normal, page aligned.

    Raises ProcessLookupError when the process ended: its pages are gone, not untouched.
    """
    try:
        found = _scan(pagemap, bridged(ranges, _SCAN_BRIDGE))
    except OSError as error:
        if error.errno not in (errno.ENOTTY, errno.EINVAL, errno.EPERM, errno.ENOSYS):
            raise
        found = _read(pagemap, bridged(ranges, _READ_BRIDGE))
    return intersect(ranges, normalise(found))


def _scan(pagemap: int, windows: I64) -> I64:
    regions = np.zeros((_REGIONS, 3), np.int64)  # struct page_region: start, end, categories
    parts: list[I64] = []
    for start, end in windows.tolist():
        at = start
        while at < end:
            arguments = bytearray(
                _SCAN_ARGUMENTS.pack(
                    _SCAN_ARGUMENTS.size, 0, at, end, 0, regions.ctypes.data, _REGIONS, 0,
                    0, 0, _PRESENT_OR_SWAPPED, _PRESENT_OR_SWAPPED,
                )
            )  # fmt: skip
            count = fcntl.ioctl(pagemap, _SCAN, arguments)
            parts.append(regions[:count, :2].copy())
            at = _SCAN_ARGUMENTS.unpack(arguments)[4] if count == _REGIONS else end
    return np.concatenate(parts) if parts else as_ranges(())


def _read(pagemap: int, windows: I64) -> I64:
    parts: list[I64] = []
    for start, end in windows.tolist():
        begins = range(start, end, _WINDOW)
        parts.extend(_runs(pagemap, begin, min(end, begin + _WINDOW)) for begin in begins)
    return np.concatenate(parts) if parts else as_ranges(())


def _runs(pagemap: int, start: int, end: int) -> I64:
    pages = (end - start) // PAGE
    data = os.pread(pagemap, pages * 8, start // PAGE * 8)
    if len(data) < pages * 8:
        raise ProcessLookupError(errno.ESRCH, "the pagemap ends early: its process ended")
    entries = np.frombuffer(data, np.uint64)
    flags = np.zeros(len(entries) + 2, np.int8)
    flags[1:-1] = (entries >> np.uint64(62)) != 0  # bit 63 present, bit 62 swapped
    steps = np.flatnonzero(np.diff(flags))
    return start + steps.reshape(-1, 2) * PAGE
