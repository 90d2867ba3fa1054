"""An image file: what was written is what is read, and nothing else is ever read."""

from __future__ import annotations

import os
import random
import struct
import zlib
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from goretain.capture.image import Image
from goretain.capture.imagefile import blocks
from goretain.capture.imagefile.contents import read_contents
from goretain.capture.imagefile.reader import read_image
from goretain.capture.imagefile.sparse import SparseFile
from goretain.capture.imagefile.writer import write_image
from goretain.debuginfo.elf.files import PreadFile
from goretain.model.errors import CorruptFile, GoretainError, UsageError
from tests.support.imageblocks import ImageBlocks, parsed, sealed
from tests.support.images import DWARF, image_bytes, made_image, with_companions


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("made")
    return with_companions(made_image(folder), folder)


@pytest.fixture(scope="module")
def raw(made: Image) -> bytes:
    return image_bytes(made)


def opened(path: Path, raw: bytes) -> Image:
    path.write_bytes(raw)
    return read_image(path)


def same(a: Image, b: Image) -> bool:
    """Whether two images hold the same at the same addresses."""
    if not (np.array_equal(a.starts, b.starts) and np.array_equal(a.ends, b.ends)):
        return False
    pairs = zip(a.starts.tolist(), (a.ends - a.starts).tolist(), strict=True)
    held = all(a.read(start, size) == b.read(start, size) for start, size in pairs)
    return held and (a.registers, a.mappings, a.facts, a.bias) == (b.registers, b.mappings, b.facts, b.bias)


def test_what_was_written_is_what_is_read(made: Image, raw: bytes, tmp_path: Path) -> None:
    image = opened(tmp_path / "a", raw)
    assert same(made, image)
    assert image.binary.go_version == "go1.26.6"
    assert image.binary.section(".debug_info") == DWARF
    assert image.binary.segments == made.binary.segments
    assert image.debug is not None
    assert made.debug is not None
    assert image.debug.elf.section(".debug_info") == DWARF
    assert image.debug.shifts is not None
    assert made.debug.shifts is not None
    assert image.debug.shifts.shifts == made.debug.shifts.shifts
    assert [(one.path, one.bias, one.elf.go_version) for one in image.libraries] == [
        ("/srv/plugin.so", 0x7000_1000_0000, "go1.26.6")
    ]


def test_an_image_that_was_read_is_written_as_the_same_bytes(raw: bytes, tmp_path: Path) -> None:
    first = opened(tmp_path / "a", raw)
    assert first.debug is not None
    again = image_bytes(first)
    assert opened(tmp_path / "b", again).facts == first.facts
    kinds = [[block.kind for block in listed(tmp_path / name)] for name in "ab"]
    assert kinds[0] == kinds[1]


def test_what_no_reader_would_take_is_not_written(made: Image) -> None:
    """Ranges, mappings, threads, facts: each is refused before the first byte."""
    worse: list[tuple[dict[str, object], str]] = [
        ({"starts": made.starts + 4}, "misaligned"),
        ({"ends": made.ends + (1 << 40)}, "overlap"),
        ({"mappings": made.mappings[::-1]}, "an impossible mapping"),
        ({"registers": {1 << 31: made.registers[3]}}, "impossible or repeated ID"),
        ({"facts": replace(made.facts, pid=-1)}, "the facts of the capture"),
        ({"bias": made.bias + 8}, "impossible size, bias"),
    ]
    for change, message in worse:
        image, written = copy(made), list[bytes]()
        for name, value in change.items():
            setattr(image, name, value)
        with pytest.raises(CorruptFile, match=f"no reader would take it.*{message}"):
            write_image(image, written.append)
        assert not written


def listed(path: Path) -> list[blocks.Block]:
    contents = read_contents(PreadFile.open(str(path)))
    files = [block for file, parts in contents.files for block in (file, *parts)]
    return sorted([*files, *(b for kind in contents.by_kind.values() for b in kind)], key=lambda b: b.offset)


def test_pages_of_zeros_and_what_the_program_s_file_holds_are_not_stored(raw: bytes, tmp_path: Path) -> None:
    opened(tmp_path / "a", raw)
    pages = [block for block in listed(tmp_path / "a") if block.kind == blocks.PAGES]
    # Two pages of text, a megabyte of numbers, 20 bytes and what rounds them up to words.
    assert [block.size - blocks.BITMAP for block in pages] == [2 * 4096, 1 << 20, 24]


def test_without_debuginfo_the_binary_reads_as_if_it_were_stripped(made: Image, tmp_path: Path) -> None:
    image = opened(tmp_path / "a", image_bytes(made, debuginfo=False))
    assert same(made, image)
    assert ".debug_info" not in image.binary.sections
    assert image.debug is None
    assert image.binary.section(".gnu_debuglink") == b"made.debug\0"
    load = image.binary.segments[1]
    assert image.binary.read(load.offset, load.filesz) == b"\1" * 4096


