"""Size classes of small objects, asked of the program (``class_to_size``, runtime/sizeclasses.go; from Go
1.25 ``SizeClassToSize``, internal/runtime/gc/sizeclasses.go).

Imports ``golang.layout``, ``kernels.arenas``, ``model`` and numpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.golang.layout import Program
from goretain.kernels.arenas import GO_PAGE
from goretain.model.errors import UnknownLayout

_SYMBOLS = ("internal/runtime/gc.SizeClassToSize", "runtime.class_to_size")
I64 = NDArray[np.int64]


def read_size_classes(program: Program) -> I64:
    """Ascending slot sizes in bytes. Raises UnknownLayout."""
    for name in _SYMBOLS:
        symbol = program.layout.symbols.get(name)
        if symbol is not None and symbol.size >= 4:
            raw = program.memory.read(program.symbol(name), symbol.size)
            sizes = np.frombuffer(raw, np.uint16).astype(np.int64)
            return np.unique(sizes[sizes > 0])
    table = program.layout.table
    if table is not None:
        return np.unique([size for size in table.size_classes if size]).astype(np.int64)
    raise UnknownLayout("runtime.class_to_size", None, program.layout.go_version)


def slot_bytes(size_classes: I64, request: I64) -> I64:
    """Bytes of the slot that an allocation of ``request`` bytes (int64[k]) takes; 0 stays 0."""
    last = int(size_classes[-1])
    i = np.searchsorted(size_classes, np.minimum(request, last))
    pages = -(-request // GO_PAGE) * GO_PAGE
    return np.where(request <= 0, 0, np.where(request <= last, size_classes[i], pages))
