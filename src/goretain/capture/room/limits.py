"""Is there room for the copy? Asked before anything is frozen, so that capturing never gets anybody killed.

Memory: of what the machine has available and of what each cgroup limit leaves (ours, the target's, every
ancestor in sight) a capture takes at most half; the rest is for the target's own growth and for what is made
of the image. Page cache counts as in use, as the kernel counts it: how much of it can be given up is known
only when it is asked for. An output file takes at most half of the free space, and if it lies in memory
(tmpfs) it counts as memory too. Our own RLIMITs must hold all of it.
Source: getrlimit(2), proc(5), statvfs(3). Imports ``capture.room.cgroups`` and ``model``.
"""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from goretain.capture.room import cgroups
from goretain.model.errors import NotEnoughMemory, ResourceLimit
from goretain.model.units import iec

#: Less than this is next to nothing. Memory is taken in steps that are smaller.
BRIM = 16 << 20
_MEMORY_FILES = frozenset(("tmpfs", "ramfs", "devtmpfs", "hugetlbfs"))


@dataclass(frozen=True, slots=True)
class Need:
    """What a capture will take, in bytes.

    Attributes:
        planned: what is copied into our memory.
        beside: what is needed to work on it while it is copied.
        space: address space that is reserved for it.
        file: what may be written to a file; 0 when nothing is.
        output: the file, which need not be there yet; None when there is none.
    """

    planned: int
    beside: int = 0
    space: int = 0
    file: int = 0
    output: Path | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """One limit.

    Attributes:
        left: bytes between what is in use and the limit. needed: how many the capture would take of them.
        what: its name, as a subject. wayout: what to do when it is too small.
        parts: the capture may take one of so many equal parts of what is left.
    """

    left: int
    needed: int
    what: str
    wayout: str
    parts: int = 1

    @property
    def ours(self) -> int:
        """How many bytes the capture may take."""
        return self.left // self.parts


_FORCE_IN_VAIN = "--force does not help: memory.oom.group would end the target together with goretain"
_ELSEWHERE = "run goretain where there is more memory (kubectl debug has its own limit), or read a core"


def check_room(need: Need, pid: int | None = None) -> int:
    """Raise NotEnoughMemory, with the figures of the tightest limit, unless the capture of pid fits all.

    pid None: a core is read. Nobody but we run on what that takes, so all that is left and the page cache
    (much of it may be that of the core) may be taken. Returns how many bytes of memory more would fit.
    """
    met = rooms(need, pid)
    over = [room for room in met if room.needed > room.ours]
    if not over:
        return min((room.ours - room.needed for room in met), default=0)
    room = max(over, key=lambda room: room.needed - room.ours)
    part = "half of " if room.parts == 2 else ""
    force = "--force tries anyway"
    if pid is not None and cgroups.ends_with_us(pid):
        force = _FORCE_IN_VAIN
    raise NotEnoughMemory(
        f"the capture takes {iec(room.needed)}, more than {part}the {iec(room.left)} that {room.what} leaves",
        hint=f"{room.wayout}; {force}",
    )


def check_analysis(
    size: int, copy: Need, pid: int | None = None, *, force: bool = False, least: bool = False
) -> None:
    """Raise NotEnoughMemory unless an analysis fits into what is left to us beside the copy.

    The kernel ends us first, and the target does not stand still: all that is left and the page cache may be
    taken, but half of it where the kernel would end the target together with us. A copy that does not fit
    itself is left to ``check_room``.

    Args:
        size: of the analysis, in bytes. copy: what the copy is yet to take.
        pid: the process; None for a file. force: try whatever the limits say. least: it may take more.
    """
    together = pid is not None and cgroups.ends_with_us(pid)
    if (force and not together) or any(room.needed > room.ours for room in rooms(copy, pid)):
        return
    met = _memory(copy.planned + copy.beside + size + BRIM, memory_cgroups(), parts=2 if together else 1)
    over = [room for room in met if room.needed > room.ours]
    if not over:
        return
    room = max(over, key=lambda room: room.needed - room.ours)
    hint = "run 'goretain why' where there is more memory"
    if pid is not None:
        hint = f"'goretain snap {pid} -o app.image' here, and 'goretain why app.image' where there is more"
    force_hint = _FORCE_IN_VAIN if together else "--force tries anyway"
    raise NotEnoughMemory(
        f"the analysis takes {'at least' if least else 'about'} {iec(room.needed)}, more than"
        f"{' half of' if room.parts == 2 else ''} the {iec(room.left)} that {room.what} leaves",
        hint=f"{hint}; {force_hint}",
    )


def check_start(memory: int, space: int, *, force: bool, forcible: bool = True) -> None:
    """Raise NotEnoughMemory where there is no room even for our own start: memory and address space in bytes.

    Asked before numpy is imported: whoever does not fit is killed without a word. Nothing is copied yet, so
    all that is left and the page cache may be taken. force: only RLIMITs are asked, beyond which nothing
    can be tried. forcible: whether the command has --force, for the hint.
    """
    met = [] if force else _memory(memory, memory_cgroups(), parts=1)
    own = _own(Need(0, space=space))
    over = [room for room in met + own if room.needed > room.ours]
    if not over:
        return
    room = max(over, key=lambda room: room.needed - room.ours)
    hint = room.wayout + ("; --force tries anyway" if forcible and room not in own else "")
    raise NotEnoughMemory(
        f"goretain itself takes {iec(room.needed)} to start, more than the {iec(room.left)} that {room.what}"
        " leaves",
        hint=hint,
    )


