"""The function table as goretain reads it equals what the runtime itself finds and DWARF says of frames."""

from __future__ import annotations

import bisect
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from goretain.debuginfo.dwarf.dwarf import Dwarf
from goretain.debuginfo.elf.elf import Elf
from goretain.debuginfo.pclntab.pclntab import (
    FLAG_TOP_FRAME,
    FuncTable,
    SourceFrame,
    find_function_table,
    printed_name,
)
from goretain.model.errors import CorruptFile, UnknownLayout
from tests.support.golang import go_program
from tests.unit.debuginfo.conftest import PROGRAM
from tests.unit.debuginfo.oracle import Described

Facts = dict[str, list[list[str]]]


@dataclass
class Opened:
    elf: Elf
    table: FuncTable
    base: int


def section_of(elf: Elf) -> str:
    return ".gopclntab" if ".gopclntab" in elf.sections else ".data.rel.ro.gopclntab"


def open_table(path: Path) -> Opened:
    elf = Elf.open(str(path))
    gofunc = (
        elf.symbols["go:func.*"].value if "go:func.*" in elf.symbols else elf.sections[".go.func"].address
    )
    address = elf.sections[section_of(elf)].address
    table = FuncTable(elf.read_vaddr, address, elf.symbols["runtime.text"].value, gofunc)
    return Opened(elf, table, elf.symbols["main.results"].value)


