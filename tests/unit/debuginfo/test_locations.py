"""Location lists of every kind, also those that Go never writes but gcc or a later linker may."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from goretain.debuginfo.dwarf.locations import EVERYWHERE, read_location
from goretain.debuginfo.dwarf.units import Sections, Unit
from goretain.debuginfo.elf.elf import Elf
from tests.unit.debuginfo.synthetic import elf_bytes, section

EXPRESSION = b"\x91\x78"


def unit(tmp_path: Path, version: int, lists: bytes, addresses: tuple[int, ...] = ()) -> Unit:
    """A unit at base 0x1000 whose lists are those bytes; its addresses start after a header of 8 bytes."""
    name = ".debug_loclists" if version == 5 else ".debug_loc"
    addr = bytes(8) + struct.pack(f"<{len(addresses)}Q", *addresses)
    path = tmp_path / "lists"
    path.write_bytes(elf_bytes([], [section(name, lists), section(".debug_addr", addr)]))
    return Unit(Sections(Elf.open(str(path))), 0, 11, 100, version, 4, 0, base=0x1000, addr_base=8)


def counted(expression: bytes) -> bytes:
    return bytes([len(expression)]) + expression


def v4(low: int, high: int, expression: bytes = EXPRESSION) -> bytes:
    return struct.pack("<QQH", low, high, len(expression)) + expression


def test_an_expression_holds_everywhere(tmp_path: Path) -> None:
    assert read_location(EXPRESSION, unit(tmp_path, 4, b"")) == ((0, EVERYWHERE, EXPRESSION),)
    assert read_location(b"", unit(tmp_path, 4, b"")) == ()
    assert read_location(None, unit(tmp_path, 4, b"")) == ()


def test_dwarf_4_lists_count_from_the_unit_until_a_base_is_chosen(tmp_path: Path) -> None:
    base = struct.pack("<QQ", (1 << 64) - 1, 0x5000)
    lists = b"junk" + v4(1, 2) + base + v4(3, 4, b"\x50") + bytes(16) + v4(9, 10)
    assert read_location(4, unit(tmp_path, 4, lists)) == (
        (0x1001, 0x1002, EXPRESSION),
        (0x5003, 0x5004, b"\x50"),
    )


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (b"\x04\x10\x20", (0x1010, 0x1020)),
        (b"\x04\x80\x01\x80\x02", (0x1080, 0x1100)),
        (b"\x05", (0, EVERYWHERE)),
        (b"\x07" + struct.pack("<QQ", 0x2000, 0x2040), (0x2000, 0x2040)),
        (b"\x08" + struct.pack("<Q", 0x2000) + b"\x40", (0x2000, 0x2040)),
        (b"\x02\x00\x01", (0x7000, 0x8000)),
        (b"\x03\x01\x40", (0x8000, 0x8040)),
        (b"\x06" + struct.pack("<Q", 0x3000) + b"\x04\x01\x02", (0x3001, 0x3002)),
        (b"\x01\x01\x04\x01\x02", (0x8001, 0x8002)),
    ],
    ids=[
        "offset_pair",
        "long",
        "default",
        "start_end",
        "start_length",
        "startx_endx",
        "startx_length",
        "base",
        "basex",
    ],
)
def test_every_entry_of_dwarf_5_becomes_absolute(
    tmp_path: Path, entry: bytes, expected: tuple[int, int]
) -> None:
    lists = entry + counted(EXPRESSION) + b"\x00"
    assert read_location(0, unit(tmp_path, 5, lists, (0x7000, 0x8000))) == ((*expected, EXPRESSION),)


@pytest.mark.parametrize("version", [4, 5])
def test_a_list_without_end_is_an_error(tmp_path: Path, version: int) -> None:
    entry = v4(1, 2) if version == 4 else b"\x04\x01\x02" + counted(EXPRESSION)
    with pytest.raises((ValueError, IndexError, struct.error)):
        read_location(0, unit(tmp_path, version, entry * 100_000))
    with pytest.raises((ValueError, IndexError, struct.error)):
        read_location(0, unit(tmp_path, version, entry))


def test_unknown_entries_and_missing_addresses_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown kind 9"):
        read_location(0, unit(tmp_path, 5, b"\x09\x00\x00"))
    with pytest.raises(struct.error):
        read_location(0, unit(tmp_path, 5, b"\x03\x05\x01\x00\x00"))


def test_list_indices_go_through_the_units_table(tmp_path: Path) -> None:
    table = struct.pack("<II", 8, 12)
    lists = bytes(12) + table + b"\x05" + counted(b"\x50") + b"\x00" + b"\x05" + counted(b"\x51") + b"\x00"
    described = unit(tmp_path, 5, lists)
    described.loclists_base = 12
    assert [read_location(described.location_list(i), described)[0][2] for i in (0, 1)] == [b"\x50", b"\x51"]
