"""Is there room for the analysis, where the capture would fit? Asked before a process is stopped, and again.

Everything that is yet to be taken is added up each time: the copy, the code, what describes the program, and
the heap as soon as its spans are known. Imports ``capture``, ``golang.extent`` and ``kernels`` when asked.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from goretain.capture.room.limits import Need, check_analysis, check_brim, memory_cgroups

if TYPE_CHECKING:
    from goretain.debuginfo.elf.elf import Elf
    from goretain.golang.extent import Extent

#: What the code of the analysis takes in memory: where the kernels are compiled, and while they are.
_COMPILED, _COMPILING = 80 << 20, 224 << 20
#: Types, functions and lines, in quarters of the sections that they are read from.
_PROGRAM_QUARTERS = 9
#: What is measured of a saved snapshot is at most so many times what its file holds.
_SAVED = 3


class AnalysisRoom:
    """The limits that the analysis of one target meets.

    Args:
        pid: the process; None for a file.
        force: analyse whatever the limits say.
    """

    def __init__(self, pid: int | None, *, force: bool) -> None:
        self._pid = pid
        self._force = force
        self._extent: Extent | None = None
        self._program = 0
        self._before: int | None = None

    def describe(self, program: Elf) -> None:
        """Which program it is, as soon as that is known."""
        from goretain.debuginfo.elf.elf import SHT_NOBITS

        sections = [section.size for section in program.sections.values() if section.type != SHT_NOBITS]
        self._program = sum(sections) * _PROGRAM_QUARTERS // 4

    def note(self, extent: Extent) -> None:
        """What the plan found."""
        self._extent = extent

    def check_planned(self, copy: Need) -> None:
        """Nothing is stopped or copied yet. Raises NotEnoughMemory.

        Where there is no plan (--full, an image) the heap is as large as it turns out to be later.
        """
        fixed = _code() + self._program
        now = _taken()
        if self._before is not None and now is not None:  # some of it is taken already
            fixed -= min(max(now - self._before, 0), fixed)
        extent = self._extent
        heap = extent.analysis_bytes if extent is not None else 0
        check_analysis(fixed + heap, copy, self._pid, force=self._force, least=extent is None)

    def check(self, extent: Extent) -> None:
        """The copy is there, and what else there is in it is known. Raises NotEnoughMemory."""
        self.note(extent)
        self.check_planned(Need(0))

    def check_saved(self, path: str) -> None:
        """Before a saved snapshot is read. Raises NotEnoughMemory."""
        try:
            size = Path(path).stat().st_size
        except OSError:
            return  # whoever opens it says why it cannot be
        check_analysis(size * _SAVED + _code(), Need(size), force=self._force)

    def watch(self, tell: Callable[[str], None] | None) -> Callable[[str], None]:
        """``tell``, which is called between steps and raises NotEnoughMemory when memory is nearly gone."""
        groups = memory_cgroups(self._pid) if self._pid is not None else None
        self._before = _taken()

        def step(what: str) -> None:
            if groups is not None:
                check_brim(groups)
            if tell is not None:
                tell(what)

        return step


def _code() -> int:
    from goretain.kernels.folder import compiled

    return _COMPILED if compiled() else _COMPILING


def _taken() -> int | None:
    """Memory of this process that no file holds, in bytes (proc_pid_status(5)); None when unknown."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon:")), None)
