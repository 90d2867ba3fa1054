"""What this machine and the container around us allow: kernel, /proc, user, Yama, seccomp, memory.

Imports ``capture``, ``model`` and ``reports``.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

from goretain.capture import procfs
from goretain.capture.rights import namespaces, privileges
from goretain.capture.room import cgroups, limits
from goretain.model.units import iec
from goretain.reports.doctor.lines import Lines
from goretain.reports.results import Check

_LINES = Lines("machine")
_CAPABILITY = "CAP_SYS_PTRACE"


def checks() -> list[Check]:
    """One for each thing."""
    privileges.claim()
    return _LINES.made(
        [
            ("kernel", _kernel),
            ("/proc", _proc),
            ("user", _user),
            ("Yama", _yama),
            ("seccomp", _seccomp),
            ("memory", memory),
        ]
    )


def capable() -> bool:
    """Whether we hold CAP_SYS_PTRACE (in our user namespace)."""
    return bool(privileges.capabilities(procfs.status(os.getpid())) & privileges.SYS_PTRACE)


def _kernel() -> Check:
    found = f"{platform.system()} {platform.release()}, {platform.machine()}"
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return _LINES.problem(
            "kernel", found, "goretain reads and runs on linux/amd64; take a core or image there"
        )
    return _LINES.ok("kernel", found)


def _proc() -> Check:
    namespaces.check_proc()
    hidden = _hidepid()
    if hidden and hidden not in ("hidepid=0", "hidepid=off") and not capable():
        return _LINES.warning(
            "/proc",
            f"mounted with {hidden}: processes of others are not seen",
            f"run as root or with {_CAPABILITY}",
        )
    return _LINES.ok("/proc", f"of our own PID namespace{f', {hidden}' if hidden else ''}")


def _hidepid() -> str:
    """The option of the last mount on /proc, which is the one in sight; "" without it."""
    options = [mount.options for mount in cgroups.mounts() if (mount.point, mount.kind) == ("/proc", "proc")]
    return next((option for option in options[-1] if option.startswith("hidepid=")), "") if options else ""


def _user() -> Check:
    ours = procfs.status(os.getpid())
    user = f"user {os.geteuid()}"
    nested = Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]
    where = " of a user namespace" if nested else ""
    if capable():
        if nested:
            return _LINES.ok("user", f"{user}{where}, {_CAPABILITY} (counts in this namespace only)")
        return _LINES.ok("user", f"{user}, {_CAPABILITY}")
    found = f"{user}{where} without {_CAPABILITY}: only processes of its own that do not guard themselves"
    return _LINES.warning("user", found, _how_to_get_it(ours))


def _how_to_get_it(ours: dict[str, str]) -> str:
    if not privileges.capabilities(ours, "CapBnd") & privileges.SYS_PTRACE:
        return (
            "only who starts this container or session can give it: it is not in the bounding set."
            " A container: docker run --cap-add SYS_PTRACE; a service: CapabilityBoundingSet="
            " of systemd; else use another session"
        )
    if ours.get("NoNewPrivs") == "1":
        return "no_new_privs is set (allowPrivilegeEscalation: false): start without it, or as root"
    if not os.geteuid():
        return "user 0 lost it here (capsh, setpriv): start goretain from a session where root has it"
    return "run as root (sudo goretain), or setcap cap_sys_ptrace=p on a python of goretain's own"


def _yama() -> Check:
    scope = privileges.yama_scope()
    if scope is None:
        return _LINES.ok("Yama", "not in this kernel")
    found = f"kernel.yama.ptrace_scope is {scope}"
    if scope == 3:
        return _LINES.problem(
            "Yama",
            f"{found}: nobody may trace until the next boot",
            "take a core: kill -ABRT with GOTRACEBACK=crash",
        )
    if scope == 0 or capable():
        return _LINES.ok("Yama", found)
    who = "only a parent may trace" if scope == 1 else f"only {_CAPABILITY} may trace"
    return _LINES.warning("Yama", f"{found}: {who}", f"run as root or with {_CAPABILITY}")


def _seccomp() -> Check:
    blocked = privileges.filtered()
    mode = procfs.status(os.getpid()).get("Seccomp", "0")
    if "ptrace" in blocked:
        return _LINES.problem(
            "seccomp",
            f"a filter refuses {' and '.join(blocked)}",
            "docker run --security-opt seccomp=unconfined; Kubernetes: seccompProfile {type: Unconfined}",
        )
    if blocked:
        return _LINES.warning(
            "seccomp", "a filter refuses process_vm_readv: memory is read more slowly", "allow it to goretain"
        )
    return _LINES.ok("seccomp", "no filter" if mode == "0" else "a filter that lets a capture through")


def memory(pid: int | None = None, lines: Lines = _LINES) -> Check:
    """The tightest limit that a capture meets: of this machine, our cgroups and, with a PID, its own."""
    rooms = limits.rooms(limits.Need(0), pid if pid is not None else os.getpid())
    if not rooms:
        return lines.warning("memory", "how much there is is not known", "make /proc/meminfo readable")
    room = min(rooms, key=lambda one: one.ours)
    found = f"a capture may take {iec(room.ours)}: half of the {iec(room.left)} that {room.what} leaves"
    resident = procfs.resident_bytes(pid) if pid is not None else None
    if resident is not None and resident > room.ours:
        return lines.warning(
            "memory",
            f"{found}; the process has {iec(resident)} resident",
            f"most captures copy a part of that; if it is refused: {room.wayout}",
        )
    return lines.ok("memory", found)
