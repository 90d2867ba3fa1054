"""Runtime structs read as records: the wanted fields of one struct by one read, offsets resolved once.

For structs that there are many of (``runtime.g``, ``runtime.special``); single fields are read with
Program.uint.
Imports ``golang.layout`` and the standard library.
"""

from __future__ import annotations

import struct

from goretain.golang.layout import Layout, Readable

_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


class RecordReader:
    """Reads the same fields of many structs of one type."""

    def __init__(self, layout: Layout, name: str, *paths: tuple[str, ...]) -> None:
        """paths: fields in the order in which ``read`` returns them. Raises UnknownLayout."""
        rows = []
        for i, path in enumerate(paths):
            width = layout.width(name, *path)
            rows.append((layout.offset(name, *path), width if width in _CODES else 8, i))
        rows.sort()
        self._first = rows[0][0]
        codes, at = "<", self._first
        for offset, width, _ in rows:
            codes += f"{offset - at}x{_CODES[width]}"
            at = offset + width
        self._record = struct.Struct(codes)
        places = [0] * len(rows)
        for place, (_, _, i) in enumerate(rows):
            places[i] = place
        self._places = tuple(places)

    def read(self, memory: Readable, address: int) -> tuple[int, ...]:
        """The fields of the struct at address. Raises MissingMemory."""
        values = self._record.unpack(memory.read(address + self._first, self._record.size))
        return tuple(values[place] for place in self._places)
