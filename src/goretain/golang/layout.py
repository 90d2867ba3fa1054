"""Where the runtime keeps its fields: struct layouts, symbols and constants asked of the binary itself.

Features are detected, versions never checked: code asks ``has("runtime.mspan", "largeType")``. What the
binary does not describe is an UnknownLayout error naming struct, field and Go version, never a guess.
Imports ``debuginfo``, ``golang.locate``, ``golang.tables`` and ``model``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from goretain.debuginfo.dwarf.descriptions import DebugSource, Descriptions
from goretain.debuginfo.dwarf.dwarf import Dwarf, RuntimeDwarf
from goretain.debuginfo.dwarf.types import DwarfType
from goretain.debuginfo.elf.elf import Elf
from goretain.debuginfo.elf.symbols import Symbol
from goretain.golang.locate.choose import choose
from goretain.golang.tables import LayoutTable, all_tables, tables_for
from goretain.model.errors import NoLayoutTable, RuntimeNotFound, UnknownLayout
from goretain.model.places import user_cache

_MODULE_LIMIT = 4096
_LOOKS = 4  # at a running program, until two in a row agree
Read = Callable[[int, int], bytes]
#: Where a symbol table names these, it names the others.
_ESSENTIAL = ("runtime.firstmoduledata", "runtime.mheap_")


def open_layout(binary: Elf, debug: DebugSource | None = None) -> Layout:
    """The layout of a program: the one way to make it, from the best that describes the program.

    Args:
        debug: the debug file that was given or found for it.

    Raises UnknownLayout when nothing describes it.
    """
    go_version = binary.go_version or "go?"
    if debug is not None:
        return Layout(binary, debug.descriptions, go_version, debug.symbols)
    dwarf = Dwarf.open(binary, user_cache() / "dwarf")
    if dwarf.present:
        return Layout(binary, dwarf, go_version)
    tables = tables_for(binary.go_version)
    if not tables:
        raise NoLayoutTable(go_version, sorted({table.go for table in all_tables()}))
    return Layout(binary, tables[0], go_version, tables=tables)


def planning_layout(binary: Elf, debug: DebugSource | None = None) -> Layout:
    """The layout by which is planned what to copy: where the runtime's structs are all that is needed.

    Made at a fifth of the cost, because it is made beside a production process. Layout tables would be
    cheaper still, but the program's own word is preferred to that of a release of its name.
    """
    dwarf = RuntimeDwarf(binary if debug is None else debug.elf)
    if dwarf.present and dwarf.struct("runtime.mheap") is not None:
        symbols = None if debug is None else debug.symbols
        return Layout(binary, dwarf, binary.go_version or "go?", symbols)
    return open_layout(binary, debug)


class Layout:
    """Field offsets and widths of runtime structs, and link-time addresses of runtime symbols.

    Paths name nested fields: ``offset("runtime.mheap", "arenas")``, ``offset("runtime.g", "sched", "pc")``.

    Attributes:
        elf: the binary that runs.
        descriptions: what describes its types.
        go_version: for messages; where the binary does not say it, that of the table that fits.
        symbols: symbols by name, link addresses of the binary that runs.
        tables: the layout tables that can fit a program without debug information, best first. More than one
            where the binary does not say which Go made it: then ``find_runtime`` settles on one.
        located: link addresses of runtime variables that were found in memory, where no symbol names them.
    """

    def __init__(
        self,
        elf: Elf,
        descriptions: Descriptions,
        go_version: str,
        symbols: Mapping[str, Symbol] | None = None,
        tables: Sequence[LayoutTable] = (),
    ) -> None:
        self.elf = elf
        self.descriptions = descriptions
        self.go_version = go_version
        self.symbols = elf.symbols if symbols is None else symbols
        self.tables = tuple(tables)
        self.located: dict[str, int] = {}
        self._fields: dict[tuple[str, ...], tuple[int, int]] = {}

    @property
    def table(self) -> LayoutTable | None:
        """The layout table that describes the program, None where debug information does."""
        return self.descriptions if isinstance(self.descriptions, LayoutTable) else None

    def find_runtime(self, read: Callable[[int, int], bytes], bias: int, *, changing: bool = False) -> None:
        """Find the runtime's variables in memory, once, where no symbols name them; settle on the table by
        which they are found. Raises RuntimeNotFound, UnknownLayout.

        read: memory at run-time addresses; changing: the program runs, one look may mislead, two must agree.
        """
        if self.located or (len(self.tables) < 2 and all(name in self.symbols for name in _ESSENTIAL)):
            return
        chosen, self.located = self._locate(read, bias)
        for _ in range(_LOOKS if changing else 0):
            before, (chosen, self.located) = self.located, self._locate(read, bias)
            if self.located == before:
                break
        self.descriptions, self.tables, self._fields = chosen.descriptions, chosen.tables, chosen._fields
        if self.table is not None and not any(map(str.isdigit, self.go_version)):
            self.go_version = f"go{self.table.go} (by its memory)"

    def _locate(self, read: Read, bias: int) -> tuple[Layout, dict[str, int]]:
        if self.table is None:
            return choose(read, self.elf, bias, [(self, ())])
        by_table = [Layout(self.elf, t, self.go_version, self.symbols, [t]) for t in self.tables]
        reasons = [table.wait_reasons for table in self.tables]
        return choose(read, self.elf, bias, list(zip(by_table, reasons, strict=True)))

    def has_struct(self, struct: str) -> bool:
        """Whether the binary describes this struct."""
        return self.descriptions.struct(struct) is not None

    def has(self, struct: str, *path: str) -> bool:
        """Whether the struct exists and has the field."""
        try:
            self._field(struct, path)
        except UnknownLayout:
            return False
        return True

    def offset(self, struct: str, *path: str) -> int:
        """Byte offset of a (nested) field. Raises UnknownLayout."""
        return self._field(struct, path)[0]

    def type_of(self, struct: str, *path: str) -> int:
        """Number of a (nested) field's type. Raises UnknownLayout."""
        return self._field(struct, path)[1]

    def width(self, struct: str, *path: str) -> int:
        """Bytes of a (nested) field's value. Raises UnknownLayout."""
        return self.size_of_type(self.type_of(struct, *path))

    def size(self, struct: str) -> int:
        """Bytes of the struct. Raises UnknownLayout."""
        return self._struct(struct).size

    def array_length(self, struct: str, *path: str) -> int:
        """Number of elements of an array field. Raises UnknownLayout."""
        return self._resolve(self.type_of(struct, *path)).count

    def has_symbol(self, name: str) -> bool:
        """Whether the runtime has this variable or function: by the symbols, else by the layout table."""
        table = self.table
        return name in self.symbols or (table is not None and table.has_symbol(name))

    def symbol(self, name: str) -> int:
        """Link-time address of a symbol, or of what was found in memory. Raises UnknownLayout."""
        found = self.symbols.get(name)
        if found is not None:
            return found.value
        if self.located and name not in self.located:
            raise RuntimeNotFound(name, 0, self.go_version)
        if not self.located:
            raise UnknownLayout(name, None, self.go_version)
        return self.located[name]

    def constant(self, name: str, default: int | None = None) -> int | None:
        """Value of a named constant in the descriptions, else the default."""
        value = self.descriptions.constant(name)
        return default if value is None else value

    def size_of_type(self, die: int) -> int:
        """Bytes of a value of the type with a number."""
        record = self._resolve(die)
        if record.size >= 0:
            return record.size
        if record.tag == "array":
            return record.count * self.size_of_type(record.elem)
        return 8

    def _struct(self, struct: str) -> DwarfType:
        die = self.descriptions.struct(struct)
        if die is None:
            raise self._unknown(struct, None)
        return self._resolve(die)

    def _unknown(self, struct: str, field: str | None) -> UnknownLayout:
        source = "the debug information" if self.table is None else f"the layout table ({self.table.name})"
        return UnknownLayout(struct, field, self.go_version, described_by=source)

    def _resolve(self, die: int) -> DwarfType:
        record = self.descriptions.type(die)
        while record.tag == "typedef" and record.elem:
            record = self.descriptions.type(record.elem)
        return record

    def _field(self, struct: str, path: tuple[str, ...]) -> tuple[int, int]:
        key = (struct, *path)
        found = self._fields.get(key)
        if found is None:
            found = self._fields[key] = self._walk(struct, path)
        return found

    def _walk(self, struct: str, path: tuple[str, ...]) -> tuple[int, int]:
        record, offset, die = self._struct(struct), 0, 0
        for name in path:
            found = self._member(record, name)
            if found is None:
                raise self._unknown(struct, ".".join(path))
            offset, die = offset + found[0], found[1]
            record = self._resolve(die)
        return offset, die

    def _member(self, record: DwarfType, name: str) -> tuple[int, int] | None:
        """Offset and type of a field, or of one that an embedded struct promotes, as in Go."""
        for member in record.members:
            if member.name == name:
                return member.offset, member.type
        for member in record.members:
            promoted = self._member(self._resolve(member.type), name) if member.embedded else None
            if promoted is not None:
                return member.offset + promoted[0], promoted[1]
        return None


