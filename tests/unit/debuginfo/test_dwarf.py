"""DWARF whatever way the program was linked, the index cache, and what only some versions describe."""

from __future__ import annotations

from pathlib import Path

import pytest

from goretain.debuginfo.dwarf.dwarf import Dwarf
from goretain.debuginfo.elf.elf import Elf
from goretain.model.errors import CorruptFile
from tests.support.golang import go_program, release
from tests.unit.debuginfo.conftest import MIXED, PROGRAM


def read(path: Path) -> Dwarf:
    return Dwarf.open(Elf.open(str(path)), None)


@pytest.fixture(scope="module")
def dwarf(program: Path) -> Dwarf:
    return read(program)


def contents(dwarf: Dwarf, package: str = "main.") -> dict[str, tuple[str, int, int]]:
    """Name -> (type name, size, kind) of the globals of a package."""
    found = {}
    for g in dwarf.globals:
        if g.name.startswith(package):
            t = dwarf.type(g.type)
            found[g.name] = (t.name, t.size, t.go_kind)
    return found


def test_a_struct_is_described_field_by_field(dwarf: Dwarf) -> None:
    offset = dwarf.struct("main.entry")
    assert offset is not None
    entry = dwarf.type(offset)
    assert (entry.tag, entry.name, entry.go_kind) == ("struct", "main.entry", 25)
    fields = [(m.name, m.offset, dwarf.type(m.type).name, m.embedded) for m in entry.members]
    assert fields[:4] == [
        ("inner", 0, "main.inner", True),
        ("body", 8, "[]uint8", False),
        ("next", 32, "*main.entry", False),
        ("hook", 40, "func(int) error", False),
    ]
    inner = dwarf.type(entry.members[0].type)
    assert (inner.tag, dwarf.type(inner.elem).size) == ("typedef", 8)


def test_kinds_lead_to_keys_elements_and_lengths(dwarf: Dwarf) -> None:
    def named(name: str) -> int:
        found = dwarf.type_by_name(name)
        assert found is not None
        return found

    table = dwarf.type(named("map[string]*main.entry"))
    assert (table.go_kind, dwarf.type(table.go_key).name, dwarf.type(table.go_elem).name) == (
        21,
        "string",
        "*main.entry",
    )
    array = dwarf.type(named("[5]main.entry"))
    assert (array.tag, array.count, dwarf.type(array.elem).name) == ("array", 5, "main.entry")
    pipe = dwarf.type(named("chan main.Kind"))
    assert (pipe.go_kind, dwarf.type(pipe.go_elem).name) == (18, "main.Kind")
    pointer = dwarf.type(named("*main.entry"))
    assert (pointer.tag, pointer.size, dwarf.type(pointer.elem).name) == ("pointer", 8, "main.entry")
    assert dwarf.type(named("main.list[string]")).members[0].name == "value"


def test_struct_finds_only_what_can_be_one(dwarf: Dwarf) -> None:
    assert dwarf.struct("int") is None
    assert dwarf.struct("runtime.no_such_struct") is None
    assert dwarf.type_by_name("int") is not None
    assert dwarf.struct("runtime.mspan") == dwarf.type_by_name("runtime.mspan")


def test_globals_agree_with_the_symbol_table(dwarf: Dwarf, program: Path) -> None:
    symbols = Elf.open(str(program)).symbols
    mine = [g for g in dwarf.globals if g.name.startswith("main.")]
    assert {g.name for g in mine} >= {"main.cache", "main.mutex", "main.table", "main.names", "main.count"}
    for g in mine:
        assert g.address == symbols[g.name].value
        t = dwarf.type(g.type)
        while t.size < 0:
            t = dwarf.type(t.elem)
        assert t.size == symbols[g.name].size


def test_results_and_parameters_are_told_apart(dwarf: Dwarf, program: Path) -> None:
    f = dwarf.function_at(Elf.open(str(program)).symbols["main.results"].value)
    assert f is not None
    own = [
        (v.name, v.is_parameter, v.is_result, dwarf.type(v.type).name)
        for v in f.variables
        if not v.is_inlined
    ]
    assert own == [
        ("first", True, False, "int"),
        ("second", True, False, "string"),
        ("sum", True, True, "int"),
        ("err", True, True, "error"),
    ]


@pytest.mark.parametrize(("flags", "kept"), [([], {"&total"}), (["-gcflags=-N -l"], {"&total", "buffer"})])
def test_captured_variables_have_their_place_in_the_closure(
    version: str, flags: list[str], kept: set[str]
) -> None:
    elf = Elf.open(str(go_program(PROGRAM, version, flags=flags)))
    f = Dwarf.open(elf, None).function_at(elf.symbols["main.captures.func1"].value)
    assert f is not None
    captured = {v.name: v.closure_offset for v in f.variables if v.closure_offset >= 0}
    places = {"&total": 8, "buffer": 16} if release(version) >= (1, 23) else {}
    assert captured == {name: at for name, at in places.items() if name in kept}


def test_pcs_between_functions_are_in_none(dwarf: Dwarf) -> None:
    assert dwarf.function_at(0) is None
    assert dwarf.function_at(1 << 60) is None


