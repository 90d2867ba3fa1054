"""What /proc says of a process: threads, mappings, resident pages, owner, memory limits.

Imports ``capture.image``, ``capture.ranges``, ``model`` and numpy.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from goretain.capture.image import Mapping
from goretain.capture.ranges import I64, PAGE, as_ranges, bridged
from goretain.model.errors import NoSuchProcess, TargetGone

AT_ENTRY = 9
# End of user addresses on amd64; above is the kernel's, and its [vsyscall] page.
USER_SPACE = 1 << 47
# One pagemap entry is 8 bytes a page: asking about a gap of this size costs less than another system call.
_BRIDGE = 256 << 10
_PAGEMAP_WINDOW = 64 << 20


def status(pid: int) -> dict[str, str]:
    """/proc/PID/status by key. Raises NoSuchProcess."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        raise NoSuchProcess(pid) from None
    return {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}


def thread_ids(pid: int) -> list[int]:
    """Threads of a process. Raises TargetGone."""
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except (FileNotFoundError, ProcessLookupError):
        raise gone(pid) from None


def thread_state(pid: int, tid: int) -> str:
    """State letter of a thread (R, S, D, T, t, Z, X); X when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/task/{tid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "X"
    return stat.rsplit(")", 1)[1].split()[0]


def gone(pid: int) -> TargetGone:
    """The error for a target that ended."""
    return TargetGone(f"process {pid} ended while it was being read", hint="start it again, then try again")


def mappings(pid: int) -> list[Mapping]:
    """Lines of /proc/PID/maps that are in user space. Raises TargetGone."""
    try:
        text = Path(f"/proc/{pid}/maps").read_text(errors="surrogateescape")
    except (FileNotFoundError, ProcessLookupError):
        raise gone(pid) from None
    found = [_mapping(line) for line in text.splitlines()]
    return [mapping for mapping in found if mapping.end <= USER_SPACE]


def _mapping(line: str) -> Mapping:
    fields = line.split(None, 5)
    start, _, end = fields[0].partition("-")
    path = fields[5] if len(fields) > 5 else ""
    return Mapping(int(start, 16), int(end, 16), fields[1], int(fields[2], 16), path)


def is_anonymous(mapping: Mapping) -> bool:
    """Whether untouched pages of the mapping read as zero: private and not backed by a file."""
    path = mapping.path
    named = path in ("", "[heap]") or path.startswith(("[stack", "[anon:"))
    return named and mapping.flags[3] == "p"


def auxiliary(block: bytes) -> dict[int, int]:
    """The auxiliary vector (/proc/PID/auxv or a core's NT_AUXV) by AT_* number."""
    words = np.frombuffer(block[: len(block) & ~15], np.uint64).reshape(-1, 2)
    return {int(key): int(value) for key, value in words.tolist() if key}


def resident(pagemap: int, ranges: I64) -> I64:
    """Runs of pages that are in memory or in swap: normal int64[j, 2].

    Args:
        pagemap: descriptor of /proc/PID/pagemap.
        ranges: normal, page aligned; runs between two close ranges may be included.
    """
    parts: list[I64] = []
    for start, end in bridged(ranges, _BRIDGE).tolist():
        for begin in range(start, end, _PAGEMAP_WINDOW):
            parts.append(_runs(pagemap, begin, min(end, begin + _PAGEMAP_WINDOW)))
    return np.concatenate(parts) if parts else as_ranges(())


def _runs(pagemap: int, start: int, end: int) -> I64:
    pages = (end - start) // PAGE
    entries = np.frombuffer(os.pread(pagemap, pages * 8, start // PAGE * 8), np.uint64)
    flags = np.zeros(len(entries) + 2, np.int8)
    flags[1:-1] = (entries >> np.uint64(62)) != 0  # bit 63 present, bit 62 swapped
    steps = np.flatnonzero(np.diff(flags))
    return start + steps.reshape(-1, 2) * PAGE


def resident_bytes(pid: int) -> int | None:
    """Resident set size, None when unknown."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return None
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") if len(fields) > 1 else None


def program_name(pid: int) -> str:
    """Path of the executable as the kernel tells it, without " (deleted)"; "?" when unknown."""
    try:
        return os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)")
    except OSError:
        return "?"
