"""DWARF units made by hand: what no compiler at hand writes, and what only an attacker would."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from goretain.debuginfo.dwarf.dwarf import Dwarf
from goretain.debuginfo.elf.elf import Elf
from goretain.model.errors import CorruptFile
from tests.unit.debuginfo.synthetic import elf_bytes, section


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
    abbrev = UNIT + abbreviation(2, 0x24, (0x03, 0x08), (0x0B, 0x0B)) + b"\0"
    dwarf = opened(tmp_path, abbrev, info(b"\x02int\0\x08\0"))
    offset = dwarf.type_by_name("int")
    assert offset is not None
    assert (dwarf.type(offset).name, dwarf.type(offset).size) == ("int", 8)


def test_only_top_level_variables_are_globals(tmp_path: Path) -> None:
    variable = abbreviation(3, 0x34, (0x03, 0x08), (0x02, 0x0A), (0x49, 0x13))
    abbrev = UNIT + abbreviation(2, 0x2E, (0x03, 0x08), children=1) + variable + b"\0"

    def at(name: bytes, address: int) -> bytes:
        return b"\x03" + name + b"\0\x09\x03" + struct.pack("<QI", address, 0xD)

    dwarf = opened(
        tmp_path, abbrev, info(at(b"a", 8) + b"\x02f\0" + at(b"static", 16) + b"\0" + at(b"b", 4) + b"\0")
    )
    assert [(g.name, g.address) for g in dwarf.globals] == [("b", 4), ("a", 8)]


def test_a_description_wins_over_a_typedef_in_either_order(tmp_path: Path) -> None:
    typedef = abbreviation(3, 0x16, (0x03, 0x08), (0x49, 0x13))
    abbrev = UNIT + abbreviation(2, 0x24, (0x03, 0x08), (0x0B, 0x0B)) + typedef + b"\0"
    base, name = b"\x02T\0\x08", b"\x03T\0" + struct.pack("<I", 0xD)
    for body in (base + name, name + base):
        dwarf = opened(tmp_path, abbrev, info(body + b"\0"))
        offset = dwarf.type_by_name("T")
        assert offset is not None
        assert dwarf.type(offset).tag == "base"


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
