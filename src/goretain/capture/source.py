"""What a plan reads from: the memory of a process that may be frozen, running or dead.

``capture`` knows addresses and files, not Go: the plan of ``golang`` is a function of a MemorySource that
says which ranges to copy. Imports ``debuginfo`` and numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from goretain.capture.image import Mapping
from goretain.debuginfo.elf.elf import Elf

I64 = NDArray[np.int64]


class MemorySource(Protocol):
    """Readable memory of one program.

    Attributes:
        binary: the ELF file of the program; bias: its load address minus its link address.
        registers: thread id -> registers of user_regs_struct; empty while the program runs.
    """

    binary: Elf
    bias: int
    registers: dict[int, dict[str, int]]

    def read(self, address: int, size: int) -> bytes:
        """size bytes at address. Raises MissingMemory."""
        ...

    def gather(self, ranges: I64) -> NDArray[np.uint8]:
        """All ranges int64[k, 2] concatenated in the order given. Raises MissingMemory if one is absent."""
        ...

    def mappings(self) -> list[Mapping]:
        """The address space, sorted by start."""
        ...


# Which ranges [start, end) to copy: int64[k, 2], in any order, perhaps overlapping. The copier widens them to
# multiples of 8.
Plan = Callable[[MemorySource], I64]
# Makes the plan for a program, from its binary and bias. Runs before anything is frozen.
PlanFor = Callable[[Elf, int], Plan]
