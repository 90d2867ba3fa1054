"""The runtime found in memory by structure is where the symbol table says it is, and tells which Go it is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from goretain.capture.binaries.executable import bias_of, open_program
from goretain.capture.cores.core import capture_core
from goretain.capture.frozen.live import LiveProcess
from goretain.capture.image import Image
from goretain.debuginfo.elf.elf import PF_W, PT_LOAD, Elf
from goretain.golang.layout import Layout, open_layout
from goretain.golang.locate.choose import choose
from goretain.golang.locate.locate import locate
from goretain.golang.locate.module import code_of
from goretain.golang.locate.words import Memory, Read
from goretain.golang.read import read_heap
from goretain.golang.tables import all_tables
from goretain.model.errors import CorruptFile, GoretainError, RuntimeNotFound
from tests.support.corewriter import write_core
from tests.support.golang import EXPERIMENTS, VERSIONS, Target, go_program, running, wait_until_blocked
from tests.support.heaps import image_of, plan_for
from tests.support.obfuscate import obfuscated
from tests.zoo.test_exact import read

_SHORT = (VERSIONS[0], VERSIONS[-1])
_STRIPPED = ("-ldflags=-s -w",)
#: What every program has. Queues are found only when something is queued.
_ALWAYS = {
    "runtime.firstmoduledata",
    "runtime.mheap_",
    "runtime.persistentChunks",
    "runtime.allm",
    "runtime.allgs",
    "runtime.allp",
    "runtime.itabTable",
    "runtime.waitReasonStrings",
}
_SIZE_CLASSES = "runtime.class_to_size"
#: Program, whether it needs cgo, flags.
_PROGRAMS = (
    ("planted", False, ()),
    ("cgoroots", True, ()),
    ("server", False, ("-buildmode=pie",)),
    ("rootzoo", False, ()),
    ("scheduler", False, ()),
    ("ways", False, ()),
    ("healthy", False, ()),
    ("growing", False, ()),
    ("exact", False, ("-race",)),
)


def versions() -> list[object]:
    """All versions; two in the short run."""
    return [pytest.param(v, marks=() if v in _SHORT else (pytest.mark.long,)) for v in VERSIONS]


@contextmanager
def opened(target: Target) -> Iterator[tuple[LiveProcess, Layout]]:
    """The memory of a process that runs, and the layout that its debug information describes."""
    binary, _ = open_program(target.pid)
    source = LiveProcess(target.pid, binary, bias_of(target.pid, binary))
    try:
        yield source, open_layout(binary)
    finally:
        source.close()


def check(read: Read, bias: int, layout: Layout) -> dict[str, int]:
    """Locate the runtime and compare with the symbols; returns what was found."""
    found = locate(read, layout.elf, bias, layout)
    assert found.keys() >= _ALWAYS | {_SIZE_CLASSES}
    for name in _ALWAYS:
        assert found[name] == layout.symbol(name), name
    sizes = layout.symbols.get("internal/runtime/gc.SizeClassToSize") or layout.symbols[_SIZE_CLASSES]
    assert found[_SIZE_CLASSES] == sizes.value
    return found


def _program_cases() -> list[object]:
    cases: list[object] = []
    for name, cgo, flags in _PROGRAMS:
        for version in VERSIONS:
            short = version in _SHORT and name in ("planted", "cgoroots", "server")
            marks = () if short else (pytest.mark.long,)
            cases.append(pytest.param(name, version, cgo, flags, id=f"{name}-{version}", marks=marks))
    return cases


@pytest.mark.parametrize(("name", "version", "cgo", "flags"), _program_cases())
def test_running_and_captured_programs(name: str, version: str, cgo: bool, flags: tuple[str, ...]) -> None:
    race = "-race" in flags
    program = go_program(name, version, flags=flags, cgo=cgo or race)
    with running(program, ["quiet"] if name == "exact" else []) as target:
        with opened(target) as (source, layout):
            check(source.read, source.bias, layout)
        image = image_of(target.pid)
    check(image.read, image.bias, open_layout(image.binary))


@pytest.mark.parametrize("version", versions())
def test_a_program_with_a_plugin_has_one_first_module(version: str) -> None:
    plugin = go_program("pluginpart", version, flags=("-buildmode=plugin",), cgo=True)
    host = go_program("pluginhost", version, cgo=True)
    with running(host, [str(plugin)]) as target, opened(target) as (source, layout):
        found = check(source.read, source.bias, layout)
        code = code_of(found["runtime.firstmoduledata"] + source.bias, Memory(source.read), layout)
    assert len(code) == 2


@pytest.mark.parametrize("version", versions())
def test_a_busy_program_is_found_while_it_runs(version: str) -> None:
    with running(go_program("churn", version)) as target, opened(target) as (source, layout):
        for _ in range(10):
            _, found = choose(source.read, layout.elf, source.bias, [(layout, ())])
            for name in _ALWAYS - {"runtime.allgs"}:  # the collector may hold the same slice while it marks
                assert found[name] == layout.symbol(name), name


@pytest.mark.parametrize("version", versions())
def test_threads_that_start_and_end_do_not_mislead(version: str) -> None:
    program = go_program("loaded", version)
    with running(program, ["serve"]) as target, opened(target) as (source, layout):
        ((port,),) = target.facts["Port"]
        with running(program, ["load", port, "8"]):
            for _ in range(20):
                found = locate(source.read, layout.elf, source.bias, layout)
                assert found["runtime.allm"] == layout.symbol("runtime.allm")
            image = image_of(target.pid)
    check(image.read, image.bias, open_layout(image.binary))


@pytest.mark.parametrize("version", versions())
def test_queued_finalizers_and_cleanups_are_found(version: str) -> None:
    with running(go_program("exact", version), ["queued"]) as target:
        wait_until_blocked(target.pid)
        image = image_of(target.pid)
    layout = open_layout(image.binary)
    found = check(image.read, image.bias, layout)
    assert image.uint(found["runtime.allfin"] + image.bias) == image.uint(
        layout.symbol("runtime.allfin") + image.bias
    )
    if layout.has_struct("runtime.cleanupBlock"):
        assert found["runtime.gcCleanups"] == layout.symbol("runtime.gcCleanups")


def _experiments() -> list[object]:
    rows = [(version, "", version in _SHORT) for version in VERSIONS]
    rows += [(version, experiment, False) for version, experiment in EXPERIMENTS]
    return [pytest.param(v, e, id=f"{v}{e}", marks=() if s else (pytest.mark.long,)) for v, e, s in rows]


@pytest.mark.parametrize(("version", "experiment"), _experiments())
def test_memory_tells_which_go_it_is(version: str, experiment: str) -> None:
    program = go_program("planted", version, flags=_STRIPPED, experiments=[experiment] if experiment else [])
    with running(program) as target, opened(target) as (source, _):
        layouts = [
            (Layout(source.binary, table, "go?", tables=[table]), table.wait_reasons)
            for table in all_tables()
        ]
        layout, _ = choose(source.read, source.binary, source.bias, layouts)
    assert layout.table is not None
    assert version.startswith(f"{layout.table.go}.")
    assert layout.table.experiments == ((experiment,) if experiment else ())


@pytest.mark.parametrize("sections", [False, True])
@pytest.mark.parametrize("version", versions())
def test_an_obfuscated_program_is_read_exactly(version: str, sections: bool, tmp_path: Path) -> None:
    stripped = go_program("exact", version, flags=_STRIPPED)
    program = obfuscated(stripped, tmp_path / "exact", sections=sections)
    assert Elf.open(str(program)).go_version is None
    with running(program, ["queued"]) as target:
        wait_until_blocked(target.pid)
        image = image_of(target.pid)
    reading = read("queued", target, image)
    totals = reading.snapshot.meta.totals
    assert totals.live_objects + totals.dead_objects == target.fact("HeapObjects")
    assert totals.live_bytes + totals.dead_bytes == target.fact("HeapAlloc")
    assert not any("main.service" in t.name for t in reading.snapshot.types)


def test_what_is_not_found_is_named() -> None:
    with running(go_program("planted", VERSIONS[-1], flags=_STRIPPED)) as target:
        image = image_of(target.pid)
    wrong = [table for table in all_tables() if table.go == "1.21"]
    layout = Layout(image.binary, wrong[0], "go1.21", tables=wrong)
    with pytest.raises(RuntimeNotFound, match=r"firstmoduledata was not found in the memory of this go1\.21"):
        layout.find_runtime(image.read, image.bias)


def test_a_core_that_lacks_the_runtime_says_that_it_is_truncated(tmp_path: Path) -> None:
    program = go_program("planted", VERSIONS[-1], flags=_STRIPPED)
    with running(program) as target:
        image = image_of(target.pid)
    core = tmp_path / "core"
    write_core(image, core)
    assert capture_core(str(core), str(program), plan_for).facts.shortfall == ""
    variables = next(s for s in image.binary.segments if s.type == PT_LOAD and s.flags & PF_W)
    behind = next(s for s in Elf.open(str(core)).segments if s.vaddr > variables.vaddr + variables.memsz)
    os.truncate(core, behind.offset)
    with pytest.raises(CorruptFile, match=r"truncated: .* by which runtime\.mheap_ is found is not among"):
        capture_core(str(core), str(program), plan_for)


def test_an_image_of_a_stripped_program_is_read_as_the_process_was_planned() -> None:
    with running(go_program("planted", VERSIONS[-1], flags=_STRIPPED)) as target:
        image = image_of(target.pid)
    assert not image.binary.symbols
    assert read_heap(image).object_count > 1000


def test_damaged_memory_is_an_error_and_takes_no_long_time() -> None:
    with running(go_program("planted", VERSIONS[-1], flags=_STRIPPED)) as target:
        image = image_of(target.pid)
    whole = image.words.copy()
    ends = [image.locate(np.array(part)) // 8 for part in _writable(image)]
    rows = np.concatenate([np.arange(first, last) for first, last in ends])
    full = rows[whole[rows] != 0]
    refused = 0
    for mutant in range(60):
        chance = np.random.default_rng(mutant)
        image.words[:] = whole
        hit = chance.choice(full, chance.integers(1, 400))
        image.words[hit] = chance.choice([0, 1, -1, 8, 1 << 46, 1 << 62, *whole[full[::9]]], len(hit))
        started = time.process_time()
        try:
            open_layout(image.binary).find_runtime(image.read, image.bias)
        except GoretainError:
            refused += 1
        assert time.process_time() - started < 10, mutant
    assert refused > 20


def _writable(image: Image) -> list[tuple[int, int]]:
    parts = [s for s in image.binary.segments if s.type == PT_LOAD and s.flags & PF_W]
    return [(s.vaddr + image.bias, s.vaddr + image.bias + s.memsz - 8) for s in parts]
