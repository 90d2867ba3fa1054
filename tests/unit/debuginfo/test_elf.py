"""ELF files: what the linker wrote comes back, and other files say what they are."""

from __future__ import annotations

import os
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from goretain.debuginfo.elf.elf import PT_LOAD, PT_NOTE, Elf
from goretain.model.errors import CorruptFile, MissingMemory
from tests.support.golang import go_program
from tests.unit.debuginfo.conftest import MIXED, PROGRAM
from tests.unit.debuginfo.synthetic import elf_bytes, note, section


@pytest.fixture(scope="module")
def elf(program: Path) -> Elf:
    return Elf.open(str(program))


def test_sections_and_segments_equal_the_oracle(elf: Elf, program: Path) -> None:
    with program.open("rb") as stream:
        oracle = ELFFile(stream)
        sections = {
            s.name: (s["sh_addr"], s["sh_offset"], s["sh_size"]) for s in oracle.iter_sections() if s.name
        }
        segments = [
            (s["p_vaddr"], s["p_offset"], s["p_filesz"], s["p_memsz"]) for s in oracle.iter_segments()
        ]
        contents = {s.name: s.data() for s in oracle.iter_sections() if s.name in (".rodata", ".debug_info")}
    assert {s.name: (s.address, s.offset, s.size) for s in elf.sections.values()} == sections
    assert [(s.vaddr, s.offset, s.filesz, s.memsz) for s in elf.segments] == segments
    assert {name: elf.section(name) for name in contents} == contents
    assert (elf.type, elf.elf_class, elf.machine, elf.machine_name) == ("exec", 64, 62, "amd64")


def test_symbols_equal_the_oracle(elf: Elf, program: Path) -> None:
    with program.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        defined = [s for s in table.iter_symbols() if s["st_shndx"] != "SHN_UNDEF" and s.name]
        expected = {s.name: (s["st_value"], s["st_size"]) for s in defined}
    assert {name: (elf.symbols[name].value, elf.symbols[name].size) for name in elf.symbols} == expected
    assert len(elf.symbols) == len(expected) > 1000
    assert "no.such.symbol" not in elf.symbols


def test_the_file_backed_part_of_a_segment_reads_by_address(elf: Elf) -> None:
    rodata = elf.sections[".rodata"]
    assert elf.read_vaddr(rodata.address + 64, 128) == elf.section(".rodata")[64:192]
    with pytest.raises(MissingMemory):
        elf.read_vaddr(elf.sections[".bss"].address + 4096, 8)
    with pytest.raises(MissingMemory):
        elf.read_vaddr(0, 8)


def test_sections_without_bytes_or_absent_are_empty(elf: Elf) -> None:
    assert elf.section(".bss") == b""
    assert elf.section(".no_such_section") == b""


def test_go_tells_its_version_modules_and_build_id(elf: Elf, version: str) -> None:
    assert elf.go_version == f"go{version}"
    info = elf.go_modinfo
    assert info is not None
    assert (info.path, info.main, info.deps) == ("example.org/described", "example.org/described", [])
    assert info.settings["GOARCH"] == "amd64"
    assert elf.go_build_id.count("/") == 3


def test_a_stripped_program_still_tells_its_version(version: str) -> None:
    elf = Elf.open(str(go_program(PROGRAM, version, flags=["-ldflags=-s -w"])))
    assert elf.go_version == f"go{version}"
    assert len(elf.symbols) == 0
    assert ".debug_info" not in elf.sections


@pytest.mark.parametrize(("flags", "counts"), [((), 4), ((), 0), (("-buildmode=pie",), 4)])
def test_the_version_is_found_without_section_headers(
    version: str, flags: tuple[str, ...], counts: int, tmp_path: Path
) -> None:
    """counts: bytes of the number of sections that are cleared too."""
    content = bytearray(go_program(PROGRAM, version, flags=flags).read_bytes())
    content[40:48] = bytes(8)
    content[60 : 60 + counts] = bytes(counts)
    path = tmp_path / "headless"
    path.write_bytes(content)
    elf = Elf.open(str(path))
    assert elf.sections == {}
    assert elf.go_version == f"go{version}"


