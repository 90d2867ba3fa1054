"""The ELF symbol table as numpy columns, looked up by name or by address.

Go binaries carry 10 000 to 200 000 symbols; goretain asks for a few dozen, so nothing is decoded until it is
asked for, and then all names at once. May import ``model`` and numpy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from goretain.model.errors import CorruptFile

_SYM = np.dtype(
    [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("value", "<u8"), ("size", "<u8")]
)
_TYPES = ("notype", "object", "func", "section", "file", "common", "tls")
# So many names are searched for in the strings; who wants more of them has all names decoded.
_SEARCHES = 48
# Tail merging lets names share bytes, but never by this factor: beyond it the table is hostile.
_MAX_SHARING = 16


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol: link address and size in bytes; type "object", "func", "notype", "tls", ..."""

    name: str
    value: int
    size: int
    type: str


class SymbolTable(Mapping[str, Symbol]):
    """Defined symbols by name; of two with one name the last (global after local) wins."""

    def __init__(self, table: bytes, strings: bytes, path: str, offset: int) -> None:
        """table: bytes of .symtab found at offset of the file path; strings: bytes of .strtab.

        Raises CorruptFile when a name lies outside the strings, or names overlap beyond reason.
        """
        rows = np.frombuffer(table, _SYM, len(table) // _SYM.itemsize)
        self._rows: NDArray[np.void] = rows[rows["section"] != 0]
        self._strings = strings
        self._path = path
        self._offset = offset
        self._searches = 0

    @cached_property
    def _spans(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Start and end of each row's name in the strings, int64[n] each."""
        nul = np.flatnonzero(np.frombuffer(self._strings, np.uint8) == 0)
        starts = self._rows["name"].astype(np.int64)
        at = np.searchsorted(nul, starts)
        if len(starts) and (not len(nul) or int(at.max()) >= len(nul)):
            raise CorruptFile(self._path, self._offset, "a symbol's name lies outside the string table")
        ends = nul[at].astype(np.int64)
        if int((ends - starts).sum()) > _MAX_SHARING * len(self._strings) + 4096:
            raise CorruptFile(self._path, self._offset, "the symbols' names overlap beyond reason")
        return starts, ends

    @cached_property
    def _index(self) -> dict[str, int]:
        starts, ends = self._spans
        names = [self._name(a, b) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        index = dict(zip(names, range(len(names)), strict=True))
        index.pop("", None)
        return index

    def _name(self, start: int, end: int) -> str:
        return self._strings[start:end].decode("utf-8", "replace")

    def _symbol(self, row: int) -> Symbol:
        starts, ends = self._spans
        name = self._name(int(starts[row]), int(ends[row]))
        record = self._rows[row]
        kind = int(record["info"]) & 15
        text = _TYPES[kind] if kind < len(_TYPES) else str(kind)
        return Symbol(name, int(record["value"]), int(record["size"]), text)

    def _find(self, name: str) -> int:
        """Row of the last symbol of that name. Raises KeyError.

        All names as Python texts take 200 bytes each, which is much beside a production process.
        """
        decoded = "_index" in self.__dict__ or self._searches >= _SEARCHES
        if decoded or not name or "\N{REPLACEMENT CHARACTER}" in name:
            return self._index[name]
        self._searches += 1
        found, rows, wanted = -1, self._rows["name"], name.encode() + b"\0"
        _ = self._spans  # complains about a hostile table
        at = self._strings.find(wanted)
        while at >= 0:
            named = np.flatnonzero(rows == at)
            found = max(found, int(named[-1]) if len(named) else -1)
            at = self._strings.find(wanted, at + len(wanted))
        if found < 0:
            raise KeyError(name)
        return found

    def __getitem__(self, name: str) -> Symbol:
        return self._symbol(self._find(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)
