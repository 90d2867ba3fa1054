"""The facts of a module's code, as columns: runs the kernel and takes its rows apart.

Imports ``kernels`` and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.kernels import codevalues, gocode

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts by kind.

    Attributes:
        ref_function, ref_address: int64[k]; ref_how: uint8[k]: references to data.
        rows: int64[m, 4], the other facts: kind, function, a, b as in ``kernels.codevalues``.
        unreadable: functions with code that is not understood.
    """

    ref_function: I64
    ref_address: I64
    ref_how: U8
    rows: I64
    unreadable: int

    def of(self, kind: int) -> I64:
        """int64[k, 3]: function, a, b of the facts of a kind, each once."""
        chosen = self.rows[self.rows[:, 0] == kind, 1:]
        return np.unique(chosen, axis=0) if len(chosen) else chosen


def read_facts(code: codevalues.Code) -> Facts:
    """Facts of all functions, in order. Memory: 32 bytes a fact."""
    work = codevalues.work_for(code.entry)
    table = np.empty((max(_CHUNK, gocode.room_for(code.entry)), codevalues.FACT_WIDTH), np.int64)
    references: list[tuple[I64, I64, U8]] = []
    rest: list[I64] = []
    row = 0
    while row < len(code.role):
        row = gocode.scan(code, work, row, table)
        rows = table[: int(work.v[codevalues.USED])]
        is_reference = rows[:, 0] <= codevalues.OTHER
        chosen = rows[is_reference]
        references.append((chosen[:, 1].copy(), chosen[:, 2].copy(), chosen[:, 0].astype(np.uint8)))
        rest.append(rows[~is_reference])
    empty = np.empty((0, codevalues.FACT_WIDTH), np.int64)
    return Facts(
        np.concatenate([r[0] for r in references] or [empty[:, 0]]),
        np.concatenate([r[1] for r in references] or [empty[:, 0]]),
        np.concatenate([r[2] for r in references] or [empty[:, 0].astype(np.uint8)]),
        np.concatenate([*rest, empty]),
        int(work.v[codevalues.UNREADABLE]),
    )
