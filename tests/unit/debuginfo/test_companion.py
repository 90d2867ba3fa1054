"""A twin is taken only when it is one; a damaged file that poses as one gives an error of ours."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from goretain.debuginfo.beside.companion import DebugFile, find_debug_file
from goretain.debuginfo.elf.elf import Elf
from goretain.model.errors import BinaryMismatch, GoretainError
from tests.support.golang import VERSIONS, go_program

_STRIP = ("-ldflags=-s -w", "-buildvcs=false")
_SOURCE = """
package main

type held struct {
	a, b int32
	c    int32
}

var (
	one   = new(held)
	other = new(held)
	all   []*held
)

func main() {
	one, other = other, one
	all = append(all, &held{a: int32(len(all))})
	println(one.a, other.b, 77)
}
"""
#: What differs in the source -> what is said of it.
_EDITS = {
    ("c    int32", "c    uint32"): "their types differ",
    ("one, other = other, one", "other = one"): "differ",
    ("77", "78"): "their code differs",
    ("package main\n", "package main\n\nvar more [8]int\n\nfunc init() { more[1]++ }\n"): "differ",
}


def _build(folder: Path, source: str, flags: tuple[str, ...]) -> Path:
    folder.mkdir()
    (folder / "go.mod").write_text("module goretain.test/twin\n\ngo 1.21\n")
    (folder / "main.go").write_text(source)
    return go_program(folder, VERSIONS[-1], flags=flags)


@pytest.mark.parametrize(("edit", "said"), list(_EDITS.items()))
def test_a_build_of_edited_source_is_no_twin(edit: tuple[str, str], said: str, tmp_path: Path) -> None:
    stripped = Elf.open(str(_build(tmp_path / "twin", _SOURCE, _STRIP)))
    same = _build(tmp_path / "same", _SOURCE, _STRIP[1:])
    assert find_debug_file(stripped, str(same)) is not None
    assert edit[0] in _SOURCE
    edited = _build(tmp_path / "edited", _SOURCE.replace(*edit), _STRIP[1:])
    with pytest.raises(BinaryMismatch, match=f"not built from the same source.*{said}"):
        find_debug_file(stripped, str(edited))


def test_addresses_follow_their_sections() -> None:
    """Symbols of the twin, translated, are where the same symbols are in a build with a symbol table."""
    moved = 0
    for version in (VERSIONS[0], VERSIONS[-1]):
        stripped, alike, plain = (
            Elf.open(str(go_program("planted", version, flags=flags)))
            for flags in (_STRIP, ("-buildvcs=false", "-ldflags=-f -f"), ("-buildvcs=false",))
        )
        debug = find_debug_file(stripped, plain.path)
        assert debug is not None
        wrong = {name for name, s in debug.symbols.items() if alike.symbols[name].value != s.value}
        assert {name for name in wrong if name.startswith(("main.", "runtime."))} <= {"runtime.end"}
        for name in ("main.pages", "runtime.mheap_", "runtime.firstmoduledata", "main.main"):
            assert debug.symbols[name].value == alike.symbols[name].value
            moved += debug.symbols[name].value != plain.symbols[name].value
        assert "go:string.*" not in debug.symbols
    assert moved


def test_damaged_files_give_an_error_of_ours_or_a_twin(tmp_path: Path) -> None:
    stripped = Elf.open(str(go_program("planted", VERSIONS[-1], flags=_STRIP)))
    content = go_program("planted", VERSIONS[-1], flags=_STRIP[1:]).read_bytes()
    tables = Elf.open(str(go_program("planted", VERSIONS[-1], flags=_STRIP[1:]))).tables
    random_ = random.Random(7)
    kinds = {True: 0, False: 0}
    for number in range(120):
        damaged = bytearray(content)
        for _ in range(random_.choice((1, 1, 8))):
            low, size = random_.choice([*tables, (0, 64), (0, len(content))])
            damaged[low + random_.randrange(size)] = random_.choice((0, 1, 127, 128, 255))
        path = tmp_path / f"{number}"
        path.write_bytes(damaged[: random_.choice((len(damaged), len(damaged), random_.randrange(99999)))])
        try:
            found = find_debug_file(stripped, str(path))
            kinds[isinstance(found, DebugFile)] += 1
        except GoretainError:
            kinds[False] += 1
        path.unlink()
    assert min(kinds.values()) > 10


@pytest.mark.parametrize("flags", [(), ("-buildmode=pie",)], ids=["plain", "pie"])
def test_the_twin_of_a_program_without_section_headers_is_placed_by_segments(
    flags: tuple[str, ...], tmp_path: Path
) -> None:
    stripped = _build(tmp_path / "stripped", _SOURCE, (*_STRIP, *flags))
    twin = _build(tmp_path / "twin", _SOURCE, (*_STRIP[1:], *flags))
    bare = tmp_path / "bare"
    content = bytearray(stripped.read_bytes())
    content[40:48] = bytes(8)  # e_shoff
    content[58:64] = bytes(6)  # e_shentsize, e_shnum, e_shstrndx
    bare.write_bytes(content)
    known, found = (find_debug_file(Elf.open(str(path)), str(twin)) for path in (stripped, bare))
    assert known is not None
    assert known.shifts is not None
    assert found is not None
    assert found.shifts is not None
    assert found.shifts.shifts == known.shifts.shifts
    edited = _build(tmp_path / "edited", _SOURCE.replace("77", "78"), (*_STRIP[1:], *flags))
    with pytest.raises(BinaryMismatch, match=r"code differs.*no section headers"):
        find_debug_file(Elf.open(str(bare)), str(edited))
