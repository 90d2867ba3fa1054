"""The program of a live process: opened through /proc/PID/exe, which is the very file even if replaced.

That link leads to the file itself, whatever mount namespace, overlay or chroot the process lives in and
whether or not the file still has a name. Who holds CAP_SYS_PTRACE alone may not open what in /proc/PID only
its owner may (auxv, mem, pagemap: the file modes say so); for those there are other ways here and in
``capture.frozen.live``. Imports ``debuginfo.elf.elf``, ``capture`` and ``model``.
"""

from __future__ import annotations

import contextlib
import os

from goretain.capture import libc, procfs
from goretain.capture.binaries.program import check_program, load_bias
from goretain.capture.rights import privileges
from goretain.capture.rights.namespaces import namesakes_hint
from goretain.capture.rights.refusal import explain_refusal, explain_unreadable
from goretain.debuginfo.elf.elf import PF_X, PT_LOAD, Elf
from goretain.model.errors import CorruptFile, NotGoProgram, PermissionDenied, TargetGone

# Bytes of the program that are compared with its memory: headers and the first of its read-only data.
_HEAD = 1024


def open_program(pid: int) -> tuple[Elf, tuple[int, int]]:
    """The binary that the process runs, through /proc/PID/exe: also when its file was replaced or deleted.

    Returns it with (device, inode). Raises PermissionDenied, TargetGone, NotGoProgram,
    UnsupportedArchitecture.
    """
    try:
        fd = os.open(f"/proc/{pid}/exe", os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        raise explain_unreadable(pid) from None
    except (FileNotFoundError, ProcessLookupError):
        raise procfs.gone(pid) from None
    try:
        about = os.fstat(fd)
        binary = Elf.open(fd)
    except CorruptFile as error:
        raise NotGoProgram(f"process {pid}: {error.message}", hint=_which(pid)) from None
    finally:
        os.close(fd)
    try:
        check_program(binary, f"process {pid}")
    except NotGoProgram as error:
        error.hint = _which(pid, error.hint)
        raise
    return binary, (about.st_dev, about.st_ino)


def _which(pid: int, otherwise: str = "give the PID of a Go program") -> str:
    """What a user who gave the PID of something else may have meant."""
    return namesakes_hint(pid) or otherwise


def bias_of(pid: int, binary: Elf) -> int:
    """Load address minus link address, by the auxiliary vector. Raises PermissionDenied, TargetGone."""
    try:
        with open(f"/proc/{pid}/auxv", "rb") as file:
            entry = procfs.auxiliary(file.read()).get(procfs.AT_ENTRY)
    except PermissionError:
        return _bias_by_code(pid, binary)
    except (FileNotFoundError, ProcessLookupError):
        raise procfs.gone(pid) from None
    if entry is None:
        raise procfs.gone(pid)
    return load_bias(binary, entry)


def _bias_by_code(pid: int, binary: Elf) -> int:
    """The same by the start of the program's code, for who may trace the process but not open its auxv.

    Kernels before 5.4 say where the first segment begins, later ones where the first one of code does. The
    program's own first bytes, which are read-only, tell which.
    """
    start = procfs.start_code(pid)
    if start is None or not privileges.may_attach(pid):
        raise explain_refusal(pid)
    loads = [segment for segment in binary.segments if segment.type == PT_LOAD]
    first = min(loads, key=lambda segment: segment.vaddr)
    head = binary.read(first.offset, min(first.filesz, _HEAD))
    code = [segment for segment in loads if segment.flags & PF_X]
    for segment in (*code[:1], first):
        bias = start - segment.vaddr
        with contextlib.suppress(OSError):
            if bias % 4096 == 0 and libc.peek(pid, first.vaddr + bias, len(head)) == head:
                return bias
    raise PermissionDenied(
        f"where process {pid} loaded its program is not known: its auxiliary vector may not be read by user"
        f" {os.geteuid()}",
        hint="run goretain as root or as the user that the process runs as",
    )


def identity_of(pid: int) -> tuple[int, int]:
    """(device, inode) of the program that the process runs. Raises TargetGone."""
    try:
        about = os.stat(f"/proc/{pid}/exe")  # noqa: PTH116 follows what is no path
    except OSError:
        raise procfs.gone(pid) from None
    return about.st_dev, about.st_ino


def check_identity(pid: int, identity: tuple[int, int]) -> None:
    """Raise TargetGone if the process runs another program (it called exec) than the one opened."""
    if identity_of(pid) != identity:
        raise TargetGone(
            f"process {pid} replaced its program (exec) while it was being read", hint="try again"
        )
