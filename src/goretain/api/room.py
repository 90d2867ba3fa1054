"""Is there room for the analysis, where the capture would fit? Asked before a process is stopped, and again.

Imports ``capture``, ``golang.extent`` and ``kernels`` when asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from goretain.capture.room.limits import Need, check_analysis, check_brim, memory_cgroups

if TYPE_CHECKING:
    from goretain.golang.extent import Extent

#: What the code of the analysis takes in memory: where the kernels are compiled, and while they are.
_COMPILED, _COMPILING = 80 << 20, 224 << 20


class AnalysisRoom:
    """The limits that the analysis of one target meets.

    Args:
        pid: the process; None for a core or an image.
        force: analyse whatever the limits say.
    """

    def __init__(self, pid: int | None, *, force: bool) -> None:
        self._pid = pid
        self._force = force
        self._extent: Extent | None = None

    def note(self, extent: Extent) -> None:
        """What the plan found on the running process."""
        self._extent = extent

    def check_planned(self, copy: Need) -> None:
        """Nothing is stopped or copied yet. Raises NotEnoughMemory; not where there is no plan (--full)."""
        if self._extent is not None:
            self._check(self._extent, copy)

    def check(self, extent: Extent) -> None:
        """The copy is there, and what else there is in it is known. Raises NotEnoughMemory."""
        self._check(extent, Need(0))

    def watch(self, tell: Callable[[str], None] | None) -> Callable[[str], None]:
        """``tell``, which is called between steps and raises NotEnoughMemory when memory is nearly gone."""
        groups = memory_cgroups(self._pid) if self._pid is not None else None

        def step(what: str) -> None:
            if groups is not None:
                check_brim(groups)
            if tell is not None:
                tell(what)

        return step

    def _check(self, extent: Extent, copy: Need) -> None:
        from goretain.kernels.folder import compiled

        code = _COMPILED if compiled() else _COMPILING
        check_analysis(extent.analysis_bytes + code, copy, self._pid, force=self._force)