def ask_runtime(opened: Opened, step: int) -> Facts:
    """Facts that the program prints about itself; pcs count from main.results."""
    first, last = int(opened.table.entries[0]) - opened.base, int(opened.table.entries[-1]) - opened.base
    command = [opened.elf.path, str(first), str(last), str(step)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    facts: Facts = {}
    for line in answer.splitlines():
        name, *values = line.split("\t")
        facts.setdefault(name, []).append(values)
    return facts


@pytest.fixture(scope="module")
def opened(program: Path) -> Opened:
    return open_table(program)


def check_samples(opened: Opened, facts: Facts) -> None:
    wrong = []
    for at, name, file, line in facts["pc"]:
        pc = opened.base + int(at)
        func = opened.table.find(pc)
        assert func is not None
        # The runtime looks up return addresses, so the last byte of a function asks for the next one; and it
        # takes a name at offset 0, which is the first function's, for none.
        if pc + 1 == func.end or not name:
            continue
        found = opened.table.frames(func, pc)[0]
        if (printed_name(found.name), found.file, found.line) != (name, file or "?", int(line)):
            wrong.append((hex(pc), found, name, file, line))
    assert not wrong[:5], "\n".join(map(str, wrong[:9]))
    assert len(facts["pc"]) > 2000


def test_functions_files_and_lines_of_pcs_equal_the_runtimes(opened: Opened) -> None:
    check_samples(opened, ask_runtime(opened, 97))


def test_a_position_independent_program_reads_the_same(version: str) -> None:
    opened = open_table(go_program(PROGRAM, version, flags=["-buildmode=pie"]))
    assert opened.elf.type == "dyn"
    check_samples(opened, ask_runtime(opened, 97))


def test_a_stack_through_inlined_calls_equals_the_runtimes(opened: Opened) -> None:
    facts = ask_runtime(opened, 1 << 30)
    bias = int(facts["base"][0][0]) - opened.base
    expected = [SourceFrame(name, file, int(line)) for _, name, file, line in facts["stack"]]
    # main.where calls and is not inlined; what called it is. Frames' pcs are return addresses less one.
    pc = int(facts["stack"][1][0]) - bias
    func = opened.table.find(pc)
    assert func is not None
    assert func.name == "main.outer"
    assert opened.table.inlined(func, pc) == ["main.inside", "main.middle"]
    assert opened.table.frames(func, pc) == expected[1:4]


def test_frame_sizes_equal_the_call_frame_information(opened: Opened, described: Described) -> None:
    checked = 0
    wrong = []
    for low, _, rows in described.frames:
        func = opened.table.find(low)
        assert func is not None
        for pc, offset in rows:
            # The return address is not part of the frame, and the unwinder adds it.
            size = opened.table.pc_value(func.pcsp, func.entry, pc)
            checked += 1
            if size + 8 != offset and size >= 0:
                wrong.append((func.name, hex(pc), size, offset))
    assert not wrong
    assert checked > 3000


def test_entries_and_names_equal_the_symbol_table(opened: Opened) -> None:
    symbols = {
        s.value: s.name for s in map(opened.elf.symbols.__getitem__, opened.elf.symbols) if s.type == "func"
    }
    seen = 0
    for entry in opened.table.entries[:-1].tolist():
        func = opened.table.find(entry)
        assert func is not None
        assert func.entry == entry
        # The symbol says which ABI where there are two.
        linked = symbols[entry].removesuffix(".abi0").removesuffix(".abiinternal").replace("·", ".")
        assert func.name.replace("·", ".") == linked
        seen += 1
    assert seen == len(opened.table) > 1000


def test_inlined_names_equal_dwarf(opened: Opened, program: Path) -> None:
    dwarf = Dwarf.open(Elf.open(str(program)), None)
    func = opened.table.find(opened.elf.symbols["main.main"].value)
    assert func is not None
    names = {n for pc in range(func.entry, func.end) for n in opened.table.inlined(func, pc)}
    described = dwarf.function_at(func.entry)
    assert described is not None
    assert {v.inlined_from for v in described.variables if v.is_inlined} <= names
    assert "main.twice" in names or "main.smallest" in names


def test_pcs_outside_the_code_are_in_no_function(opened: Opened) -> None:
    first, last = int(opened.table.entries[0]), int(opened.table.entries[-1])
    assert opened.table.find(first - 1) is None
    assert opened.table.find(last) is None
    assert opened.table.find(0) is None


def test_the_last_frame_of_a_stack_is_marked(opened: Opened) -> None:
    goexit = opened.table.find(opened.elf.symbols["runtime.goexit.abi0"].value)
    assert goexit is not None
    assert goexit.flag & FLAG_TOP_FRAME


def test_the_section_alone_gives_the_same_functions(opened: Opened) -> None:
    name = section_of(opened.elf)
    text = opened.elf.symbols["runtime.text"].value
    table = FuncTable.from_section(opened.elf.section(name), opened.elf.sections[name].address, text)
    pcs = opened.table.entries[:-1:7].tolist()
    assert [table.find(pc) for pc in pcs] == [opened.table.find(pc) for pc in pcs]


def test_a_stripped_program_keeps_its_function_table(version: str, opened: Opened) -> None:
    stripped = Elf.open(str(go_program(PROGRAM, version, flags=["-ldflags=-s -w"])))
    assert not stripped.symbols
    assert stripped.section(".gopclntab") == opened.elf.section(".gopclntab")
    assert stripped.go_version == opened.elf.go_version


def test_a_table_of_go_1_19_is_refused_by_name() -> None:
    header = struct.pack("<IHBB8Q", 0xFFFFFFF0, 0, 1, 8, 0, 0, 0, 72, 72, 72, 72, 72)
    with pytest.raises(UnknownLayout, match=r"runtime\.pcHeader .* Go 1\.19"):
        FuncTable.from_section(header, 0x1000, 0)


@pytest.mark.parametrize("at", [4, 6, 7, 15, 39, 47, 63, 71])
def test_a_damaged_header_is_an_error(opened: Opened, at: int) -> None:
    content = bytearray(opened.elf.section(section_of(opened.elf)))
    content[at] ^= 0x80
    with pytest.raises(CorruptFile):
        FuncTable.from_section(bytes(content), 0x1000, 0)


def test_another_magic_number_is_read_when_the_header_is_right_otherwise(opened: Opened) -> None:
    name = section_of(opened.elf)
    content = bytearray(opened.elf.section(name))
    content[:4] = b"\x13\x57\x9b\xdf"
    address, text = opened.elf.sections[name].address, opened.elf.symbols["runtime.text"].value
    table = FuncTable.from_section(bytes(content), address, text)
    assert np.array_equal(table.entries, opened.table.entries)
    content[32] ^= 8  # where the names start: right behind the header
    with pytest.raises(CorruptFile):
        FuncTable.from_section(bytes(content), address, text)


def test_the_function_table_is_found_without_its_section(opened: Opened) -> None:
    assert find_function_table(opened.elf) == opened.elf.sections[section_of(opened.elf)].address


def test_a_program_that_is_not_go_has_no_function_table() -> None:
    assert find_function_table(Elf.open(sys.executable)) is None


def test_lookup_agrees_with_a_linear_search(opened: Opened) -> None:
    entries = opened.table.entries.tolist()
    for pc in range(entries[0], entries[-1], 4099):
        func = opened.table.find(pc)
        assert func is not None
        assert func.entry == entries[bisect.bisect_right(entries, pc) - 1] <= pc < func.end
