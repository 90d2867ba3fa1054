"""Whether a process can be read at all, and if the kernel refuses, why, and what to do about it.

Imports ``capture.procfs`` and ``model``. Source: ptrace(2) "Ptrace access mode checking",
security/yama/yama_lsm.c.
"""

from __future__ import annotations

import os
from pathlib import Path

from goretain.capture import procfs
from goretain.model.errors import (
    AlreadyTraced,
    NoSuchProcess,
    NotGoProgram,
    PermissionDenied,
    TargetGone,
    UsageError,
)

_CAP_SYS_PTRACE = 1 << 19
Status = dict[str, str]
_YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
_SUDO = "run goretain as root (sudo), or give it CAP_SYS_PTRACE"
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


def check_process(pid: int) -> None:
    """Raise the error that says why this process cannot be captured, if that is known without trying.

    Raises NoSuchProcess, UsageError (a thread, or ourselves), TargetGone (a zombie), NotGoProgram (a kernel
    thread), AlreadyTraced.
    """
    facts = procfs.status(pid) if pid > 0 else {}
    if not facts:
        raise NoSuchProcess(pid)
    leader = int(facts.get("Tgid", pid))
    if leader != pid:
        raise UsageError(f"{pid} is a thread of process {leader}", hint=f"give the process: {leader}")
    if pid == os.getpid():
        raise UsageError("a process cannot capture itself", hint="give the PID of another process")
    if facts.get("State", "")[:1] in ("Z", "X"):
        raise TargetGone(
            f"process {pid} ({facts.get('Name', '?')}) has ended: a zombie that its parent did not collect",
            hint="there is no memory left to read; capture the process while it runs",
        )
    if "VmSize" not in facts:
        raise NotGoProgram(
            f"process {pid} ({facts.get('Name', '?')}) is a kernel thread: it runs no program",
            hint="give the PID of a Go program: pgrep -a .",
        )
    tracer = int(facts.get("TracerPid", "0"))
    if tracer:
        raise AlreadyTraced(pid, tracer)


def explain_refusal(pid: int) -> PermissionDenied:
    """The error for a process that the kernel does not let us trace: every reason that can be found out."""
    ours, theirs = procfs.status(os.getpid()), procfs.status(pid)
    capable = bool(int(ours.get("CapEff", "0"), 16) & _CAP_SYS_PTRACE)
    reasons: list[str] = []
    hints: list[str] = []
    if not capable:
        _explain_users(ours, theirs, reasons, hints)
        _explain_dumpable(pid, theirs, reasons, hints)
        _explain_capabilities(ours, theirs, reasons, hints)
    _explain_yama(capable, reasons, hints)
    if not reasons:
        reasons.append("a security module, a seccomp filter or another user namespace forbids it")
    if _SUDO in hints or not hints:
        hints = [_SUDO, *(hint for hint in hints if hint != _SUDO)]
    if _in_container():
        hints.append("in a container: docker run --cap-add=SYS_PTRACE, or kubectl debug --profile=sysadmin")
    return PermissionDenied(
        f"the kernel does not let us trace process {pid}: {'; '.join(reasons)}",
        hint="; ".join(dict.fromkeys(hints)),
    )


def _explain_users(ours: Status, theirs: Status, reasons: list[str], hints: list[str]) -> None:
    us = ours.get("Uid", "? ? ? ?").split()[1]
    them = set(theirs.get("Uid", "? ? ? ?").split()[:3])
    if them != {us}:
        reasons.append(f"it runs as user {'/'.join(sorted(them))} and goretain as user {us}")
        hints += [_SUDO, "or run it as the same user"]
    elif set(theirs.get("Gid", "").split()[:3]) != {ours.get("Gid", "? ?").split()[1]}:
        reasons.append("it runs under another group than goretain")
        hints.append(_SUDO)


def _explain_dumpable(pid: int, theirs: Status, reasons: list[str], hints: list[str]) -> None:
    # Files in /proc/PID of a process that is not dumpable belong to root whoever runs it.
    try:
        owner = Path(f"/proc/{pid}/maps").stat().st_uid
    except OSError:
        return
    if str(owner) != theirs.get("Uid", "? ?").split()[1]:
        reasons.append(
            "it is not dumpable (by prctl(PR_SET_DUMPABLE), a change of user, or a file that may not be read)"
        )
        hints.append(_SUDO)


def _explain_capabilities(ours: Status, theirs: Status, reasons: list[str], hints: list[str]) -> None:
    missing = int(theirs.get("CapPrm", "0"), 16) & ~int(ours.get("CapPrm", "0"), 16)
    if missing:
        reasons.append(f"it has capabilities that goretain lacks: {_names(missing)}")
        hints.append(_SUDO)


def _names(capabilities: int) -> str:
    """The first capabilities of a mask by name."""
    numbers = [number for number in range(64) if capabilities >> number & 1]
    names = [f"CAP_{_CAPABILITIES[n]}" if n < len(_CAPABILITIES) else f"number {n}" for n in numbers]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _explain_yama(capable: bool, reasons: list[str], hints: list[str]) -> None:
    try:
        scope = int(_YAMA.read_text())
    except (OSError, ValueError):
        return
    if scope == 3:
        reasons.append("kernel.yama.ptrace_scope is 3: nobody may trace until the next boot")
        hints.append("take a core instead: GOTRACEBACK=crash and kill -ABRT, then goretain why CORE")
    elif scope == 2 and not capable:
        reasons.append("kernel.yama.ptrace_scope is 2: only CAP_SYS_PTRACE may trace")
        hints.append(_SUDO)
    elif scope == 1 and not capable:
        reasons.append("kernel.yama.ptrace_scope is 1: only a parent process may trace")
        hints += [_SUDO, "or sysctl kernel.yama.ptrace_scope=0"]


def _in_container() -> bool:
    marks = ("/.dockerenv", "/run/.containerenv", "/var/run/secrets/kubernetes.io")
    return any(Path(mark).exists() for mark in marks)
