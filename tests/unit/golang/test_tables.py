"""Layout tables say what debug information says, and the right one is chosen."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tools import layout_tables

from goretain.debuginfo.dwarf.dwarf import Dwarf
from goretain.debuginfo.elf.elf import Elf
from goretain.golang.layout import Layout, open_layout
from goretain.golang.read import read_heap
from goretain.golang.tables import LayoutTable, all_tables, tables_for
from goretain.golang.tables.file import PATH, read_file
from goretain.model.errors import NoLayoutTable, UnknownLayout
from tests.support.golang import EXPERIMENTS, VERSIONS, go_program, running, wait_until_blocked
from tests.support.heaps import image_of

ROOT = Path(__file__).resolve().parents[3]
_QUESTIONS = ("has_struct", "has", "offset", "width", "size", "array_length", "has_symbol", "constant")
Question = tuple[str, tuple[Any, ...]]


def table_of(version: str, *experiments: str) -> LayoutTable:
    """The only table for a release."""
    (table,) = tables_for(f"go{version} X:{','.join(experiments)}" if experiments else f"go{version}")
    return table


def answer(ask: Callable[..., Any], arguments: tuple[Any, ...]) -> object:
    """What a question is answered, an error by its message."""
    try:
        return ask(*arguments)
    except UnknownLayout as error:
        return error.message


# -- tables against toolchains


def _releases() -> Iterator[object]:
    """Every release with its sets of experiments; the newest in the short run."""
    for line, releases in layout_tables.RELEASES.items():
        for experiments in ((), *layout_tables.EXPERIMENTS.get(line, ())):
            release = releases[-1]
            short = (release, experiments) == (VERSIONS[-1], ())
            yield pytest.param(release, experiments, marks=() if short else (pytest.mark.long,))


@pytest.mark.parametrize(("release", "experiments"), list(_releases()))
def test_table_is_what_the_toolchain_says(release: str, experiments: tuple[str, ...]) -> None:
    binary = go_program(layout_tables.PROGRAM, release, experiments=experiments)
    described = layout_tables.describe(binary)
    (table,) = tables_for(Elf.open(str(binary)).go_version)
    assert table is table_of(release, *experiments)
    assert set(table.experiments) == set(experiments)
    assert sorted(table.type_names) == sorted(described.types)
    for name, record in described.types.items():
        assert name_by_name(table, name) == name_of_record(record, described.types)
    assert {name: table.constant(name) for name in described.constants} == described.constants
    assert set(table.variables) == set(described.variables)
    assert (table.size_classes, table.wait_reasons) == (described.size_classes, list(described.wait_reasons))
    assert table.functions == set(described.functions)


def name_of_record(record: layout_tables.TypeRecord, known: dict[str, Any]) -> tuple[object, ...]:
    """A record as ``name_by_name`` gives it: references to what is not described are none."""

    def meant(name: str) -> str:
        return name if name in known else ""

    members = tuple((n, offset, meant(type_), embedded) for n, offset, type_, embedded in record.members)
    return (
        record.tag, record.size, record.kind, record.count, meant(record.elem), meant(record.key),
        meant(record.go_elem), members,
    )  # fmt: skip


def name_by_name(table: LayoutTable, name: str) -> tuple[object, ...]:
    """A type of a table with its references as names."""

    def named(number: int) -> str:
        return table.type(number).name if number else ""

    t = table.type(table.type_by_name(name) or 0)
    members = tuple((m.name, m.offset, named(m.type), m.embedded) for m in t.members)
    return (
        t.tag, t.size, t.go_kind, t.count, named(t.elem), named(t.go_key), named(t.go_elem), members,
    )  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_structs_are_those_of_another_program(version: str) -> None:
    """A program whose linker kept other types describes those that both have in the same way."""
    dwarf, table = Dwarf.open(Elf.open(str(go_program("server", version))), None), table_of(version)
    common = [name for name in table.type_names if dwarf.struct(name) is not None]
    assert len(common) > 300
    program = Layout(Elf.open(str(go_program("server", version))), dwarf, version)
    ours = Layout(program.elf, table, version, {})
    for name in common:
        assert answer(ours.size, (name,)) == answer(program.size, (name,))
        record = dwarf.type(dwarf.struct(name) or 0)
        while record.tag == "typedef" and record.elem:
            record = dwarf.type(record.elem)
        for member in record.members:
            question = (name, member.name)
            assert answer(ours.offset, question) == answer(program.offset, question)
            assert answer(ours.width, question) == answer(program.width, question)


# -- every question of a real read


@pytest.mark.parametrize("version", VERSIONS)
def test_questions_of_a_read_have_the_same_answers(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _same_answers(version, (), monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize(("version", "experiment"), EXPERIMENTS)
def test_questions_have_the_same_answers_with_experiments(
    version: str, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _same_answers(version, (experiment,), monkeypatch)


def _same_answers(version: str, experiments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Read ``exact`` by its debug information and write down what is asked; ask the table the same."""
    asked: dict[Question, object] = {}

    def recorded(name: str) -> Callable[..., Any]:
        ask = getattr(Layout, name)

        def wrapper(self: Layout, *arguments: Any) -> Any:
            asked[name, arguments] = answer(lambda *given: ask(self, *given), arguments)
            return ask(self, *arguments)

        return wrapper

    program = go_program("exact", version, experiments=experiments)
    with monkeypatch.context() as patch:
        for name in _QUESTIONS:
            patch.setattr(Layout, name, recorded(name))
        with running(program, ["queued"]) as target:
            wait_until_blocked(target.pid)
            image = image_of(target.pid)
        read_heap(image)
    table = table_of(version, *experiments)
    layout = Layout(image.binary, table, image.binary.go_version or "", {})
    assert len(asked) > 100
    assert {q for q, _ in asked} >= {"has_struct", "has", "offset", "width", "size", "has_symbol", "constant"}
    told = {(name, arguments): answer(getattr(layout, name), arguments) for name, arguments in asked}
    assert {q: (a, told[q]) for q, a in asked.items() if told[q] != a} == {}


