"""What a heap dump file says, decoded: its program, goroutines, roots and finalizers (runtime/heapdump.go).

Imports ``kernels`` and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.dumpscan import Records

U8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Block:
    """Memory in the dump: its address, where in the file it is, its length; offsets of its pointer words."""

    address: int
    at: int
    length: int
    pointers: tuple[int, ...] = ()

    @property
    def end(self) -> int:
        """Address behind it."""
        return self.address + self.length


@dataclass(frozen=True, slots=True)
class DumpedFrame:
    """One frame, innermost first: its memory, depth, function, entry point and pc."""

    memory: Block
    function: str
    entry: int
    pc: int


@dataclass(slots=True)
class DumpedGoroutine:
    """One goroutine. address: of its runtime.g; status: of runtime2.go; roots: (what, address) of defers and
    panics."""

    address: int
    id: int
    status: int
    system: bool
    wait_reason: str
    context: int
    frames: list[DumpedFrame] = field(default_factory=list)
    roots: list[tuple[str, int]] = field(default_factory=list)


@dataclass(slots=True)
class HeapDump:
    """A heap dump.

    Attributes:
        path: the file; data: uint8[...], its bytes; records: its objects, in the order of the file.
        go_version: of the program that wrote it.
        types: address of an abi.Type -> (size, name); direct: those whose values interfaces hold themselves.
        itabs: address of an itab -> address of its type.
        finalizers: (object, function, type of the object's pointer), queued ones apart.
        roots: (description, address) of roots that the runtime named.
        stats: numbers of runtime.MemStats in its order, without EnableGC, DebugGC and what follows.
        cut_off: where the file ends although more should follow, -1 where it is whole.
    """

    path: str
    data: U8
    records: Records
    go_version: str = ""
    data_segment: Block | None = None
    bss_segment: Block | None = None
    types: dict[int, tuple[int, str]] = field(default_factory=dict)
    direct: set[int] = field(default_factory=set)
    itabs: dict[int, int] = field(default_factory=dict)
    goroutines: list[DumpedGoroutine] = field(default_factory=list)
    finalizers: list[tuple[int, int, int]] = field(default_factory=list)
    queued: list[tuple[int, int, int]] = field(default_factory=list)
    roots: list[tuple[str, int]] = field(default_factory=list)
    stats: tuple[int, ...] = ()
    cut_off: int = -1

    def segments(self) -> list[tuple[str, Block]]:
        """The segments of global variables."""
        found = (("data", self.data_segment), ("bss", self.bss_segment))
        return [(name, block) for name, block in found if block is not None]
