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

    def extents(self) -> dict[int, int]:
        """Data address -> bytes of the array that code indexes from there, where it says how many."""
        found: dict[int, int] = {}
        for _, at, size in self.of(codevalues.EXTENT).tolist():
            found[at] = max(size, found.get(at, 0))
        return found

    def reach(self, kind: int) -> dict[int, int]:
        """How many bytes behind what a pointer points to code goes: by the pointer's data address (LOADED) or
        by row of the method whose receiver it is (ARGUMENT)."""
        steps = self.rows[self.rows[:, 0] == codevalues.BEHIND]
        steps = steps[steps[:, 3] >> codevalues.SHIFT == kind]
        key = steps[:, 1] if kind == codevalues.ARGUMENT else steps[:, 3] & codevalues.PAYLOAD
        keys, row = np.unique(key, return_inverse=True)
        end = np.zeros(len(keys), np.int64)
        np.maximum.at(end, row, ((steps[:, 2] >> codevalues.SHIFT) + 1) * 8)
        return dict(zip(keys.tolist(), end.tolist(), strict=True))

    def nothing(self, names: list[str]) -> frozenset[int]:
        """Addresses that the runtime gives for values of no size; names: of the functions."""
        returned = self.of(codevalues.RETURNS).tolist()
        given = [value for row, _, value in returned if names[row].startswith("runtime.mallocgc")]
        address = [
            value & codevalues.PAYLOAD for value in given if value >> codevalues.SHIFT == codevalues.ADDRESS
        ]
        return frozenset(address)


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