class Readable(Protocol):
    """What a Program reads from: an Image, or a memory source while the target is frozen."""

    def read(self, address: int, size: int) -> bytes:
        """size bytes at address. Raises MissingMemory."""


class Program:
    """The runtime of one captured program: symbols at their run-time addresses, fields read by name."""

    def __init__(self, memory: Readable, layout: Layout, bias: int, *, changing: bool = False) -> None:
        """Finds the runtime in memory if no symbols name it; changing: it runs. Raises UnknownLayout."""
        self.memory = memory
        self.layout = layout
        self.bias = bias
        layout.find_runtime(memory.read, bias, changing=changing)

    def symbol(self, name: str) -> int:
        """Run-time address of a symbol. Raises UnknownLayout."""
        return self.layout.symbol(name) + self.bias

    def has_variable(self, name: str) -> bool:
        """Whether a variable of the runtime has a known place: what is empty may not have been found."""
        return name in self.layout.symbols or name in self.layout.located

    def uint(self, address: int, struct: str, *path: str) -> int:
        """Value of an integer or pointer field of the struct at address. Raises MissingMemory,
        UnknownLayout."""
        offset = self.layout.offset(struct, *path)
        width = min(self.layout.width(struct, *path), 8)
        return int.from_bytes(self.memory.read(address + offset, width), "little")

    def word(self, address: int) -> int:
        """Pointer-sized value at address. Raises MissingMemory."""
        return int.from_bytes(self.memory.read(address, 8), "little")

    def slice(self, address: int) -> tuple[int, int, int]:
        """(pointer, length, capacity) of the slice header at address. Raises MissingMemory."""
        raw = self.memory.read(address, 24)
        return (
            int.from_bytes(raw[0:8], "little"),
            int.from_bytes(raw[8:16], "little"),
            int.from_bytes(raw[16:24], "little"),
        )

    def text(self, address: int, limit: int = 4096) -> str:
        """The Go string whose header is at address, at most limit bytes. Raises MissingMemory."""
        raw = self.memory.read(address, 16)
        length = min(int.from_bytes(raw[8:], "little"), limit)
        if not length:
            return ""
        return self.memory.read(int.from_bytes(raw[:8], "little"), length).decode("utf-8", "replace")

    @property
    def module(self) -> int:
        """Run-time address of ``runtime.firstmoduledata``."""
        return self.symbol("runtime.firstmoduledata")

    def modules(self) -> list[int]:
        """Run-time addresses of the ``runtime.moduledata`` of the program and of the plugins it loaded."""
        found: list[int] = []
        address = self.module
        while address and len(found) < _MODULE_LIMIT:
            found.append(address)
            address = self.uint(address, "runtime.moduledata", "next")
        return found

    def moduledata(self, *path: str) -> int:
        """An integer field of the first module's ``runtime.moduledata`` (runtime/symtab.go)."""
        return self.uint(self.module, "runtime.moduledata", *path)