# -- choosing


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("go1.21.13", ["Go 1.21"]),
        ("go1.24.1", ["Go 1.24"]),
        ("go1.24.11 X:noswissmap", ["Go 1.24.11 and later with noswissmap"]),
        ("go1.24.3 X:nosynchashtriemap,noswissmap", ["Go 1.24 with noswissmap, nosynchashtriemap"]),
        ("go1.24.99", ["Go 1.24.11 and later"]),
        ("go1.23.3", ["Go 1.23.3 and later"]),
        ("go1.25.5 X:jsonv2,boringcrypto", ["Go 1.25"]),
        ("go1.25.5 X:greenteagc,jsonv2", ["Go 1.25 with greenteagc"]),
        ("go1.26rc1", ["Go 1.26"]),
        ("go1.27.3-X:mapsplitgroup", ["Go 1.27 with mapsplitgroup"]),
        ("go1.27-devel_0f3a1b2 Tue Jan 6 X:nogreenteagc", ["Go 1.27 with nogreenteagc"]),
        ("devel go1.27-0f3a1b2 Tue Jan 6", ["Go 1.27"]),
        ("go1.22.10 (Vendor 1.22.10-1.el9)", ["Go 1.22"]),
        ("go1.28.0", []),
        ("go1.20.14", []),
        ("go1.2.1", []),
        ("go1.25.5 X:staticlockranking", []),
        ("go1.24.11 X:nospinbitmutex,noswissmap", []),
    ],
)
def test_tables_are_chosen_by_the_version(version: str, names: list[str]) -> None:
    assert [table.name for table in tables_for(version)] == names


def test_release_between_two_that_differ_may_be_either() -> None:
    assert [table.name for table in tables_for("go1.24.7")] == ["Go 1.24", "Go 1.24.11 and later"]
    layouts = [Layout(Elf.open(sys.executable), table, "", {}) for table in tables_for("go1.24.7")]
    assert len({layout.offset("runtime.m", "alllink") for layout in layouts}) == 2


