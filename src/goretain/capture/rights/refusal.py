"""Whether a process can be read at all, and if the kernel refuses, why, and what to do about it.

Imports ``capture`` and ``model``. Source: ptrace(2) "Ptrace access mode checking",
security/yama/yama_lsm.c.
"""

from __future__ import annotations

import os
from pathlib import Path

from goretain.capture import procfs
from goretain.capture.rights import namespaces, privileges
from goretain.model.errors import (
    AlreadyTraced,
    NoSuchProcess,
    NotGoProgram,
    PermissionDenied,
    TargetGone,
    UsageError,
)

Status = dict[str, str]
_SUDO = "run goretain as root (sudo), or give it CAP_SYS_PTRACE, the one capability that is missing"
_FROM_OUTSIDE = "in a container: docker run --cap-add=SYS_PTRACE, kubectl debug --profile=general"


def check_process(pid: int) -> None:
    """Raise the error that says why this process cannot be captured, if that is known without trying.

    Raises NoSuchProcess, UsageError (a thread, or ourselves), TargetGone (a zombie), NotGoProgram (a kernel
    thread), AlreadyTraced.
    """
    namespaces.check_proc()
    facts = _status(pid)
    leader = int(facts.get("Tgid", pid))
    if leader != pid:
        raise UsageError(f"{pid} is a thread of process {leader}", hint=f"give the process: {leader}")
    if pid == os.getpid():
        raise UsageError("a process cannot capture itself", hint="give the PID of another process")
    if facts.get("State", "")[:1] in ("Z", "X") and int(facts.get("Threads", "1")) > 1:
        raise UsageError(
            f"the first thread of process {pid} ({facts.get('Name', '?')}) has ended while others run"
            " (pthread_exit in main): Linux shows the memory of a process by its first thread",
            hint=f"let the kernel write a core, which ends it: kill -ABRT {pid}",
        )
    if facts.get("State", "")[:1] in ("Z", "X"):
        raise TargetGone(
            f"process {pid} ({facts.get('Name', '?')}) has ended: a zombie that its parent did not collect",
            hint="there is no memory left to read; capture the process while it runs",
        )
    if "VmSize" not in facts and not procfs.is_kernel_thread(pid):
        raise TargetGone(
            f"process {pid} ({facts.get('Name', '?')}) is ending: its memory is gone already",
            hint="there is no memory left to read; capture the process while it runs",
        )
    if "VmSize" not in facts:
        raise NotGoProgram(
            f"process {pid} ({facts.get('Name', '?')}) is a kernel thread: it runs no program",
            hint=namespaces.namesakes_hint(pid) or "give the PID of a Go program: pgrep -a .",
        )
    tracer = int(facts.get("TracerPid", "0"))
    if tracer:
        raise AlreadyTraced(pid, tracer)


def _status(pid: int) -> Status:
    """Raises NoSuchProcess, with what else the number may have meant, or PermissionDenied."""
    try:
        facts = procfs.status(pid) if pid > 0 else {}
    except NoSuchProcess:
        facts = {}
    if facts:
        return facts
    if pid > 0 and _is_hidden(pid):
        raise PermissionDenied(
            f"there is a process {pid}, but /proc does not show it to us: it is mounted with hidepid",
            hint=_SUDO,
        )
    raise NoSuchProcess(pid, hint=namespaces.namesakes_hint(pid))


