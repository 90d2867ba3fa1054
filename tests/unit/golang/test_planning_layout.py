"""The layout that captures are planned by is cheap, and says the same as the whole debug information."""

from __future__ import annotations

from pathlib import Path

import pytest

from goretain.debuginfo.dwarf.dwarf import Dwarf, RuntimeDwarf
from goretain.debuginfo.dwarf.runtimepart import RuntimeSections
from goretain.debuginfo.dwarf.units import Sections
from goretain.debuginfo.elf.elf import SHF_COMPRESSED, Elf
from goretain.golang.layout import open_layout, planning_layout
from goretain.model.errors import CorruptFile
from tests.support.golang import VERSIONS, go_program

#: What golang/plan.py asks for, and structs that differ between versions.
STRUCTS = ("mheap", "mspan", "heapArena", "itabTableType", "moduledata", "m", "g", "spanInlineMarkBits")


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
@pytest.mark.parametrize("flags", [(), ("-buildmode=pie",), ("-ldflags=-compressdwarf=false",)])
def test_it_is_that_of_the_whole_program(version: str, flags: tuple[str, ...]) -> None:
    elf = Elf.open(str(go_program("planted", version, flags=flags)))
    whole, light = open_layout(elf), planning_layout(elf)
    assert isinstance(light.descriptions, RuntimeDwarf)
    assert not light.descriptions.complete
    types = {name for name in Dwarf.open(elf, None).type_names if name.startswith("runtime.")}
    assert set(light.descriptions.type_names) == types
    beginning, whole_info = RuntimeSections(elf)["info"], Sections(elf)["info"]
    assert whole_info.startswith(beginning)
    assert len(beginning) < len(whole_info)
    for name in STRUCTS:
        struct = f"runtime.{name}"
        assert light.has_struct(struct) == whole.has_struct(struct)
        if whole.has_struct(struct):
            die = whole.descriptions.struct(struct)
            assert die is not None
            assert light.size(struct) == whole.size(struct)
            for member in whole.descriptions.type(die).members:
                assert light.offset(struct, member.name) == whole.offset(struct, member.name)
                assert light.width(struct, member.name) == whole.width(struct, member.name)


def test_debug_information_that_does_not_decompress_is_a_corrupt_file(tmp_path: Path) -> None:
    raw = bytearray(go_program("planted", VERSIONS[-1]).read_bytes())
    section = Elf.open(str(go_program("planted", VERSIONS[-1]))).sections[".debug_info"]
    assert section.flags & SHF_COMPRESSED
    raw[section.offset + 30 : section.offset + 60] = bytes(30)
    (tmp_path / "damaged").write_bytes(raw)
    with pytest.raises(CorruptFile, match="it does not decompress"):
        planning_layout(Elf.open(str(tmp_path / "damaged")))


def test_symbols_that_are_looked_up_alone_are_those_of_the_whole_table() -> None:
    path = str(go_program("planted", VERSIONS[-1]))
    whole, light = Elf.open(path).symbols, Elf.open(path).symbols
    names = [*list(whole)[::97][:40], "runtime.mheap_", "runtime.allgs"]
    assert [light.get(name) for name in names] == [whole[name] for name in names]
    assert light.get("runtime.mheap") is None
    assert "_index" not in vars(light)  # no name was decoded that was not asked for
    assert [light.get(name) for name in list(whole)[:100]] == [whole[name] for name in list(whole)[:100]]