def memory_cgroups(pid: int | None = None) -> dict[Path, str]:
    """The cgroups in sight that count our memory or that of a process: folder -> whose; a shared one is ours.

    Found by what is mounted where, which takes a while; the figures in the folders are read when needed.
    """
    found = dict.fromkeys(cgroups.memory_folders(), "our")
    if pid is not None:
        found = dict.fromkeys(cgroups.memory_folders(pid), "the target's") | found
    return found


def check_brim(groups: dict[Path, str], ahead: int = 0) -> None:
    """Raise NotEnoughMemory when memory is about to run out, whatever was forced: that may hit the target.

    Asked while memory is taken, step by step. groups: see ``memory_cgroups``. ahead: bytes that the next step
    takes, if it may be larger than half of what is to be left. Page cache counts as free here.
    """
    for room in _memory(BRIM, groups, parts=1):
        if room.left < BRIM + ahead:
            raise NotEnoughMemory(
                f"{room.what} leaves {iec(room.left)}: nothing is left to try with", hint=room.wayout
            )


@contextmanager
def first_to_go() -> Iterator[None]:
    """If memory runs out all the same, the kernel is to end this process and not the target (proc(5))."""
    score = Path("/proc/self/oom_score_adj")
    try:
        before = score.read_text()
        score.write_text("1000")
    except OSError:
        before = ""
    try:
        yield
    finally:
        if before:
            with suppress(OSError):
                score.write_text(before)


@contextmanager
def explained() -> Iterator[None]:
    """What runs into a limit of ours in it raises ResourceLimit or NotEnoughMemory, naming the limit."""
    try:
        yield
    except MemoryError:
        raise NotEnoughMemory(
            f"the memory for the capture is not given to us{_set(resource.RLIMIT_AS, 'ulimit -v')}",
            hint=f"{_ELSEWHERE}, or raise the limit",
        ) from None
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        what = f"RLIMIT_NOFILE allows {most}" if error.errno == errno.EMFILE else "the system has no more"
        raise ResourceLimit(
            f"no file can be opened any more: {what}", hint="raise it: ulimit -n 1024"
        ) from None


def _set(number: int, name: str) -> str:
    most = resource.getrlimit(number)[0]
    return "" if most == resource.RLIM_INFINITY else f" ({name} is {iec(most)})"


def rooms(need: Need, pid: int | None = None) -> list[Room]:
    """Every limit that the capture meets."""
    taken = need.planned + need.beside
    if need.output is not None and file_system(need.output) in _MEMORY_FILES:
        taken += need.file
    found = _memory(taken, memory_cgroups(pid), parts=1 if pid is None else 2)
    if need.output is not None:
        found += _disk(need, need.output)
    return found + _own(need)


def _memory(taken: int, groups: dict[Path, str], *, parts: int) -> list[Room]:
    found: list[Room] = []
    available = available_memory()
    if available is not None:
        found.append(Room(available, taken, "this machine", _ELSEWHERE, parts))
    found += [_of_cgroup(limit, groups[limit.folder], taken, parts) for limit in cgroups.limits(groups)]
    return found


def _of_cgroup(limit: cgroups.Limit, whose: str, taken: int, parts: int) -> Room:
    left = max(limit.limit - limit.used + (limit.cache if parts == 1 else 0), 0)
    what = f"{limit.name} of {whose} cgroup {limit.folder} ({iec(limit.limit)} less {iec(limit.used)} in use)"
    wayout = _ELSEWHERE
    if limit.cache > taken - left // parts:
        wayout += f"; {iec(limit.cache)} of what is in use is page cache, which the kernel can give up"
    return Room(left, taken, what, wayout, parts)


def _disk(need: Need, output: Path) -> list[Room]:
    folder = Path(os.path.realpath(output)).parent  # of /proc/self/fd/1 too
    try:
        about = os.statvfs(output if output.exists() else folder)
    except OSError:
        return []  # whoever opens the file says why it cannot be
    free = about.f_bavail * about.f_frsize
    found = [Room(free, need.file, f"the file system of {folder}", "write to another disk: -o FILE", parts=2)]
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if most != resource.RLIM_INFINITY:
        found.append(Room(most, need.file, "RLIMIT_FSIZE (ulimit -f)", "raise it: ulimit -f unlimited"))
    return found


def _own(need: Need) -> list[Room]:
    """RLIMIT_AS and RLIMIT_DATA count address space, touched or not (getrlimit(2))."""
    try:
        sizes = [int(word) * resource.getpagesize() for word in Path("/proc/self/statm").read_text().split()]
    except OSError:
        return []
    found: list[Room] = []
    for number, name, flag, used in (
        (resource.RLIMIT_AS, "RLIMIT_AS (ulimit -v)", "-v", sizes[0]),
        (resource.RLIMIT_DATA, "RLIMIT_DATA (ulimit -d)", "-d", sizes[5]),
    ):
        most = resource.getrlimit(number)[0]
        if most != resource.RLIM_INFINITY:
            left = max(most - used, 0)
            found.append(Room(left, need.space, name, f"raise it: ulimit {flag} unlimited"))
    return found


def available_memory() -> int | None:
    """MemAvailable of /proc/meminfo in bytes, None when unknown."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")), None)


def file_system(path: Path) -> str:
    """Type of the file system that a file is on or going to be on; "" when unknown."""
    try:
        device = (path if path.exists() else path.parent).stat().st_dev
    except OSError:
        return ""
    number = f"{os.major(device)}:{os.minor(device)}"
    return next((mount.kind for mount in cgroups.mounts() if mount.device == number), "")
