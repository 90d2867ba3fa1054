"""One process: is it there, whose is it, where does it live, and may it be traced.

Imports ``capture``, ``model`` and ``reports``.
"""

from __future__ import annotations

import os
from pathlib import Path

from goretain.capture import procfs
from goretain.capture.rights import namespaces, privileges
from goretain.capture.rights.refusal import check_process, explain_refusal
from goretain.model.errors import GoretainError
from goretain.model.units import iec
from goretain.reports.doctor import machine
from goretain.reports.doctor.lines import Lines
from goretain.reports.results import Check
from goretain.reports.units import plural

_LINES = Lines("process")
_NAMESPACES = ("user", "mnt", "net", "pid")
_NAMES = {"mnt": "mount", "net": "network", "pid": "PID"}


def checks(pid: int) -> list[Check]:
    """One for each thing; only the first where there is no such process."""
    try:
        check_process(pid)
    except GoretainError as error:
        return [_LINES.problem("process", error.message, error.hint)]
    named = [
        ("process", lambda: _process(pid)),
        ("container", lambda: _container(pid)),
        ("rights", lambda: _rights(pid)),
    ]
    if privileges.may_attach(pid):  # else its limits are not to be seen
        named.append(("memory", lambda: machine.memory(pid, _LINES)))
    return _LINES.made(named)


def _process(pid: int) -> Check:
    status = procfs.status(pid)
    threads = plural(int(status.get("Threads", "1")), "thread")
    user = status.get("Uid", "? ?").split()[1]
    found = f"{status.get('Name', '?')}, {threads}, {iec(procfs.resident_bytes(pid))} resident, user {user}"
    if status.get("State", "")[:1] == "T":
        return _LINES.ok("process", f"{found}, stopped (it stays so)")
    if status.get("State", "")[:1] == "D":
        return _LINES.warning(
            "process", f"{found}, in an uninterruptible wait", "it cannot be stopped before that ends"
        )
    return _LINES.ok("process", found)


def _container(pid: int) -> Check:
    nested = namespaces.nested_ids(pid)
    known = {_NAMES.get(kind, kind): _differs(pid, kind) for kind in _NAMESPACES}
    other = [name for name, differs in known.items() if differs]
    hidden = [name for name, differs in known.items() if differs is None]
    parts = [f"process {nested[-1]} of its own PID namespace"] if len(nested) > 1 else []
    parts += [f"other {', '.join(other)} namespaces than ours"] if other else []
    if hidden:
        parts.append(f"whether its {', '.join(hidden)} namespaces are ours is not shown to us")
    also = namespaces.namesakes_hint(pid)
    if also:
        parts.append(also)
        return _LINES.warning("container", "; ".join(parts), "make sure that you mean this one")
    return _LINES.ok("container", "; ".join(parts) or "the same namespaces as ours")


def _differs(pid: int, kind: str) -> bool | None:
    """Whether a namespace of the process is another than ours; None when that is not shown to us."""
    if kind == "user":
        same = privileges.same_user_namespace(pid)
        return None if same is None else not same
    try:
        ours, theirs = (Path(f"/proc/{who}/ns/{kind}").stat().st_ino for who in ("self", pid))
    except OSError:
        return None
    return ours != theirs


def _rights(pid: int) -> Check:
    """By asking the kernel what it would say to an attach; nothing is attached to."""
    if privileges.filtered() == [] and not privileges.may_attach(pid):
        raise explain_refusal(pid)
    if "ptrace" in privileges.filtered():
        return _LINES.problem("rights", "a seccomp filter refuses ptrace to us", "see seccomp above")
    closed = [name for name in ("mem", "pagemap", "auxv") if not os.access(f"/proc/{pid}/{name}", os.R_OK)]
    if closed:
        return _LINES.ok(
            "rights",
            f"may be traced; {', '.join(closed)} below /proc/{pid} may not be opened, so pages that it never"
            " touched are read too",
            "root, or its own user, opens them",
        )
    return _LINES.ok("rights", "may be traced and read")
