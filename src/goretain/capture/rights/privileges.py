"""What this process may do: capabilities, Yama's scope, seccomp, and whether it may attach to a process.

Every question is asked without stopping or changing anybody: attaching is asked for by process_vm_readv of
an address that nobody maps, which the kernel checks exactly as it checks PTRACE_SEIZE
(PTRACE_MODE_ATTACH_REALCREDS). Source: kernel/ptrace.c, security/commoncap.c, security/yama/yama_lsm.c,
capabilities(7), mm/process_vm_access.c. Imports ``capture``.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from pathlib import Path

from goretain.capture import libc

SYS_PTRACE = 1 << 19
_YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
_CAPABILITY_VERSION_3 = 0x20080522
# By number, linux/capability.h.
_CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
)  # fmt: skip
_MOST_NAMED = 4


def capabilities(status: dict[str, str], kind: str = "CapEff") -> int:
    """One set of /proc/PID/status as a mask: CapEff, CapPrm, CapBnd, CapInh or CapAmb; 0 when absent."""
    return int(status.get(kind, "0"), 16)


def names(mask: int) -> str:
    """The first capabilities of a mask by name."""
    numbers = [number for number in range(64) if mask >> number & 1]
    known = [f"CAP_{_CAPABILITIES[n]}" if n < len(_CAPABILITIES) else f"number {n}" for n in numbers]
    more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
    return ", ".join(known[:_MOST_NAMED]) + more


def claim() -> None:
    """Make CAP_SYS_PTRACE effective in this thread, and those that it starts, if it is permitted.

    A file capability without the effective bit (setcap cap_sys_ptrace=p) lets a program start where the
    capability is not to be had, and leaves it to the program to take it.
    """
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    # struct __user_cap_data_struct[2]: effective, permitted, inheritable; the low 32 capabilities come first.
    data = (ctypes.c_uint32 * 6)()
    with contextlib.suppress(OSError):
        libc.capget(header, data)
        if data[1] & SYS_PTRACE and not data[0] & SYS_PTRACE:
            data[0] |= SYS_PTRACE
            libc.capset(header, data)


def may_attach(pid: int) -> bool:
    """Whether the kernel lets us trace and read a process now; it is not touched. False when it is gone."""
    return _attach_errno(pid) in (0, errno.EFAULT)


def _attach_errno(pid: int) -> int:
    try:
        libc.peek(pid, 0, 1)
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def filtered() -> list[str]:
    """Which of the system calls that a capture needs are refused to us whatever the target is.

    Asked of ourselves, where the kernel itself has no reason to say EPERM: a seccomp filter does.
    """
    found: list[str] = []
    try:
        libc.ptrace(libc.PTRACE_DETACH, os.getpid())
    except ProcessLookupError:
        pass  # as it is for whoever is not traced by us
    except OSError:
        found.append("ptrace")
    if _attach_errno(os.getpid()) not in (0, errno.EFAULT):
        found.append("process_vm_readv")
    return found


def yama_scope() -> int | None:
    """kernel.yama.ptrace_scope; None where the kernel has no Yama."""
    try:
        return int(_YAMA.read_text())
    except (OSError, ValueError):
        return None


def same_user_namespace(pid: int) -> bool | None:
    """Whether a process is in our user namespace; None when that is not known.

    By the link where we may read it, else by the ID map, which everybody may and which differs.
    """
    try:
        ours, theirs = (Path(f"/proc/{who}/ns/user").stat() for who in ("self", pid))
        return (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino)
    except OSError:
        pass
    try:
        maps = [Path(f"/proc/{who}/uid_map").read_text().split() for who in ("self", pid)]
    except OSError:
        return None
    return False if maps[0] != maps[1] else None
