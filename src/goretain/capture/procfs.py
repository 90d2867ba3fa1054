"""What /proc says of a process: status, threads, mappings, auxiliary vector.

Imports ``capture.image``, ``model`` and numpy.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from goretain.capture.image import Mapping
from goretain.capture.ranges import USER_SPACE
from goretain.model.errors import NoSuchProcess, TargetGone

AT_ENTRY = 9
_PF_KTHREAD = 0x00200000


def status(pid: int) -> dict[str, str]:
    """/proc/PID/status by key. Raises NoSuchProcess."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(errors="replace")  # its name is what it calls itself
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # the last is what hidepid=1 says
        raise NoSuchProcess(pid) from None
    return {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}


def thread_ids(pid: int) -> list[int]:
    """Threads of a process. Raises TargetGone."""
    try:
        return [int(folder.name) for folder in Path(f"/proc/{pid}/task").iterdir()]
    except (FileNotFoundError, ProcessLookupError):
        raise gone(pid) from None


def thread_state(pid: int, tid: int) -> str:
    """State letter of a thread (R, S, D, T, t, Z, X); X when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/task/{tid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return "X"
    return stat.rsplit(")", 1)[1].split()[0]


def is_kernel_thread(pid: int) -> bool:
    """Whether a process is a thread of the kernel: flag PF_KTHREAD (include/linux/sched.h) in field 9 of
    /proc/PID/stat. One that is ending has no memory either. Raises TargetGone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        raise gone(pid) from None
    return bool(int(stat.rpartition(")")[2].split()[6]) & _PF_KTHREAD)


def parent(pid: int) -> int:
    """PID of the parent, 0 when the process is gone."""
    try:
        return int(status(pid).get("PPid", "0"))
    except NoSuchProcess:
        return 0


def gone(pid: int) -> TargetGone:
    """The error for a target that ended."""
    return TargetGone(f"process {pid} ended while it was being read", hint="start it again, then try again")


def mappings(pid: int) -> list[Mapping]:
    """Lines of /proc/PID/maps that are in user space. Raises TargetGone."""
    try:
        text = Path(f"/proc/{pid}/maps").read_text(errors="surrogateescape")
    except (FileNotFoundError, ProcessLookupError):
        raise gone(pid) from None
    if not text:  # its memory is gone, its PID is not yet
        raise gone(pid)
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


def start_code(pid: int) -> int | None:
    """Where the first executable segment of the program begins; None when the kernel does not tell us.

    Field 26 of /proc/PID/stat, which everybody may open and whoever may trace the process sees filled in.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        raise gone(pid) from None
    address = int(stat.rpartition(")")[2].split()[23])
    return address if address > 1 else None  # 1 is what others see


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
        return str(Path(f"/proc/{pid}/exe").readlink()).removesuffix(" (deleted)")
    except OSError:
        return "?"


def below_root(pid: int, path: str) -> str:
    """A path that the kernel told of a process, below the root directory of that process.

    The kernel tells paths as they are in the mount namespace. The root directory of a container is the root
    of one, that of a process under chroot is not.
    """
    try:
        root = str(Path(f"/proc/{pid}/root").readlink())
    except OSError:
        return path
    return path.removeprefix(root) if root != "/" and path.startswith(f"{root}/") else path