@pytest.mark.parametrize("version", [None, "", "unknown"])
def test_every_table_is_a_candidate_where_no_version_is_stated(version: str | None) -> None:
    assert tables_for(version) == list(all_tables())
    assert len(all_tables()) > 15
    assert all_tables()[0].name == "Go 1.27"


def test_every_supported_version_has_one_table() -> None:
    for version in VERSIONS:
        assert table_of(version).go == version.rpartition(".")[0]
        assert int(version.rpartition(".")[2]) in table_of(version).tried
    for version, experiment in EXPERIMENTS:
        assert table_of(version, experiment).experiments == (experiment,)


def test_tables_say_which_releases_they_were_made_from() -> None:
    for line, releases in layout_tables.RELEASES.items():
        sets = ((), *layout_tables.EXPERIMENTS.get(line, ()))
        tried = {
            (table.experiments, patch) for table in all_tables() if table.go == line for patch in table.tried
        }
        patches = [int(release.rpartition(".")[2]) for release in releases]
        assert tried == {(experiments, patch) for experiments in sets for patch in patches}


def test_experiments_show_in_the_structs() -> None:
    def has(version: str, struct: str, *experiments: str) -> bool:
        return table_of(version, *experiments).struct(struct) is not None

    assert has("1.24.11", "internal/runtime/maps.Map")
    assert not has("1.24.11", "internal/runtime/maps.Map", "noswissmap")
    assert has("1.24.11", "runtime.hmap", "noswissmap")
    assert has("1.26.6", "runtime.spanInlineMarkBits")
    assert not has("1.26.6", "runtime.spanInlineMarkBits", "nogreenteagc")


@pytest.mark.parametrize(("experiments", "expected"), [((), False), (("noallocheaders",), True)])
def test_promoted_fields_are_found(experiments: tuple[str, ...], expected: bool) -> None:
    """Go 1.22 keeps the bitmaps of arenas, where it has them, in a struct that runtime.heapArena embeds."""
    layout = Layout(Elf.open(sys.executable), table_of("1.22.10", *experiments), "", {})
    assert layout.has("runtime.heapArena", "bitmap") is expected
    assert not layout.has("runtime.heapArena", "bitmap", "nosuch")
    assert layout.has("runtime.heapArenaPtrScalar", "bitmap") is expected
    if expected:
        inner = layout.offset("runtime.heapArenaPtrScalar", "noMorePtrs")
        outer = layout.offset("runtime.heapArena", "heapArenaPtrScalar")
        assert layout.offset("runtime.heapArena", "noMorePtrs") == outer + inner


# -- layouts made from tables


def test_program_without_debug_information_is_described_by_its_table() -> None:
    version = VERSIONS[-1]
    full = open_layout(Elf.open(str(go_program("exact", version))))
    bare = open_layout(Elf.open(str(go_program("exact", version, flags=["-ldflags=-s -w"]))))
    assert full.table is None
    assert bare.table is table_of(version)
    assert not bare.descriptions.complete
    assert list(bare.descriptions.globals) == []
    assert bare.size("runtime.mspan") == full.size("runtime.mspan")
    with pytest.raises(UnknownLayout, match=r"'nosuch' of runtime\.mspan .* table .*Go 1\.27"):
        bare.offset("runtime.mspan", "nosuch")


def test_newer_release_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Elf, "go_version", "go1.99.1")
    binary = Elf.open(str(go_program("exact", VERSIONS[-1], flags=["-ldflags=-s -w"])))
    with pytest.raises(NoLayoutTable, match=r"go1\.99\.1 .* Go 1\.21 to 1\.27") as caught:
        open_layout(binary)
    assert "--binary" in caught.value.hint


def test_type_of_another_table_is_none_of_this() -> None:
    with pytest.raises(KeyError, match=r"Go 1\.27 has no type 1000000"):
        all_tables()[0].type(1_000_000)


# -- the package


def test_data_file_is_small_and_part_of_the_package(tmp_path: Path) -> None:
    assert PATH.stat().st_size < 64 << 10
    file = read_file()
    assert len(set(map(repr, file.types))) == len(file.types)
    assert len(set(file.texts)) == len(file.texts)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("goretain/golang/tables/layouts.json.z") == PATH.read_bytes()
