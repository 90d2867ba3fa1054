"""What DWARF says about a Go program: globals, types, functions with their variables, named constants.

Opening reads an index (from the cache, or in about 2 us a DIE); records are decoded when asked for. All
addresses are link addresses. Hostile input gives CorruptFile. May import ``debuginfo`` and ``model``.
"""

from __future__ import annotations

import bisect
from collections.abc import KeysView
from functools import cached_property
from pathlib import Path
from typing import Self

from goretain.debuginfo.dwarf.cache import cache_key, load_index, save_index
from goretain.debuginfo.dwarf.descriptions import Global
from goretain.debuginfo.dwarf.functions import Function, FunctionReader, Variable
from goretain.debuginfo.dwarf.index import TAG_STRUCT, TAG_TYPEDEF, Index, build_index
from goretain.debuginfo.dwarf.runtimepart import RuntimeSections
from goretain.debuginfo.dwarf.types import DwarfType, Member, TypeReader
from goretain.debuginfo.dwarf.units import Sections, Units
from goretain.debuginfo.elf.elf import Elf

__all__ = ["Dwarf", "DwarfType", "Function", "Global", "Member", "Variable"]


class Dwarf:
    """The DWARF of one file. ``present`` is False when there is none (-ldflags=-w, strip): all is empty."""

    def __init__(self, elf: Elf, cache_dir: Path | None) -> None:
        self._sections = Sections(elf)
        self._cache_dir = cache_dir
        self.present = ".debug_info" in elf.sections or ".zdebug_info" in elf.sections
        self._functions: dict[int, Function] = {}

    @classmethod
    def open(cls, elf: Elf, cache_dir: Path | None) -> Self:
        """The DWARF of elf, its index kept in cache_dir (None: not kept). Errors come with the first use."""
        return cls(elf, cache_dir)

    @property
    def complete(self) -> bool:
        """Whether the whole program is described, as ``Descriptions`` asks: it is, or nothing is."""
        return self.present

    @cached_property
    def _units(self) -> Units:
        return Units(self._sections)

    @cached_property
    def _index(self) -> Index:
        directory = self._cache_dir
        if directory is None or not self.present:
            return build_index(self._units)
        key = cache_key(self._sections.elf)
        found = load_index(directory, key)
        if found is None:
            found = build_index(self._units)
            save_index(directory, key, found)
        return found

    @cached_property
    def _types(self) -> TypeReader:
        return TypeReader(self._units)

    @cached_property
    def _function_reader(self) -> FunctionReader:
        return FunctionReader(self._units)

    @cached_property
    def globals(self) -> list[Global]:
        """Package-level variables by address. Raises CorruptFile."""
        index = self._index
        names = _names(index.global_names)
        columns = zip(names, index.global_addresses.tolist(), index.global_types.tolist(), strict=True)
        return [Global(name, address, type_offset) for name, address, type_offset in columns]

    @cached_property
    def _by_name(self) -> dict[str, tuple[int, int]]:
        """Name -> (DIE offset, signed tag); an entry that describes a type wins over one that renames it."""
        index = self._index
        offsets, tags = index.type_offsets.tolist(), index.type_tags.tolist()
        out: dict[str, tuple[int, int]] = {}
        for name, offset, tag in zip(_names(index.type_names), offsets, tags, strict=True):
            known = out.get(name)
            if known is None or known[1] < 0 < tag:
                out[name] = (offset, tag)
        return out

    def type_by_name(self, name: str) -> int | None:
        """DIE offset of the type with a name such as "runtime.mspan" or "[]uint8". Raises CorruptFile."""
        found = self._by_name.get(name)
        return found[0] if found is not None else None

    def struct(self, name: str) -> int | None:
        """DIE offset of the named struct, or of a typedef where the name is only that. Raises CorruptFile."""
        found = self._by_name.get(name)
        return found[0] if found is not None and abs(found[1]) in (TAG_STRUCT, TAG_TYPEDEF) else None

    @property
    def type_names(self) -> KeysView[str]:
        """Names of all types that have one. Raises CorruptFile."""
        return self._by_name.keys()

    @cached_property
    def _by_runtime_type(self) -> dict[int, int]:
        index = self._index
        pairs = zip(index.runtime_types.tolist(), index.type_offsets.tolist(), strict=True)
        return {runtime_type: offset for runtime_type, offset in pairs if runtime_type}

    def type_by_runtime_offset(self, offset: int) -> int | None:
        """DIE offset of the type whose abi.Type is at moduledata.types + offset. Raises CorruptFile."""
        return self._by_runtime_type.get(offset)

    def runtime_types(self) -> dict[int, int]:
        """DW_AT_go_runtime_type -> DIE offset, for all types that have one."""
        return dict(self._by_runtime_type)

    def type(self, offset: int) -> DwarfType:
        """The type at a DIE offset. Types may refer to each other in cycles. Raises CorruptFile."""
        return self._types.read(offset)

    @cached_property
    def _lows(self) -> list[int]:
        lows: list[int] = self._index.function_lows.tolist()
        return lows

    def function_at(self, pc: int) -> Function | None:
        """The function whose machine code holds a link pc, inlined calls included. Raises CorruptFile."""
        i = bisect.bisect_right(self._lows, pc) - 1
        if i < 0 or pc >= int(self._index.function_highs[i]):
            return None
        known = self._functions.get(i)
        if known is None:
            index = self._index
            offset, high = int(index.function_offsets[i]), int(index.function_highs[i])
            known = self._functions[i] = self._function_reader.read(offset, self._lows[i], high)
        return known

    @cached_property
    def _constants(self) -> dict[str, int]:
        index = self._index
        return dict(zip(_names(index.constant_names), index.constant_values.tolist(), strict=True))

    @property
    def constant_names(self) -> KeysView[str]:
        """Full names of all integer constants. Raises CorruptFile."""
        return self._constants.keys()

    def constant(self, name: str) -> int | None:
        """Value of an integer constant such as "runtime._KindSpecialFinalizer". Raises CorruptFile."""
        return self._constants.get(name)


class RuntimeDwarf(Dwarf):
    """The types of package runtime, for who needs its structs and nothing else.

    The linker writes all types into the unit of package runtime, a fifth of the debug information of a large
    program (cmd/link/internal/ld/dwarf.go, dwarfGenerateDebugInfo). No index is kept.
    """

    def __init__(self, elf: Elf) -> None:
        super().__init__(elf, None)
        self._sections = RuntimeSections(elf)

    @property
    def complete(self) -> bool:
        """Globals and functions of other packages are not described."""
        return False

    @cached_property
    def _index(self) -> Index:
        return build_index(self._units, "runtime")


def _names(blob: bytes) -> list[str]:
    return blob.decode("utf-8", "replace").split("\0")[:-1]