def _is_hidden(pid: int) -> bool:
    """Whether a process without a folder in /proc exists: signal 0 is asked of all the same."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):  # no process has a number as large as that
        return False
    return not Path(f"/proc/{pid}").exists()


def explain_refusal(pid: int) -> PermissionDenied:
    """The error for a process that the kernel does not let us trace: every reason that can be found out.

    The order is the kernel's (__ptrace_may_access): seccomp, users, dumpable, capabilities, Yama. Raises
    NoSuchProcess, TargetGone: nobody may trace a process whose memory is gone.
    """
    ours, theirs = procfs.status(os.getpid()), procfs.status(pid)
    if "VmSize" not in theirs:
        raise procfs.gone(pid)
    reasons, hints = refusal_reasons(pid, ours, theirs)
    if not reasons:
        reasons.append("a security module (SELinux, AppArmor) or the sandbox around us forbids it")
        hints.append("the audit log names the rule: journalctl -k | grep -i denied")
    how_to_get_it = _how_to_get_it(ours)
    if how_to_get_it in hints:  # it comes first
        hints.insert(0, how_to_get_it)
    hints.append(namespaces.namesakes_hint(pid))
    return PermissionDenied(
        f"the kernel does not let us trace process {pid}: {'; '.join(reasons)}",
        hint="; ".join(dict.fromkeys(filter(None, hints))),
    )


def _how_to_get_it(ours: Status) -> str:
    """What to do without CAP_SYS_PTRACE: root has it, but not where it was taken from root, too."""
    bounded = not privileges.capabilities(ours, "CapBnd") & privileges.SYS_PTRACE
    if bounded or os.geteuid() == 0:
        return (
            "CAP_SYS_PTRACE is the one capability that is missing, and root does not have it in this"
            " session: start goretain from one where root has it"
        )
    return _SUDO


def refusal_reasons(pid: int, ours: Status, theirs: Status) -> tuple[list[str], list[str]]:
    """(reasons why we may not trace a process, what to do about each)."""
    capable = bool(privileges.capabilities(ours) & privileges.SYS_PTRACE)
    reasons: list[str] = []
    hints: list[str] = []
    how_to_get_it = _how_to_get_it(ours)
    _explain_seccomp(reasons, hints)
    if capable and privileges.same_user_namespace(pid) is False:
        reasons.append("it runs in another user namespace, where our CAP_SYS_PTRACE does not count")
        hints.append("run goretain as root outside of all user namespaces, or inside of its own")
    elif not capable:
        _explain_users(ours, theirs, how_to_get_it, reasons, hints)
        _explain_dumpable(pid, theirs, how_to_get_it, reasons, hints)
        _explain_capabilities(ours, theirs, how_to_get_it, reasons, hints)
        if privileges.same_user_namespace(pid) is False:
            reasons.append("it runs in another user namespace")
            hints.append(how_to_get_it)
    _explain_yama(capable, how_to_get_it, reasons, hints)
    if how_to_get_it in hints:
        _explain_missing(ours, hints)
    return reasons, hints


def explain_unreadable(pid: int) -> PermissionDenied:
    """The error for a program whose file may not be read; of a process that may not be traced, that one."""
    if not privileges.may_attach(pid):
        return explain_refusal(pid)
    try:
        about = os.stat(f"/proc/{pid}/exe")  # noqa: PTH116 follows what is no path
        rights = f" (mode {about.st_mode & 0o7777:04o}, owner {about.st_uid})"
    except OSError:
        rights = ""
    return PermissionDenied(
        f"process {pid} may be traced, but the file of its program{rights} may not be read by user"
        f" {os.geteuid()}",
        hint="run goretain as root, or give it CAP_DAC_READ_SEARCH, the one capability that is missing",
    )


def _explain_seccomp(reasons: list[str], hints: list[str]) -> None:
    blocked = privileges.filtered()
    if blocked:
        reasons.append(f"a seccomp filter refuses {' and '.join(blocked)} to goretain, whatever the process")
        hints.append(
            "allow them to the container of goretain: docker run --security-opt seccomp=unconfined, or in"
            " Kubernetes seccompProfile: {type: Unconfined}; capabilities do not help"
        )


def _explain_missing(ours: Status, hints: list[str]) -> None:
    """Why we do not have CAP_SYS_PTRACE, and so who can give it."""
    if not privileges.capabilities(ours, "CapBnd") & privileges.SYS_PTRACE:
        hints.append("only who starts this container or session can give it: it is not in the bounding set")
        hints.append(_FROM_OUTSIDE)
    elif ours.get("NoNewPrivs") == "1":
        hints.append(
            "no_new_privs (allowPrivilegeEscalation: false) keeps sudo and file capabilities from giving it"
        )
    elif _in_container():
        hints.append(_FROM_OUTSIDE)


def _explain_users(
    ours: Status, theirs: Status, how_to_get_it: str, reasons: list[str], hints: list[str]
) -> None:
    us = ours.get("Uid", "? ? ? ?").split()[1]
    them = set(theirs.get("Uid", "? ? ? ?").split()[:3])
    if them != {us}:
        reasons.append(f"it runs as user {'/'.join(sorted(them))} and goretain as user {us}")
        hints += [how_to_get_it, "or run it as the same user"]
    elif set(theirs.get("Gid", "").split()[:3]) != {ours.get("Gid", "? ?").split()[1]}:
        reasons.append("it runs under another group than goretain")
        hints.append(how_to_get_it)


def _explain_dumpable(
    pid: int, theirs: Status, how_to_get_it: str, reasons: list[str], hints: list[str]
) -> None:
    # Files in /proc/PID of a process that is not dumpable belong to root whoever runs it.
    try:
        owner = Path(f"/proc/{pid}/maps").stat().st_uid
    except OSError:
        return
    if str(owner) != theirs.get("Uid", "? ?").split()[1]:
        reasons.append(
            "it is not dumpable (by prctl(PR_SET_DUMPABLE), a change of user, or a file that may not be read)"
        )
        hints.append(how_to_get_it)


def _explain_capabilities(
    ours: Status, theirs: Status, how_to_get_it: str, reasons: list[str], hints: list[str]
) -> None:
    missing = privileges.capabilities(theirs, "CapPrm") & ~privileges.capabilities(ours, "CapPrm")
    if missing:
        reasons.append(f"it has capabilities that goretain lacks: {privileges.names(missing)}")
        hints.append(how_to_get_it)


def _explain_yama(capable: bool, how_to_get_it: str, reasons: list[str], hints: list[str]) -> None:
    scope = privileges.yama_scope()
    if scope == 3:
        reasons.append("kernel.yama.ptrace_scope is 3: nobody may trace until the next boot")
        hints.append("take a core instead: GOTRACEBACK=crash and kill -ABRT, then goretain why CORE")
    elif scope == 2 and not capable:
        reasons.append("kernel.yama.ptrace_scope is 2: only CAP_SYS_PTRACE may trace")
        hints.append(how_to_get_it)
    elif scope == 1 and not capable:
        reasons.append("kernel.yama.ptrace_scope is 1: only a parent process may trace")
        hints += [how_to_get_it, "or sysctl kernel.yama.ptrace_scope=0"]


def _in_container() -> bool:
    marks = ("/.dockerenv", "/run/.containerenv", "/var/run/secrets/kubernetes.io")
    return any(Path(mark).exists() for mark in marks)
