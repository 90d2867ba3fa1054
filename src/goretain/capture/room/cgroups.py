"""Where the kernel keeps the memory limits that hold for a process: its cgroup and every ancestor in sight.

/proc/PID/cgroup and /proc/PID/mountinfo both show paths relative to *our* cgroup namespace. What is mounted
here may be another part of the tree (a container mounts only its own), so a cgroup is looked for under our
own mounts first, then under those of the process itself through /proc/PID/root. cgroup v1, v2 and both at
once (where one of them has the memory controller). Source: cgroups(7), cgroup_namespaces(7),
proc_pid_mountinfo(5), Documentation/admin-guide/cgroup-v2.rst. Imports nothing of goretain.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_PROC = Path("/proc")
#: v1 says "no limit" with the largest number of pages.
_UNLIMITED = 1 << 62
_MOST_SEARCHED = 4096
# v1 tells in memory.stat the smallest limit of all ancestors, also of those that no mount shows.
_INHERITED = "hierarchical_memory_limit"
# A limit, and what is counted against it. Above memory.high the kernel slows everybody in the cgroup down.
_FILES = (
    ("memory.max", "memory.current"),
    ("memory.high", "memory.current"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    ("memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes"),
    (_INHERITED, "memory.usage_in_bytes"),
)


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo: where, which part of the file system, "major:minor", type, its own options."""

    point: str
    root: str
    device: str
    kind: str
    options: frozenset[str]


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of a cgroup and what is in use, in bytes, as the kernel reports them.

    Attributes:
        name: of the file. cache: how much of what is in use is page cache, which the kernel may give up.
    """

    folder: Path
    name: str
    limit: int
    used: int
    cache: int


def mounts(pid: int | str = "self", proc: Path = _PROC) -> list[Mount]:
    """What is mounted where the process sees it, in mount order; none when it may not be known."""
    try:
        text = (proc / str(pid) / "mountinfo").read_text(errors="surrogateescape")
    except OSError:
        return []
    found: list[Mount] = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if len(fields) >= 6 and len(kinds) >= 3:
            options = frozenset(kinds[2].split(","))
            found.append(Mount(_unescaped(fields[4]), _unescaped(fields[3]), fields[2], kinds[0], options))
    return found


def memory_folders(pid: int | str = "self", proc: Path = _PROC) -> list[Path]:
    """Folders of the cgroups with the memory controller that the process is in, the innermost first.

    Ancestors are those that the mount shows. Empty when none can be found from here.
    """
    for kind, path in _memberships(pid, proc):
        for viewer in dict.fromkeys(("self", str(pid))):
            for mount in mounts(viewer, proc):
                if mount.kind != kind or (kind == "cgroup" and "memory" not in mount.options):
                    continue
                top = Path(mount.point) if viewer == "self" else proc / viewer / "root" / mount.point[1:]
                own = _place(pid, path, mount.root, top)
                if own is not None:
                    return [
                        own,
                        *(folder for folder in own.parents if folder == top or top in folder.parents),
                    ]
    return []


def limits(folders: Iterable[Path]) -> list[Limit]:
    """Every memory limit of these cgroups, as it is now."""
    found: list[Limit] = []
    for folder in folders:
        facts = _facts(folder)
        for limit_file, used_file in _FILES:
            limit, used = _number(folder / limit_file), _number(folder / used_file)
            if limit is None and limit_file == _INHERITED:
                limit = facts.get(_INHERITED)
            if limit is not None and used is not None and limit < _UNLIMITED:
                found.append(Limit(folder, limit_file, limit, used, _cache(facts)))
    return found


def ends_with_us(pid: int) -> bool:
    """Whether the kernel would end the process too if it ended us for lack of memory.

    By memory.oom.group of a cgroup that both are in; Kubernetes sets it for its containers.
    """
    ours = memory_folders()
    together = next((f for f in ours if _number(f / "memory.oom.group") == 1), None)
    return together is not None and together in memory_folders(pid)


def _memberships(pid: int | str, proc: Path) -> Iterator[tuple[str, str]]:
    """(file system type, path) of the hierarchies that may have the memory controller, v1 first.

    Where v1 has the controller, v2 is mounted without it.
    """
    try:
        lines = (proc / str(pid) / "cgroup").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return
    rows = [line.split(":", 2) for line in lines if line.count(":") >= 2]
    yield from (("cgroup", path) for _, names, path in rows if "memory" in names.split(","))
    yield from (("cgroup2", path) for number, names, path in rows if number == "0" and not names)


def _place(pid: int | str, path: str, root: str, top: Path) -> Path | None:
    """The folder of cgroup path under top, where the part of the tree from root is mounted, if it is there.

    Both paths are relative to our cgroup namespace: a common /.. falls away; one that is left over leads out
    of what is mounted. A mount from above our namespace does not tell by which names it leads down to it, so
    the process is looked for.
    """
    try:
        inside = PurePosixPath(path).relative_to(root)
    except ValueError:
        return _searched(pid, top) if set(PurePosixPath(root).parts) == {"/", ".."} else None
    own = top / inside
    return own if ".." not in inside.parts and own.is_dir() else None


def _searched(pid: int | str, top: Path) -> Path | None:
    """The cgroup under top that lists the process among its own."""
    wanted = str(os.getpid() if pid == "self" else pid)
    for count, (folder, below, files) in enumerate(os.walk(top)):
        if count == _MOST_SEARCHED:
            break
        below.sort()
        try:
            listed = (Path(folder) / "cgroup.procs").read_text().split() if "cgroup.procs" in files else []
        except OSError:
            continue
        if wanted in listed:
            return Path(folder)
    return None


def _unescaped(text: str) -> str:
    r"""mountinfo writes blanks, tabs, newlines and backslashes as \ooo."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None  # absent, or "max"


def _facts(folder: Path) -> dict[str, int]:
    """memory.stat by name."""
    try:
        rows = [line.split() for line in (folder / "memory.stat").read_text().splitlines()]
    except OSError:
        return {}
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def _cache(facts: dict[str, int]) -> int:
    """Page cache of files, that of cgroups below included (v1 counts them apart)."""
    return sum(facts.get(f"total_{name}", facts.get(name, 0)) for name in ("inactive_file", "active_file"))
