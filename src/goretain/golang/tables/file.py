"""The data file of the layout tables: what stands in it, and how it is read and written.

Zlib-compressed JSON. A type's record names other types by name, not by number, so that a struct that is laid
out the same in five Go versions is one record; a table is a list of records. Texts stand once, in ``texts``,
and are meant by their position; 0 is the empty text. Part of the light capture path: imports the standard
library only.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

#: Written by ``tools/layout_tables.py``, part of the package.
PATH = Path(__file__).with_name("layouts.json.z")

#: Tags of type records by number: those of ``DwarfType``.
TAGS = ("base", "struct", "array", "pointer", "typedef", "subroutine", "unspecified")


@dataclass(frozen=True, slots=True)
class TypeRow:
    """One type, its numbers as in ``DwarfType``.

    Attributes:
        tag: position in TAGS. name, elem, key, go_elem: texts, the last three names of types.
        length: ``count`` of an array.
        members: per field its name, offset, type's name, and 1 when it is embedded.
    """

    tag: int
    name: int
    size: int
    elem: int
    kind: int
    key: int
    go_elem: int
    length: int
    members: Sequence[int]


@dataclass(frozen=True, slots=True)
class TableRow:
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


@dataclass(frozen=True, slots=True)
class TableFile:
    """All tables.

    Attributes:
        texts, types: no two alike.
        refused: release line -> experiments that change layouts and have no table.
        tables: release line by release line, oldest first, each without experiments first.
    """

    texts: tuple[str, ...]
    types: tuple[TypeRow, ...]
    refused: dict[str, tuple[str, ...]]
    tables: tuple[TableRow, ...]


def read_file(path: Path = PATH) -> TableFile:
    """What stands in the data file."""
    found = json.loads(zlib.decompress(path.read_bytes()))
    return TableFile(
        texts=tuple(found["texts"]),
        types=tuple(TypeRow(*row) for row in found["types"]),
        refused={line: tuple(names) for line, names in found["refused"].items()},
        tables=tuple(
            TableRow(**{key: _frozen(value) for key, value in row.items()}) for row in found["tables"]
        ),
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def write_file(tables: TableFile, path: Path = PATH) -> int:
    """Write the data file; returns its size in bytes."""
    found = {
        "texts": tables.texts,
        "types": [astuple(row) for row in tables.types],
        "refused": tables.refused,
        "tables": [asdict(row) for row in tables.tables],
    }
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    content = zlib.compress(text.encode(), 9)
    path.write_bytes(content)
    return len(content)
