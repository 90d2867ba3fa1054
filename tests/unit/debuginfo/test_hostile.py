"""Damaged files give an error of goretain or a result: no other exception, no hang, no blow-up of memory."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from goretain.debuginfo.elf.elf import Elf
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
