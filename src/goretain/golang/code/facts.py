"""The facts of a module's code, as columns: runs the kernel and takes its rows apart.

Imports ``kernels`` and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.kernels import codevalues, gocode

I64 = NDArray[np.int64]
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts by kind.

    Attributes:
        references: int64[k, 2], function and data address that it names, in order of the code.
        rows: int64[m, 4], the other facts: kind, function, a, b as in ``kernels.codevalues``.
    """

    references: I64
    rows: I64

    def of(self, kind: int) -> I64:
        """int64[k, 3]: function, a, b of the facts of a kind, each once."""
        chosen = self.rows[self.rows[:, 0] == kind, 1:]
        return np.unique(chosen, axis=0) if len(chosen) else chosen


def read_facts(code: codevalues.Code) -> Facts:
    """Facts of all functions, in order. Memory: 32 bytes a fact."""
    work = codevalues.work_for(code.entry)
    table = np.empty((max(_CHUNK, gocode.room_for(code.entry)), codevalues.FACT_WIDTH), np.int64)
    references = [np.empty((0, 2), np.int64)]
    rest = [np.empty((0, codevalues.FACT_WIDTH), np.int64)]
    row = 0
    while row < len(code.role):
        row = gocode.scan(code, work, row, table)
        rows = table[: int(work.v[codevalues.USED])]
        is_reference = rows[:, 0] == codevalues.REFERENCE
        references.append(rows[is_reference, 1:3])
        rest.append(rows[~is_reference])
    return Facts(np.concatenate(references), np.concatenate(rest))
