"""Processes and files as a container sees them: its PIDs, its /proc, the files of its mount namespace.

A PID means what it means to the reader's own PID namespace; /proc means what it meant to whoever mounted
it. Where the two disagree, reading /proc/PID and tracing PID would concern two processes. Source:
pid_namespaces(7), proc(5) NSpid, openat2(2) RESOLVE_IN_ROOT. Imports ``capture``,
``debuginfo.elf.elf`` and ``model``.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from goretain.capture import libc, procfs
from goretain.debuginfo.elf.elf import Elf
from goretain.model.errors import GoretainError, PermissionDenied

_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Namesake:
    """A process that another PID namespace knows by the number that was asked for.

    Attributes:
        pid: here. name: of its program (comm). go: whether Go built it; None when its file may not be read.
    """

    pid: int
    name: str
    go: bool | None


def check_proc() -> None:
    """Raise PermissionDenied unless /proc is that of our own PID namespace."""
    try:
        seen = str(Path("/proc/self").readlink())
    except OSError:
        seen = ""
    if seen == str(os.getpid()):
        return
    what = "belongs to another PID namespace than goretain" if seen else "is not mounted, or of another kind"
    raise PermissionDenied(
        f"/proc {what}: its process numbers are not ours",
        hint="mount one: unshare --mount sh -c 'mount -t proc proc /proc && goretain why PID'",
    )


def nested_ids(pid: int) -> list[int]:
    """The process's PIDs, ours first, then in each PID namespace below (NSpid). Raises NoSuchProcess."""
    return [int(number) for number in procfs.status(pid).get("NSpid", str(pid)).split()]


def namesakes(number: int) -> list[Namesake]:
    """Processes that are called number in a PID namespace below ours, Go programs first."""
    found: list[Namesake] = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == number:
            continue
        with contextlib.suppress(GoretainError, OSError):
            status = procfs.status(int(folder.name))
            nested = status.get("NSpid", "").split()[1:]
            if str(number) in nested and "VmSize" in status:
                pid = int(folder.name)
                found.append(Namesake(pid, status.get("Name", "?"), _is_go(pid)))
    return sorted(found, key=lambda one: (one.go is not True, one.pid))


def _is_go(pid: int) -> bool | None:
    try:
        binary = Elf.open(f"/proc/{pid}/exe")
    except OSError:
        return None
    except GoretainError:
        return False
    try:
        return binary.go_version is not None
    except GoretainError:
        return False
    finally:
        binary.close()


def namesakes_hint(number: int) -> str:
    """Which processes a user who took the number from inside a container may mean; "" when there is none."""
    likely = [one for one in namesakes(number) if one.go is not False]
    if not likely:
        return ""
    listed = ", ".join(f"{one.pid} ({one.name})" for one in likely[:_MOST_NAMED])
    more = f" and {len(likely) - _MOST_NAMED} more" if len(likely) > _MOST_NAMED else ""
    return f"what a container calls process {number} is here process {listed}{more}"


def open_inside(pid: int, path: str) -> int:
    """A descriptor of a regular file as the process would open it: in its mount namespace, below its root.

    Links on the way are followed inside that root and never lead out of it; nothing that is not a regular
    file is opened. Raises OSError.
    """
    root = os.open(f"/proc/{pid}/root", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return libc.open_below(root, path.lstrip("/"))
    finally:
        os.close(root)
