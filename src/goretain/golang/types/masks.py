"""Pointer masks of types: the collector's own where the program carries one, built from the type where it
does not.

``abi.Type.GCData`` (internal/abi/type.go) is a mask; from Go 1.24 the types that are too large for one carry
TFlagGCMaskOnDemand and their mask is made when first needed (runtime/type.go getGCMaskOnDemand); before,
such types carry a GC program. Imports ``kernels.heapscan``, numpy and the type rooms of ``golang``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.golang.types.gcmask import mask_bits, program_bits
from goretain.golang.types.gotypes import GoType, atomic_pointer, points_outside_heap
from goretain.golang.types.universe import TypeUniverse
from goretain.kernels.heapscan import Masks
from goretain.model.errors import GoretainError, MissingMemory

_KIND_GC_PROGRAM = 1 << 6  # internal/abi/type.go up to 1.23: KindGCProg
_FLAG_ON_DEMAND = 1 << 4  # internal/abi/type.go from 1.24: TFlagGCMaskOnDemand
_LARGEST_TYPE = 1 << 40

Bits = NDArray[np.bool_]


def built_mask(t: GoType) -> Bits:
    """bool[size // 8]: which words of a value of t are pointers, from its fields alone."""
    words = np.zeros(-(-t.size // 8), np.bool_)
    if t.kind in ("ptr", "unsafeptr", "map", "chan", "func", "slice", "string"):
        words[0] = not points_outside_heap(t)
    elif t.kind == "interface":
        words[1] = True
    elif t.kind == "struct":
        pointer = atomic_pointer(t)
        if pointer is not None:
            words[pointer.offset // 8] = True
        for f in t.fields if pointer is None else ():
            part = built_mask(f.type)
            if part.any():
                words[f.offset // 8 : f.offset // 8 + len(part)] |= part
    elif t.kind == "array" and t.elem is not None and t.count and t.elem.size % 8 == 0:
        part = built_mask(t.elem)
        if part.any():
            words[: len(part) * t.count] = np.tile(part, t.count)
    return words


class MaskReader:
    """Masks by abi.Type address."""

    def __init__(self, universe: TypeUniverse) -> None:
        self.universe = universe
        self.program = universe.program
        self.on_demand = self.program.layout.has_symbol("runtime.getGCMaskOnDemand")

    def mask(self, address: int) -> tuple[int, Bits] | None:
        """(size in bytes, pointer words of one value) of the abi.Type at address; None when it cannot be
        known."""
        try:
            raw = self.program.memory.read(address, 48)
            size, pointer_bytes = int.from_bytes(raw[:8], "little"), int.from_bytes(raw[8:16], "little")
            if not 0 < size <= _LARGEST_TYPE or pointer_bytes > size:
                return None
            return size, self._bits(address, raw, pointer_bytes // 8)
        except (MissingMemory, GoretainError):
            return None

    def _bits(self, address: int, raw: bytes, words: int) -> Bits:
        data = int.from_bytes(raw[32:40], "little")
        if self.made_on_demand(raw):
            return self._built(address, words)
        try:
            if not self.on_demand and raw[23] & _KIND_GC_PROGRAM:
                return program_bits(self.program.memory, data + 4, words)  # after its 4-byte length
            return mask_bits(self.program.memory, data, words)
        except MissingMemory:  # package reflect keeps masks in pointer-free objects, which are not copied
            return self._built(address, words)

    def _built(self, address: int, words: int) -> Bits:
        t = self.universe.from_runtime(address)
        if t is None:
            raise GoretainError(f"the type at {address:#x} has no pointer mask and cannot be decoded")
        return built_mask(t)[:words]

    def made_on_demand(self, raw: bytes) -> bool:
        """Whether GCData is not the mask but the place for one that the runtime makes when it needs it."""
        return self.on_demand and bool(raw[20] & _FLAG_ON_DEMAND)


def read_masks(universe: TypeUniverse, keys: NDArray[np.int64]) -> Masks:
    """Masks of the abi.Types at keys (int64[k], ascending and unique); those that cannot be known are left
    out."""
    reader = MaskReader(universe)
    found = [(key, made) for key in keys.tolist() if (made := reader.mask(key)) is not None]
    words = [np.flatnonzero(bits) for _, (_, bits) in found]
    return Masks(
        key=np.array([key for key, _ in found], np.int64),
        size=np.array([size for _, (size, _) in found], np.int64),
        start=np.concatenate(([0], np.cumsum([len(w) for w in words]))).astype(np.int64),
        word=np.concatenate([*words, np.empty(0, np.int64)]).astype(np.int64),
    )


def type_mask(universe: TypeUniverse, t: GoType) -> int:
    """Pointer words of a value of at most 512 bytes as a bit set; the collector's own mask where the program
    has one."""
    bits = None
    if t.runtime_address and not t.role:
        made = MaskReader(universe).mask(t.runtime_address)
        bits = made[1] if made is not None and made[0] == t.size else None
    if bits is None:
        bits = built_mask(t)
    return sum(1 << int(w) for w in np.flatnonzero(bits) if w < 64)
