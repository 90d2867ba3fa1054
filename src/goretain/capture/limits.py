"""Is there room for the copy? Asked before anything is frozen, so that capturing never gets anybody killed.

The copy is charged to our own cgroup and its ancestors; a target in the same container or pod is charged
with us, so its limit is among those. Imports ``model``.
"""

from __future__ import annotations

from pathlib import Path

from goretain.model.errors import NotEnoughMemory

_ROOT = Path("/sys/fs/cgroup")


def check_room(needed: int) -> None:
    """Raise NotEnoughMemory when a copy of needed bytes would not fit beside what is in use."""
    room, where = min(_rooms(), default=(needed, ""))
    if needed > room:
        raise NotEnoughMemory(
            f"the copy needs {needed >> 20} MiB and {where} leaves {room >> 20} MiB",
            hint="run goretain where there is more memory, or read a core elsewhere; --force tries anyway",
        )


def _rooms() -> list[tuple[int, str]]:
    """(bytes left, what says so) of the machine and of every cgroup above us."""
    rooms: list[tuple[int, str]] = []
    available = _machine()
    if available is not None:
        rooms.append((available, "this machine"))
    for folder in _cgroups():
        limit, used = _number(folder / "memory.max"), _number(folder / "memory.current")
        if limit is None or used is None:
            limit, used = _number(folder / "memory.limit_in_bytes"), _number(folder / "memory.usage_in_bytes")
        if limit is not None and used is not None:
            rooms.append(
                (max(limit - used + _reclaimable(folder), 0), f"the memory limit of cgroup {folder}")
            )
    return rooms


def _machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")), None)


def _cgroups() -> list[Path]:
    """Folders of our memory cgroup and its ancestors, as far as they are visible here."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    folders: list[Path] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory") and "memory" not in controllers.split(","):
            continue
        base = _ROOT / "memory" if controllers else _ROOT
        own = base / path.lstrip("/")
        # In a container the path is often the host's, and the container's own cgroup is mounted at the root.
        folders.extend(folder for folder in (own, *own.parents) if folder == base or base in folder.parents)
    return [folder for folder in folders if folder.is_dir()]


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None  # absent, or "max"


def _reclaimable(folder: Path) -> int:
    """Page cache that the kernel drops before it kills."""
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("inactive_file ", "active_file ")))