def test_a_cgo_program_has_a_gnu_build_id_when_asked() -> None:
    flags = ["-ldflags=-linkmode=external -extldflags=-Wl,--build-id=0xabcdef01"]
    elf = Elf.open(str(go_program(MIXED, "1.25.5", flags=flags, cgo=True)))
    assert elf.gnu_build_id == "abcdef01"
    assert elf.go_build_id
    assert elf.symbols["main.total"].size == 8


def test_symbols_of_other_libraries_are_left_out() -> None:
    path = go_program(MIXED, "1.25.5", cgo=True)
    with path.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        foreign = {s.name for s in table.iter_symbols() if s["st_shndx"] == "SHN_UNDEF" and s.name}
    assert foreign
    assert not foreign & set(Elf.open(str(path)).symbols)


def test_a_program_of_c_is_not_of_go() -> None:
    elf = Elf.open("/bin/sh")
    assert elf.go_version is None
    assert elf.go_modinfo is None
    assert elf.go_build_id == ""


def test_an_open_descriptor_is_duplicated(program: Path) -> None:
    fd = os.open(program, os.O_RDONLY)
    elf = Elf.open(fd)
    os.close(fd)
    assert elf.path == str(program)
    assert len(elf.section(".text")) == elf.sections[".text"].size


def test_a_running_program_opens_through_proc() -> None:
    elf = Elf.open(f"/proc/{os.getpid()}/exe")
    assert elf.type in ("exec", "dyn")
    elf.close()
    elf.close()


