"""The data file of the layout tables: what stands in it, and how it is read and written.

Zlib-compressed JSON. A type's record names other types by name, not by number, so that a struct that is laid
out the same in five Go versions is one record; a table is a list of records. Texts stand once, in ``texts``,
and are meant by their position; 0 is the empty text. Imports msgspec and the standard library.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import msgspec

#: Written by ``tools/layout_tables.py``, part of the package.
PATH = Path(__file__).with_name("layouts.json.z")

#: Tags of type records by number: those of ``DwarfType``.
TAGS = ("base", "struct", "array", "pointer", "typedef", "subroutine", "unspecified")


class TypeRow(msgspec.Struct, array_like=True, frozen=True):
    """One type, its numbers as in ``DwarfType``.

    Attributes:
        tag: position in TAGS. name, elem, key, go_elem: texts, the last three names of types.
        members: per field its name, offset, type's name, and 1 when it is embedded.
    """

    tag: int
    name: int
    size: int
    elem: int
    kind: int
    key: int
    go_elem: int
    count: int
    members: tuple[int, ...] = ()


class TableRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """The table of one Go version and set of experiments.

    Attributes:
        go: ``1.24``. since: the first patch release that it holds for.
        tried: patch releases whose toolchains were held against it.
        experiments: GOEXPERIMENT names, as the linker writes them behind the version.
        types: numbers of type records: the first, then differences; ascending.
        constants: name and value, alternating. variables: name and type's name, alternating.
        functions: names of functions that features are told by.
        size_classes: bytes of a slot by class. wait_reasons: texts by value of runtime.waitReason.
    """

    go: str
    since: int
    tried: tuple[int, ...]
    experiments: tuple[str, ...]
    types: tuple[int, ...]
    constants: tuple[int, ...]
    variables: tuple[int, ...]
    functions: tuple[int, ...]
    size_classes: tuple[int, ...]
    wait_reasons: tuple[int, ...]


class TableFile(msgspec.Struct, frozen=True):
    """All tables: texts, types (no two alike), tables."""

    texts: tuple[str, ...]
    types: tuple[TypeRow, ...]
    tables: tuple[TableRow, ...]


def read_file(path: Path = PATH) -> TableFile:
    """What stands in the data file."""
    return msgspec.json.decode(zlib.decompress(path.read_bytes()), type=TableFile)


def write_file(tables: TableFile, path: Path = PATH) -> int:
    """Write the data file; returns its size in bytes."""
    content = zlib.compress(msgspec.json.encode(tables), 9)
    path.write_bytes(content)
    return len(content)
