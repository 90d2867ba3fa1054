"""The program of a live process: opened through /proc/PID/exe, which is the very file even if replaced.

Imports ``debuginfo.elf``, ``capture`` siblings and ``model``.
"""

from __future__ import annotations

import os

from goretain.capture import procfs
from goretain.capture.program import check_program, load_bias
from goretain.capture.refusal import explain_refusal
from goretain.debuginfo.elf import Elf
from goretain.model.errors import CorruptFile, NotGoProgram, TargetGone


def open_program(pid: int) -> tuple[Elf, tuple[int, int]]:
    """The binary that the process runs, through /proc/PID/exe: also when its file was replaced or deleted.

    Returns it with (device, inode). Raises PermissionDenied, TargetGone, NotGoProgram,
    UnsupportedArchitecture.
    """
    try:
        fd = os.open(f"/proc/{pid}/exe", os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        raise explain_refusal(pid) from None
    except (FileNotFoundError, ProcessLookupError):
        raise procfs.gone(pid) from None
    try:
        about = os.fstat(fd)
        binary = Elf.open(fd)
    except CorruptFile as error:
        raise NotGoProgram(f"process {pid}: {error.message}", hint="give the PID of a Go program") from None
    finally:
        os.close(fd)
    check_program(binary, f"process {pid}")
    return binary, (about.st_dev, about.st_ino)


def bias_of(pid: int, binary: Elf) -> int:
    """Load address minus link address, by the auxiliary vector. Raises PermissionDenied, TargetGone."""
    try:
        with open(f"/proc/{pid}/auxv", "rb") as file:
            entry = procfs.auxiliary(file.read()).get(procfs.AT_ENTRY)
    except PermissionError:
        raise explain_refusal(pid) from None
    except (FileNotFoundError, ProcessLookupError):
        raise procfs.gone(pid) from None
    if entry is None:
        raise procfs.gone(pid)
    return load_bias(binary, entry)


def check_identity(pid: int, identity: tuple[int, int]) -> None:
    """Raise TargetGone if the process runs another program (it called exec) than the one opened."""
    try:
        about = os.stat(f"/proc/{pid}/exe")  # noqa: PTH116 follows what is no path
    except OSError:
        raise procfs.gone(pid) from None
    if (about.st_dev, about.st_ino) != identity:
        raise TargetGone(
            f"process {pid} replaced its program (exec) while it was being read", hint="try again"
        )