@pytest.mark.parametrize(
    ("elf_class", "order", "machine", "name"),
    [
        (1, 1, 3, "386"),
        (1, 1, 40, "arm"),
        (2, 1, 183, "arm64"),
        (2, 2, 22, "s390x"),
        (2, 1, 999, "machine 999"),
    ],
)
def test_other_architectures_open_and_say_what_they_are(
    tmp_path: Path, elf_class: int, order: int, machine: int, name: str
) -> None:
    content = elf_bytes([], [], elf_class=elf_class, order=order, machine=machine)
    path = tmp_path / "other"
    path.write_bytes(content)
    elf = Elf.open(str(path))
    assert (elf.elf_class, elf.machine, elf.machine_name) == (32 * elf_class, machine, name)
    assert elf.little_endian == (order == 1)


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF", b"MZ" + bytes(100)])
def test_what_is_not_elf_is_an_error_at_offset_0(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "script"
    path.write_bytes(content)
    with pytest.raises(CorruptFile, match="not an ELF file") as caught:
        Elf.open(str(path))
    assert caught.value.offset == 0
    assert caught.value.path == str(path)


def test_notes_of_a_core_come_in_order_with_their_data(tmp_path: Path) -> None:
    notes = note("CORE", 1, b"status" * 5) + note("CORE", 3, b"") + note("LINUX", 0x202, b"x" * 13)
    path = tmp_path / "core"
    path.write_bytes(elf_bytes([(PT_NOTE, 0, notes), (PT_LOAD, 0x7000, b"memory")], [], kind=4))
    elf = Elf.open(str(path))
    assert elf.type == "core"
    found = list(elf.notes())
    assert [(n.name, n.type, n.data) for n in found] == [
        ("CORE", 1, b"status" * 5),
        ("CORE", 3, b""),
        ("LINUX", 0x202, b"x" * 13),
    ]
    assert elf.read(found[0].offset, 6) == b"status"
    assert elf.read_vaddr(0x7001, 3) == b"emo"


def test_a_note_longer_than_its_segment_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "core"
    path.write_bytes(
        elf_bytes([(PT_NOTE, 0, struct.pack("<III", 5, 1 << 30, 1) + b"CORE\0\0\0\0")], [], kind=4)
    )
    with pytest.raises(CorruptFile, match="note"):
        list(Elf.open(str(path)).notes())


def test_a_core_of_more_than_65535_segments_opens(tmp_path: Path) -> None:
    segments = [(PT_LOAD, 0x1000 * i, b"") for i in range(1, 70_001)]
    path = tmp_path / "core"
    path.write_bytes(elf_bytes(segments, [], kind=4))
    elf = Elf.open(str(path))
    assert len(elf.segments) == 70_000
    assert elf.segments[-1].vaddr == 0x1000 * 70_000


def test_a_core_made_by_gdb_opens(tmp_path: Path) -> None:
    program = go_program(PROGRAM, "1.25.5")
    script = ["-ex", "break main.results", "-ex", "run", "-ex", f"generate-core-file {tmp_path}/core"]
    command = ["gdb", "-q", "-nx", "-batch", *script, "-ex", "kill", str(program)]
    subprocess.run(command, capture_output=True, timeout=120, check=False)
    core = Elf.open(str(tmp_path / "core"))
    own = Elf.open(str(program))
    assert core.type == "core"
    assert {note.name for note in core.notes()} >= {"CORE", "LINUX"}
    address = own.symbols["main.names"].value
    assert core.read_vaddr(address, 8) == bytes(8)


def test_a_truncated_file_opens_but_reading_beyond_its_end_fails(tmp_path: Path) -> None:
    content = elf_bytes([(PT_LOAD, 0x1000, b"a" * 4096), (PT_LOAD, 0x9000, b"b" * 4096)], [], kind=4)
    path = tmp_path / "core"
    path.write_bytes(content[:-1000])
    elf = Elf.open(str(path))
    assert elf.read_vaddr(0x1000, 4096) == b"a" * 4096
    with pytest.raises(CorruptFile):
        elf.read_vaddr(0x9000, 4096)


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "core"
    path.write_bytes(elf_bytes([(PT_LOAD, 0x1000, b"a" * 65536)], [], kind=4))
    elf = Elf.open(str(path))
    os.truncate(path, 1000)
    with pytest.raises(CorruptFile, match="truncated"):
        elf.read_vaddr(0x1000, 65536)


def compressed(method: int, size: int, body: bytes) -> bytes:
    return struct.pack("<IIQQ", method, 0, size, 1) + body


DATA = b"debug information " * 500


@pytest.mark.parametrize(
    ("name", "flags", "content"),
    [
        (".debug_info", 0, DATA),
        (".debug_info", 0x800, compressed(1, len(DATA), zlib.compress(DATA))),
        (".zdebug_info", 0, b"ZLIB" + len(DATA).to_bytes(8, "big") + zlib.compress(DATA)),
    ],
)
def test_every_compression_gives_the_same_content(
    tmp_path: Path, name: str, flags: int, content: bytes
) -> None:
    path = tmp_path / "compressed"
    path.write_bytes(elf_bytes([], [section(name, content, flags)]))
    assert Elf.open(str(path)).section(".debug_info") == DATA


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"short", "cut off"),
        (compressed(9, len(DATA), zlib.compress(DATA)), "unknown method 9"),
        (compressed(1, len(DATA) - 1, zlib.compress(DATA)), "another size"),
        (compressed(1, len(DATA) + 1, zlib.compress(DATA)), "another size"),
        (compressed(1, 1 << 60, zlib.compress(DATA)), "claims"),
        (compressed(1, len(DATA), b"not zlib at all"), "does not decompress"),
        (compressed(1, len(DATA), zlib.compress(DATA)[:20]), "another size"),
    ],
)
def test_a_section_that_does_not_decompress_is_an_error(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "compressed"
    path.write_bytes(elf_bytes([], [section(".debug_info", content, 0x800)]))
    with pytest.raises(CorruptFile, match=reason):
        Elf.open(str(path)).section(".debug_info")


def test_symbol_names_that_overlap_without_end_are_an_error(tmp_path: Path) -> None:
    strings = b"\0" + b"a" * 100_000 + b"\0"
    table = b"".join(struct.pack("<IBBHQQ", 1 + i, 1, 0, 1, 0x1000, 8) for i in range(5000))
    path = tmp_path / "overlapping"
    path.write_bytes(elf_bytes([], [section(".symtab", table), section(".strtab", strings)]))
    with pytest.raises(CorruptFile, match="overlap"):
        len(Elf.open(str(path)).symbols)


def test_a_global_symbol_wins_over_a_local_one_of_the_same_name(tmp_path: Path) -> None:
    rows = [(1, 1, 0x1000), (1, 0x11, 0x2000)]
    table = b"".join(struct.pack("<IBBHQQ", name, info, 0, 1, value, 8) for name, info, value in rows)
    path = tmp_path / "twice"
    path.write_bytes(elf_bytes([], [section(".symtab", table), section(".strtab", b"\0same\0")]))
    assert Elf.open(str(path)).symbols["same"].value == 0x2000