def same(ours: Dwarf, other: Dwarf) -> None:
    assert contents(ours, "") == contents(other, "")
    for name in ("runtime.mspan", "runtime.g", "main.entry"):
        a, b = ours.struct(name), other.struct(name)
        assert a is not None
        assert b is not None
        left = [(m.name, m.offset, ours.type(m.type).name) for m in ours.type(a).members]
        assert left == [(m.name, m.offset, other.type(m.type).name) for m in other.type(b).members]


@pytest.mark.parametrize(
    "flags", [["-ldflags=-compressdwarf=false"], ["-buildmode=pie"], ["-gcflags=-N -l"]], ids=str
)
def test_programs_linked_another_way_describe_the_same(dwarf: Dwarf, version: str, flags: list[str]) -> None:
    path = go_program(PROGRAM, version, flags=flags)
    other = read(path)
    same(dwarf, other)
    symbols = Elf.open(str(path)).symbols
    for g in other.globals:
        if g.name.startswith("main."):
            assert g.address == symbols[g.name].value
    f = other.function_at(symbols["main.main"].value)
    assert f is not None
    assert f.name == "main.main"


def test_without_dwarf_everything_is_empty(version: str) -> None:
    dwarf = read(go_program(PROGRAM, version, flags=["-ldflags=-w"]))
    assert not dwarf.present
    assert dwarf.globals == []
    assert dwarf.struct("runtime.mspan") is None
    assert dwarf.function_at(0x401000) is None
    assert dwarf.constant("runtime._Gwaiting") is None


@pytest.mark.parametrize("version", ["1.21.13", "1.25.5", "1.27.3"])
def test_units_of_c_are_left_out(version: str) -> None:
    path = go_program(MIXED, version, cgo=True)
    elf = Elf.open(str(path))
    dwarf = Dwarf.open(elf, None)
    assert dwarf.present
    assert "main.total" in contents(dwarf)
    assert not [g for g in dwarf.globals if g.name == "in_c_only"]
    assert dwarf.function_at(elf.symbols["sum"].value) is None
    shared = next(g for g in dwarf.globals if g.name == "main.shared")
    pair = dwarf.struct("main._Ctype_struct_pair")
    assert pair is not None
    assert dwarf.type(pair).members[0].name == "left"
    assert shared.address == elf.symbols["main.shared"].value


def test_the_index_is_kept_and_used_again(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elf = Elf.open(str(program))
    first = Dwarf.open(elf, tmp_path / "cache")
    globals_ = first.globals
    (kept,) = (tmp_path / "cache").iterdir()
    assert kept.suffix == ".dwarf"
    monkeypatch.setattr("goretain.debuginfo.dwarf.dwarf.build_index", forbidden)
    again = Dwarf.open(Elf.open(str(program)), tmp_path / "cache")
    assert again.globals == globals_
    assert again.struct("runtime.mspan") == first.struct("runtime.mspan")
    assert again.constant("main.Negative") == -7
    same(first, again)


def forbidden(*_: object) -> None:
    raise AssertionError("the index was built although it is in the cache")


@pytest.mark.parametrize("damage", ["cut", "flip", "version", "empty"])
def test_a_damaged_cache_file_is_rewritten(program: Path, tmp_path: Path, damage: str) -> None:
    globals_ = Dwarf.open(Elf.open(str(program)), tmp_path).globals
    (kept,) = tmp_path.iterdir()
    good = kept.read_bytes()
    middle = len(good) // 2
    kept.write_bytes(
        {
            "cut": good[:middle],
            "flip": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :],
            "version": good[:15] + b"\xff" + good[16:],
            "empty": b"",
        }[damage]
    )
    assert Dwarf.open(Elf.open(str(program)), tmp_path).globals == globals_
    assert kept.read_bytes() == good
    assert list(tmp_path.iterdir()) == [kept]


def test_a_changed_file_of_equal_build_id_has_an_index_of_its_own(version: str, tmp_path: Path) -> None:
    program = go_program(PROGRAM, version, flags=["-ldflags=-compressdwarf=false"])
    changed = tmp_path / "changed"
    changed.write_bytes(program.read_bytes().replace(b"main.mutex\0", b"main.Muted\0"))
    one, other = Elf.open(str(program)), Elf.open(str(changed))
    assert one.go_build_id == other.go_build_id != ""
    names = [{g.name for g in Dwarf.open(elf, tmp_path / "cache").globals} for elf in (one, other, one)]
    assert names[0] - names[1] == {"main.mutex"}
    assert names[1] - names[0] == {"main.Muted"}
    assert names[0] == names[2]


def test_a_cache_directory_that_cannot_be_written_costs_nothing(program: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert Dwarf.open(Elf.open(str(program)), blocked / "cache").globals


def test_the_cache_keeps_only_the_newest_files(program: Path, tmp_path: Path) -> None:
    for i in range(80):
        (tmp_path / f"{i:03}.dwarf").write_bytes(b"old")
    Dwarf.open(Elf.open(str(program)), tmp_path).globals  # noqa: B018
    assert len(list(tmp_path.iterdir())) == 64


def test_a_reference_to_no_type_is_an_error(dwarf: Dwarf, program: Path) -> None:
    with pytest.raises(CorruptFile, match="debug_info") as caught:
        dwarf.type(0)
    assert caught.value.path == str(program)
    with pytest.raises(CorruptFile):
        dwarf.type(1 << 40)
