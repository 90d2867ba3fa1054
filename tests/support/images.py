"""An Image made by hand, the same every time, with everything that an image file can hold."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from goretain.capture.binaries.program import from_file
from goretain.capture.image import CaptureFacts, Image, Library, Mapping
from goretain.capture.imagefile.writer import write_image
from goretain.capture.libc import REGISTERS
from goretain.capture.ranges import as_ranges, packed
from goretain.debuginfo.beside.companion import DebugFile
from goretain.debuginfo.beside.translated import Shift, Shifts
from goretain.debuginfo.elf.buildinfo import MAGIC
from goretain.debuginfo.elf.elf import Elf
from tests.unit.debuginfo.synthetic import elf_bytes, section

LINK, BIAS = 0x400000, 0x7000_0000_0000
_READ_ONLY, _WRITABLE = 4, 6
DWARF = b"types and names " * 4096


def _build_info() -> bytes:
    text = b"path\tmade\nmod\tmade\t(devel)\t\n"
    framed = bytes(16) + text + bytes(16)
    version = b"go1.26.6"
    return MAGIC + b"\x08\x02" + bytes(16) + bytes([len(version)]) + version + bytes([len(framed)]) + framed


def program_file(path: Path, *, debuginfo: bool = True) -> Path:
    """A program of 12 KiB read-only data and 4 KiB of variables, with build info and DWARF that is none."""
    constants = np.arange(3 * 1024, dtype="<u4").tobytes()
    debug = [section(".debug_info", DWARF), section(".debug_line", b"never read")] if debuginfo else []
    raw = bytearray(
        elf_bytes(
            [(1, LINK, constants), (1, LINK + 0x10000, b"\1" * 4096)],
            [section(".go.buildinfo", _build_info()), section(".gnu_debuglink", b"made.debug\0"), *debug],
            kind=3,
        )
    )
    struct.pack_into("<I", raw, 64 + 4, _READ_ONLY)
    path.write_bytes(raw)
    return path


def made_image(folder: Path, *, debuginfo: bool = True) -> Image:
    """The image: constants of the program's file, 3 MiB with pages of zeros, 20 bytes at an odd size."""
    binary = Elf.open(str(program_file(folder / "made", debuginfo=debuginfo)))
    (part,) = from_file(binary, BIAS)
    heap, small = 0xC000_0000_00, 0xC000_8000_00
    ranges = as_ranges([(part.start, part.end), (heap, heap + (3 << 20)), (small, small + 20)])
    ranges = ranges[np.argsort(ranges[:, 0])]
    offsets, end = packed(ranges, 0)
    memory = np.zeros(end, np.uint8)
    image = Image(
        memory,
        ranges,
        offsets,
        binary=binary,
        bias=BIAS,
        registers={
            3: dict.fromkeys(REGISTERS, 1 << 63),
            7: {name: 7000 + number for number, name in enumerate(REGISTERS)},
        },
        mappings=[
            Mapping(heap, heap + (64 << 20), "rw-p", 0, ""),
            Mapping(part.start & -4096, part.end, "r--p", 0, "/srv/made \N{SNOWMAN} (deleted)"),
        ],
        facts=CaptureFacts(
            source="live", program="/srv/made", pid=42, taken_at=1_700_000_000.25, copied_bytes=3 << 20,
            threads=2, pause_ns=1_500_000, stop_ns=90_000, rss_bytes=None, notes=["one note"],
        ),
    )  # fmt: skip
    _fill(image, part.start, binary.read(part.offset, part.end - part.start))
    _fill(image, heap + 8192, b"hold me" * 600)  # the second page is the first that is not zero
    _fill(image, heap + (2 << 20), np.arange(1 << 17, dtype="<u8").tobytes())
    _fill(image, small, b"twenty bytes exactly")
    return image


def with_companions(image: Image, folder: Path) -> Image:
    """The same image with a debug file whose addresses are translated, and a plugin."""
    other = Elf.open(str(program_file(folder / "twin")))
    image.debug = DebugFile(image.binary, other, Shifts([Shift(LINK, LINK + 0x3000, -0x1000)]))
    image.libraries = (Library("/srv/plugin.so", other, 0x7000_1000_0000),)
    return image


def _fill(image: Image, address: int, content: bytes) -> None:
    at = image.offset_of(address, len(content))
    image.memory[at : at + len(content)] = np.frombuffer(content, np.uint8)


def image_bytes(image: Image, *, debuginfo: bool = True) -> bytes:
    """The file of an image."""
    parts: list[bytes] = []
    write_image(image, parts.append, debuginfo=debuginfo)
    return b"".join(parts)
