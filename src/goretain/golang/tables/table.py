"""One layout table: answers for the runtime's own types what debug information would answer.

Says nothing of the program itself: no globals, no functions, no offsets of ``abi.Type`` records. Imports
``debuginfo`` and ``golang.tables.file``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import accumulate

from goretain.debuginfo.dwarf.descriptions import Global
from goretain.debuginfo.dwarf.functions import Function
from goretain.debuginfo.dwarf.types import DwarfType, Member
from goretain.golang.tables.file import TAGS, TableFile, TableRow, TypeRow


class LayoutTable:
    """The runtime's types in one Go version, as ``debuginfo.dwarf.descriptions.Descriptions`` asks for them.

    A type's number is its position among the table's types, from 1; it means nothing to other tables.

    Attributes:
        go: release line, ``1.24``. since: its first patch release that the table holds for.
        tried: patch releases whose toolchains it was held against.
        experiments: what GOEXPERIMENT changed, as the linker writes it behind the version.
        complete: False: only the runtime's types are described.
        globals: empty.
    """

    complete = False

    def __init__(self, file: TableFile, row: TableRow) -> None:
        self.go = row.go
        self.since = row.since
        self.tried = row.tried
        self.experiments = row.experiments
        self.globals: Sequence[Global] = ()
        self._texts = file.texts
        self._row = row
        self._records = [file.types[number] for number in accumulate(row.types)]
        self._known: dict[int, DwarfType] = {}

    @property
    def name(self) -> str:
        """Such as "Go 1.24 with noswissmap"."""
        release = f"Go {self.go}" + (f".{self.since} and later" if self.since else "")
        return f"{release} with {', '.join(self.experiments)}" if self.experiments else release

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {self._texts[record.name]: number for number, record in enumerate(self._records, 1)}

    @cached_property
    def _constants(self) -> dict[str, int]:
        names, values = self._row.constants[::2], self._row.constants[1::2]
        return {self._texts[name]: value for name, value in zip(names, values, strict=True)}

    @cached_property
    def variables(self) -> Mapping[str, int]:
        """The runtime's package-level variables: full name -> number of the type (0 when not described)."""
        names, types = self._row.variables[::2], self._row.variables[1::2]
        return {
            self._texts[name]: self._numbers.get(self._texts[type_], 0)
            for name, type_ in zip(names, types, strict=True)
        }

    @cached_property
    def functions(self) -> frozenset[str]:
        """Names of those functions of the runtime that features are told by."""
        return frozenset(self._texts[name] for name in self._row.functions)

    def has_symbol(self, name: str) -> bool:
        """Whether the runtime has this package-level variable, or this function that a feature is told by."""
        return name in self.variables or name in self.functions

    @property
    def size_classes(self) -> Sequence[int]:
        """Bytes of a slot by size class; class 0 is that of large objects and has none."""
        return self._row.size_classes

    @cached_property
    def wait_reasons(self) -> Sequence[str]:
        """Texts by value of runtime.waitReason."""
        return [self._texts[text] for text in self._row.wait_reasons]

    @cached_property
    def type_names(self) -> Sequence[str]:
        """Names of all types of the table."""
        return list(self._numbers)

    def struct(self, name: str) -> int | None:
        """Number of the named struct, None when the table has none."""
        number = self._numbers.get(name)
        return number if number is not None and self.type(number).tag in ("struct", "typedef") else None

    def type_by_name(self, name: str) -> int | None:
        """Number of the named type, None when the table has none."""
        return self._numbers.get(name)

    def type(self, number: int) -> DwarfType:
        """The type with a number. Raises KeyError when the table has none."""
        known = self._known.get(number)
        if known is None:
            if not 0 < number <= len(self._records):
                raise KeyError(f"{self.name} has no type {number}")
            known = self._known[number] = self._read(number, self._records[number - 1])
        return known

    def constant(self, name: str) -> int | None:
        """Value of a named constant, None when the table has none."""
        return self._constants.get(name)

    def type_by_runtime_offset(self, offset: int) -> int | None:  # noqa: ARG002 where they are is the linker's choice
        """None: the table knows no program."""
        return None

    def runtime_types(self) -> Mapping[int, int]:
        """Nothing: the table knows no program."""
        return {}

    def function_at(self, pc: int) -> Function | None:  # noqa: ARG002 the same
        """None: the table knows no program."""
        return None

    def _read(self, number: int, record: TypeRow) -> DwarfType:
        def meant(text: int) -> int:
            return self._numbers.get(self._texts[text], 0)

        texts, fields = self._texts, iter(record.members)
        members = tuple(
            Member(texts[name], offset, meant(type_), bool(embedded))
            for name, offset, type_, embedded in zip(fields, fields, fields, fields, strict=True)
        )
        return DwarfType(
            number, TAGS[record.tag], texts[record.name], record.size, meant(record.elem), record.kind, 0,
            meant(record.key), meant(record.go_elem), record.length, members,
        )  # fmt: skip
