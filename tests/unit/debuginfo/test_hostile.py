"""Damaged files give an error of goretain or a result: no other exception, no hang, no blow-up of memory."""

from __future__ import annotations

import random
import resource
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from goretain.debuginfo.dwarf import Dwarf
from goretain.debuginfo.elf import Elf
from goretain.model.errors import CorruptFile
from tests.support.golang import go_program
from tests.unit.debuginfo.conftest import PROGRAM
from tests.unit.debuginfo.hostile import ask_dwarf, ask_elf, ask_table, damaged
from tests.unit.debuginfo.synthetic import Section, elf_bytes, section

_ROOM = 512 << 20
_SLOWEST = 5.0
_DWARF = (".debug_info", ".debug_abbrev", ".debug_loc", ".debug_loclists", ".debug_addr")


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    """Half a gigabyte beyond what is in use: an array sized by a hostile header raises MemoryError."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _ROOM, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture(scope="module", params=["1.21.13", "1.25.5"])
def whole(request: pytest.FixtureRequest) -> Path:
    """A program with DWARF 4 and one with DWARF 5."""
    return go_program(PROGRAM, request.param)


@pytest.fixture(scope="module")
def plain(whole: Path) -> list[Section]:
    """Its DWARF sections, decompressed, with the first units of .debug_info only."""
    elf = Elf.open(str(whole))
    contents = {name: elf.section(name) for name in _DWARF}
    info, end = contents[".debug_info"], 0
    while end < 100_000:
        end += 4 + int.from_bytes(info[end : end + 4], "little")
    contents[".debug_info"] = info[:end]
    return [section(name, content) for name, content in contents.items() if content]


def timed(start: float, mutant: int) -> None:
    assert time.process_time() - start < _SLOWEST, f"mutant {mutant} took too long"


def test_damaged_elf_files(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    elf = Elf.open(str(whole))
    places = [
        (0, 64),
        (0, 64 + 56 * len(elf.segments)),
        (len(content) - 4096, len(content)),
        (0, len(content)),
    ]
    for name in (".shstrtab", ".symtab", ".strtab", ".note.go.buildid", ".go.buildinfo", ".debug_info"):
        at = elf.sections[name].offset
        places.append((at, at + min(elf.sections[name].size, 2000)))
    for mutant in range(300):
        chance = random.Random(mutant)
        start = time.process_time()
        path = tmp_path / "mutant"
        path.write_bytes(damaged(content, chance, *chance.choice(places)))
        ask_elf(path)
        timed(start, mutant)


def test_damaged_dwarf_sections(plain: list[Section], tmp_path: Path) -> None:
    for mutant in range(400):
        chance = random.Random(mutant)
        start = time.process_time()
        sections = list(plain)
        i = chance.randrange(len(sections))
        name, flags, content = sections[i]
        sections[i] = (name, flags, damaged(content, chance))
        path = tmp_path / "mutant"
        path.write_bytes(elf_bytes([], sections))
        ask_dwarf(path, chance)
        timed(start, mutant)


def test_damaged_function_tables(whole: Path) -> None:
    content = Elf.open(str(whole)).section(".gopclntab")
    for mutant in range(150):
        chance = random.Random(mutant)
        start = time.process_time()
        ask_table(damaged(content, chance, 0, chance.choice((72, len(content)))), 0x10000, 0x401000)
        timed(start, mutant)


def test_every_truncation_of_the_headers(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    path = tmp_path / "mutant"
    for size in [*range(0, 700, 7), *range(1000, len(content), len(content) // 40)]:
        path.write_bytes(content[:size])
        ask_elf(path)
        ask_dwarf(path, random.Random(size))


def abbreviation(code: int, tag: int, *attributes: tuple[int, int], children: int = 0) -> bytes:
    pairs = b"".join(_uleb(a) + _uleb(f) for a, f in attributes)
    return _uleb(code) + _uleb(tag) + bytes([children]) + pairs + b"\0\0"


def _uleb(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


UNIT = abbreviation(1, 0x11, (0x13, 0x0B), children=1)


def info(body: bytes) -> bytes:
    """One DWARF 4 unit of Go around DIEs."""
    rest = struct.pack("<HIB", 4, 0, 8) + b"\x01\x16" + body
    return struct.pack("<I", len(rest)) + rest


def opened(tmp_path: Path, abbrev: bytes, content: bytes, flags: int = 0) -> Dwarf:
    path = tmp_path / "made"
    path.write_bytes(
        elf_bytes([], [section(".debug_abbrev", abbrev), section(".debug_info", content, flags)])
    )
    return Dwarf.open(Elf.open(str(path)), None)


def test_a_made_unit_reads(tmp_path: Path) -> None:
    """The counterpart of the tests below: without the hostile part such a file is fine."""
    abbrev = UNIT + abbreviation(2, 0x24, (0x03, 0x08), (0x0B, 0x0B)) + b"\0"
    dwarf = opened(tmp_path, abbrev, info(b"\x02int\0\x08\0"))
    offset = dwarf.type_by_name("int")
    assert offset is not None
    assert (dwarf.type(offset).name, dwarf.type(offset).size) == ("int", 8)


def test_a_unit_that_inflates_beyond_reason_is_refused(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(64 << 20), 9)
    content = struct.pack("<IIQQ", 1, 0, 64 << 20, 1) + bomb
    with pytest.raises(CorruptFile, match="claims to decompress"):
        len(opened(tmp_path, UNIT + b"\0", content, 0x800).globals)


def test_an_unknown_form_names_the_place(tmp_path: Path) -> None:
    abbrev = UNIT + abbreviation(2, 0x24, (0x03, 0x7E)) + b"\0"
    with pytest.raises(CorruptFile, match=r"\.debug_info\+0xd: form 0x7e is unknown"):
        len(opened(tmp_path, abbrev, info(b"\x02int\0\0")).globals)


def test_numbers_of_more_than_64_bits_are_refused(tmp_path: Path) -> None:
    abbrev = UNIT + abbreviation(2, 0x27, (0x03, 0x08), (0x1C, 0x0F)) + b"\0"
    with pytest.raises(CorruptFile):
        opened(tmp_path, abbrev, info(b"\x02x\0" + b"\x80" * 1_000_000 + b"\0\0")).constant("x")


def test_thousands_of_attributes_or_abbreviations_are_refused(tmp_path: Path) -> None:
    wide = UNIT + abbreviation(2, 0x24, *[(0x03, 0x0B)] * 5000) + b"\0"
    with pytest.raises(CorruptFile, match="attributes"):
        len(opened(tmp_path, wide, info(b"\x02\0")).globals)
    many = UNIT + b"".join(abbreviation(c, 0x24, (0x03, 0x0B)) for c in range(2, 60_000)) + b"\0"
    with pytest.raises(CorruptFile, match="abbreviations"):
        len(opened(tmp_path, many, info(b"\x02\0")).globals)


def test_endless_nesting_is_walked_in_little_memory(tmp_path: Path) -> None:
    function = abbreviation(2, 0x2E, (0x11, 0x01), (0x12, 0x0B), children=1)
    abbrev = UNIT + function + abbreviation(3, 0x0B, children=1) + b"\0"
    low = struct.pack("<QB", 0x1000, 16)
    dwarf = opened(tmp_path, abbrev, info(b"\x02" + low + b"\x03" * 2_000_000))
    assert dwarf.globals == []
    with pytest.raises(CorruptFile, match="no end"):
        dwarf.function_at(0x1000)


def test_origins_in_a_circle_end(tmp_path: Path) -> None:
    abbrev = UNIT + abbreviation(2, 0x2E, (0x11, 0x01), (0x12, 0x0B), (0x31, 0x13)) + b"\0"
    dwarf = opened(tmp_path, abbrev, info(b"\x02" + struct.pack("<QBI", 0x1000, 16, 0xD) + b"\0"))
    found = dwarf.function_at(0x1008)
    assert found is not None
    assert found.name == ""


def test_types_in_a_circle_are_described(tmp_path: Path) -> None:
    abbrev = UNIT + abbreviation(2, 0x16, (0x03, 0x08), (0x49, 0x13)) + b"\0"
    dwarf = opened(tmp_path, abbrev, info(b"\x02T\0" + struct.pack("<I", 0xD) + b"\0"))
    offset = dwarf.type_by_name("T")
    assert offset is not None
    assert dwarf.type(offset).elem == offset
