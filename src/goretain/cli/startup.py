"""Is there room for goretain itself? Asked before a command imports what takes memory.

In a small container the kernel would kill it while it starts, and say nothing. The figures are measured:
what a cgroup of its own is charged with until the capture's own check. Imports ``capture`` and
``model`` modules that import the standard library only.
"""

from __future__ import annotations

from goretain.capture.room.cgroups import ends_with_us
from goretain.capture.room.limits import check_start
from goretain.model.pids import is_pid

_MIB = 1 << 20
#: Memory that a command takes before it has anything to say, in bytes.
MEMORY = {"snap": 48 * _MIB, "doctor": 32 * _MIB, "why": 96 * _MIB, "diff": 96 * _MIB}
#: Address space that numpy and its libraries take, with numba and LLVM what an analysis begins with.
_SPACE = {"snap": 96 * _MIB, "doctor": 96 * _MIB, "why": 416 * _MIB, "diff": 416 * _MIB}


def check(command: str, target: str = "", *, force: bool = False, forcible: bool = True) -> None:
    """Raise NotEnoughMemory unless the command can start here.

    target: as the user named it; force does not help where the kernel would end it together with us.
    """
    if force and is_pid(target) and ends_with_us(int(target)):
        force = forcible = False
    check_start(MEMORY[command], _SPACE[command], force=force, forcible=forcible)