def test_what_is_not_kept_of_the_binary_is_refused_by_its_offset(raw: bytes, tmp_path: Path) -> None:
    image = opened(tmp_path / "a", raw)
    variables = image.binary.segments[1]
    with pytest.raises(CorruptFile, match=r"made\) at offset 0x\w+: the image does not keep these 8 bytes"):
        image.binary.read(variables.offset, 8)
    assert ".debug_line" not in image.binary.sections


def test_every_truncation_is_found(raw: bytes, tmp_path: Path) -> None:
    for size in {*range(120), *random.Random(7).sample(range(len(raw)), 200), len(raw) - 1}:
        with pytest.raises(CorruptFile):
            opened(tmp_path / "a", raw[:size])


def test_a_longer_file_and_another_version_are_refused(raw: bytes, tmp_path: Path) -> None:
    with pytest.raises(CorruptFile, match="1 bytes follow the end"):
        opened(tmp_path / "a", raw + b"\0")
    newer = raw[:8] + struct.pack("<I", 2) + raw[12:]
    with pytest.raises(CorruptFile, match="image format version 2; this goretain reads version 1") as refused:
        opened(tmp_path / "a", newer)
    assert "newer one" in refused.value.hint


def test_every_flipped_bit_is_found_before_its_content_is_used(
    raw: bytes, made: Image, tmp_path: Path
) -> None:
    generator = random.Random(11)
    for _ in range(150):
        at = generator.randrange(len(raw))
        damaged = bytearray(raw)
        damaged[at] ^= 1 << generator.randrange(8)
        try:
            image = opened(tmp_path / "a", bytes(damaged))
        except CorruptFile:
            continue
        # Parts of files are checked when they are read: what is left is still what was captured.
        assert same(made, image)
        with pytest.raises(CorruptFile):
            read_files(image)


def read_files(image: Image) -> None:
    """Read all that the image keeps of files."""
    debug = [image.debug.elf] if image.debug is not None else []
    for elf in (image.binary, *(one.elf for one in image.libraries), *debug):
        assert isinstance(elf._file, SparseFile)
        for start, end in elf._file.held:
            elf.read(start, end - start)


def index(edit: ImageBlocks, kind: bytes) -> int:
    return next(i for i, block in enumerate(edit) if block[0] == kind)


def with_content(edit: ImageBlocks, kind: bytes, content: bytes) -> ImageBlocks:
    i = index(edit, kind)
    return [*edit[:i], (kind, edit[i][1], content), *edit[i + 1 :]]


def test_sealing_what_was_parsed_gives_the_same_file(raw: bytes) -> None:
    assert sealed(parsed(raw)) == raw


def _ranges(*rows: tuple[int, int, int]) -> bytes:
    return b"".join(blocks.RANGE_ROW.pack(*row) for row in rows)


