"""What a capture is to copy: capture asks golang, which asks the debug information of the binary.

For analyses and for ``snap`` alike. Imports ``golang.layout`` and ``golang.plan`` when asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from goretain.api.debugfiles import DebugFiles

if TYPE_CHECKING:
    from goretain.capture.source import Plan, PlanFor
    from goretain.debuginfo.elf.elf import Elf
    from goretain.golang.extent import OnExtent


def planner(
    files: DebugFiles,
    with_data: bool,
    *,
    light: bool = False,
    on_program: Callable[[Elf], None] | None = None,
    on_extent: OnExtent | None = None,
) -> PlanFor:
    """The planner of a capture of a program that is described by these debug files.

    Args:
        with_data: copy contents of pointer-free objects up to 4 KiB too.
        light: describe the program with as little work as possible, for nothing but the plan.
        on_program: told which program it is.
        on_extent: told how large the heap is, as the plan finds it.
    """
    from goretain.golang.layout import open_layout, planning_layout
    from goretain.golang.plan import lean_plan

    described = planning_layout if light else open_layout

    def plan_for(binary: Elf, bias: int) -> Plan:
        if on_program is not None:
            on_program(binary)
        return lean_plan(described(binary, files.of(binary)), bias, with_data=with_data, on_extent=on_extent)

    return plan_for
