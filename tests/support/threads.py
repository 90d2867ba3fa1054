"""What the kernel says of the threads of a process (proc_pid_stat(5), proc_pid_status(5)). Threads come and
go: one that ends while it is looked at is left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def state(pid: int) -> str:
    """State letter of a process's first thread; "X" when it is gone."""
    return _state(Path(f"/proc/{pid}")) or "X"


def states(pid: int) -> set[str]:
    """State letters of all threads."""
    return {letter for task in _tasks(pid) if (letter := _state(task))}


def tracers(pid: int) -> set[int]:
    """Who traces the threads; 0: nobody."""
    lines = (line for task in _tasks(pid) for line in _read(task / "status").splitlines())
    return {int(line.split()[1]) for line in lines if line.startswith("TracerPid:")}


def _tasks(pid: int) -> Iterator[Path]:
    return Path(f"/proc/{pid}/task").iterdir()


def _state(task: Path) -> str:
    return "".join(_read(task / "stat").rpartition(")")[2].split()[:1])


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