@pytest.mark.parametrize(
    ("kind", "content", "reason"),
    [
        (blocks.FACT, b"[" * 5000, "facts of the capture"),
        (blocks.FACT, b"{}", "facts of the capture"),
        (blocks.FACT, b'{"source":"guess"}', "facts of the capture"),
        (blocks.MAPS, bytes(36), "impossible mapping"),
        (blocks.MAPS, bytes(20), "ends within a row"),
        (blocks.MAPS, blocks.MAPPING_ROW.pack(0, 4096, 0, b"rw-p", 1), "cut off"),
        (blocks.REGS, bytes(100), "ends within a row"),
        (blocks.REGS, bytes(448), "repeated"),
        (blocks.REGS, blocks.REGISTER_ROW.pack(1 << 40, *range(27)), "impossible"),
        (blocks.FILE, bytes(8), "cut off"),
        (blocks.FILE, blocks.FILE_ROW.pack(1 << 63, 0, 0, 0), "impossible size"),
        (blocks.FILE, blocks.FILE_ROW.pack(1 << 20, 4095, 0, 0), "impossible size"),
        (blocks.FILE, blocks.FILE_ROW.pack(1 << 20, 0, 0, 1), "impossible size"),
        (blocks.FILE, blocks.FILE_ROW.pack(10, 0, 0, 0), "outside of the file"),
        (blocks.FILE, blocks.FILE_ROW.pack(1 << 20, 0, 0, 0) + bytes(5), "ends within a row"),
        (blocks.FILE, blocks.FILE_ROW.pack(1 << 20, 0, 0, 0) + bytes(24), "impossible distance"),
        (blocks.FILE, blocks.FILE_ROW.pack(1 << 20, 0, 2, 0), "not the first"),
        (blocks.RANG, _ranges((8, 4, -1)), "empty, misaligned"),
        (blocks.RANG, _ranges((4, 8, -1)), "empty, misaligned"),
        (blocks.RANG, _ranges((8, 1 << 48, -1)), "outside of user space"),
        (blocks.RANG, _ranges((1 << 63, 0, -1)), "outside of user space"),
        (blocks.RANG, _ranges((8, 32, -1), (24, 64, -1)), "overlap"),
        (blocks.RANG, _ranges((64, 96, -1), (8, 16, -1)), "overlap or do not ascend"),
        (blocks.RANG, _ranges((0, 1 << 45, -1)), "impossibly large"),
        (blocks.RANG, _ranges((8, 16, -2)), "outside of the program"),
        (blocks.RANG, _ranges((8, 1 << 30, 16)), "outside of the program"),
        (blocks.RANG, _ranges((8, 16, -1)), "outside of the captured memory"),
        (blocks.RANG, bytes(25), "ends within a row"),
        (blocks.PAGES, bytes(31), "outside of the captured memory"),
        (blocks.PAGES, bytes(32) + b"no page is named", "outside of the captured memory"),
        (blocks.PAGES, b"\1" + bytes(31 + 100), "100 bytes of pages where 4096 belong"),
        (blocks.PAGES, b"\3" + bytes(31 + 4096), "4096 bytes of pages where 8192 belong"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_although_all_checksums_fit(
    raw: bytes, tmp_path: Path, kind: bytes, content: bytes, reason: str
) -> None:
    with pytest.raises(CorruptFile, match=reason) as refused:
        opened(tmp_path / "a", sealed(with_content(parsed(raw), kind, content)))
    assert str(tmp_path) in str(refused.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda e: e[1:], "missing"),
        (lambda e: [b for b in e if b[0] != blocks.RANG], "missing"),
        (lambda e: [b for b in e if b[0] not in (blocks.FILE, blocks.PART)], "missing"),
        (lambda e: [b for b in e if b[0] != blocks.PART], "missing"),
        (lambda e: [b for b in e if b[0] != blocks.FILE], "does not belong here"),
        (lambda e: [*e, e[0]], "does not belong here"),
        (lambda e: [e[0], *e], "does not belong here"),
        (lambda e: [*e, e[-1]], "pages do not ascend"),
        (lambda e: [*e[:-1], (blocks.PAGES, 1 << 30, e[-1][2])], "outside of the captured memory"),
        (lambda e: [*e[:-1], (blocks.PAGES, 7, e[-1][2])], "pages do not ascend"),
        (lambda e: [e[0], (blocks.MAPS, 8, e[1][2]), *e[2:]], "gap"),
        (lambda e: [e[0], e[1], (blocks.MAPS, len(e[1][2]), e[1][2]), *e[2:]], "gap"),
        (lambda e: [(blocks.FACT, 1, e[0][2]), *e[1:]], "has a place"),
        (lambda e: [*e[: index(e, blocks.PART) + 1], *e[index(e, blocks.PART) :]], "overlap or do not"),
    ],
)  # fmt: skip
def test_blocks_that_are_missing_or_misplaced_are_refused(
    raw: bytes, tmp_path: Path, change: object, reason: str
) -> None:
    assert callable(change)
    with pytest.raises(CorruptFile, match=reason):
        opened(tmp_path / "a", sealed(change(parsed(raw))))


def test_a_file_of_a_kind_that_is_not_known_is_left_alone(made: Image, raw: bytes, tmp_path: Path) -> None:
    edit = parsed(raw)
    i = index(edit, blocks.RANG)
    later = (blocks.FILE, 0, blocks.FILE_ROW.pack(100, 0, 77, 0)), (blocks.PART, 0, b"what may come")
    assert same(made, opened(tmp_path / "a", sealed([*edit[:i], *later, *edit[i:]])))


def test_a_block_that_decompresses_to_more_than_it_claims_is_refused() -> None:
    bomb = zlib.compress(bytes(64 << 20), 9)
    head = struct.pack("<4sIQIIIII", b"FACT", 1, 0, len(bomb), 1 << 20, zlib.crc32(bomb), 0, 0)
    raw = head + zlib.crc32(head).to_bytes(4, "little")
    with pytest.raises(CorruptFile, match="does not decompress to the 1048576 bytes"):
        blocks.unpack("bomb", blocks.parse("bomb", raw, 16, 0), bomb)


def test_random_damage_with_checksums_that_fit_is_refused_or_read_in_full(raw: bytes, tmp_path: Path) -> None:
    generator = random.Random(3)
    refused = 0
    for _ in range(150):
        edit = parsed(raw)
        i = generator.randrange(len(edit))
        kind, place, content = edit[i]
        damaged = bytearray(content)
        for _ in range(generator.choice((1, 4))):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        edit[i] = (kind, place, bytes(damaged))
        try:
            image = opened(tmp_path / "a", sealed(edit))
        except GoretainError:
            refused += 1
            continue
        for start, size in zip(image.starts.tolist(), (image.ends - image.starts).tolist(), strict=True):
            assert len(image.read(start, size)) == size
    assert refused


@pytest.mark.parametrize("kind", ["pipe", "folder", "absent"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    place = tmp_path / kind
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    with pytest.raises(UsageError):
        read_image(place)
