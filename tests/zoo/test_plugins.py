"""Memory that plugins hold is counted to the byte and named by the plugin's own debug information."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import goretain
from goretain.api import Snapshot
from goretain.golang.read import read_heap
from goretain.model.errors import MissingMemory
from tests.support.golang import VERSIONS, Target, go_program, release, running, wait_until_blocked
from tests.support.heaps import image_of

_PART = "goretain.test/zoo/pluginpart"
_SHORT = VERSIONS[-1]
_VERSIONS = [
    pytest.param(version, marks=[] if version == _SHORT else pytest.mark.long) for version in VERSIONS
]


def _plugin(version: str, *flags: str) -> Path:
    return go_program("pluginpart", version, flags=("-buildmode=plugin", *flags), cgo=True)


def _look(version: str, plugin: Path) -> tuple[Target, Snapshot]:
    host = go_program("pluginhost", version, cgo=True)
    with running(host, [str(plugin)], env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        return target, goretain.open(target.pid)


def _check_totals(target: Target, snapshot: Snapshot) -> None:
    """Difference 0 to MemStats, and nothing without a root."""
    coverage = snapshot.coverage()
    bytes_, objects = target.fact("HeapAlloc"), target.fact("HeapObjects")
    assert (coverage.enumerated.bytes, coverage.enumerated.objects) == (bytes_, objects)
    assert coverage.reached == coverage.enumerated


@pytest.mark.parametrize("version", _VERSIONS)
def test_globals_and_goroutines_of_a_plugin_are_named_with_their_bytes(version: str) -> None:
    target, snapshot = _look(version, _plugin(version))
    _check_totals(target, snapshot)
    holders = {h.name: h for h in snapshot.holders()}
    names = {name.removeprefix(f"{_PART}.") for name in holders}
    assert {"records", "books", "any_", "chain"} <= names
    ((size, _count),) = target.facts["Filled"]
    held = sum(holders[f"{_PART}.{name}"].retained_bytes for name in ("records", "books", "any_", "chain"))
    # The map's own header was there before.
    assert 0 <= held - int(size) <= 64
    assert holders[f"{_PART}.chain"].retained_objects == 200
    (waiter,) = [h for name, h in holders.items() if f"{_PART}.Wait" in name]
    assert waiter.retained_bytes >= 2 << 20
    types = {snapshot.data.types[row].name for row in snapshot.data.columns.object_type.tolist() if row >= 0}
    assert f"{_PART}.Record" in types
    chain = snapshot.chain(_first(snapshot, f"{_PART}.Record"))
    assert chain.text.startswith(_PART)


def test_a_stripped_plugin_is_named_by_its_twin_in_a_debug_directory(tmp_path: Path) -> None:
    shutil.copy(_plugin(_SHORT), tmp_path / "part.so")
    stripped = _plugin(_SHORT, "-ldflags=-s -w")
    host = go_program("pluginhost", _SHORT, cgo=True)
    with running(host, [str(stripped)], env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        without = goretain.open(target.pid)
        snapshot = goretain.open(target.pid, debug_dirs=[tmp_path])
    assert f"{_PART}.chain" not in {h.name for h in without.holders()}
    _check_totals(target, snapshot)
    holders = {h.name: h for h in snapshot.holders()}
    assert holders[f"{_PART}.chain"].retained_objects == 200
    assert {f"{_PART}.{name}" for name in ("records", "books", "any_")} <= set(holders)


@pytest.mark.skipif(shutil.which("gcore") is None, reason="gcore comes with gdb")
@pytest.mark.long
@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
def test_a_core_and_an_image_give_what_the_process_gave(version: str, tmp_path: Path) -> None:
    plugin = tmp_path / "part.so"
    shutil.copy(_plugin(version), plugin)
    host = go_program("pluginhost", version, cgo=True)
    with running(host, [str(plugin)], env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        live = goretain.open(target.pid)
        subprocess.run(["gcore", "-o", tmp_path / "core", str(target.pid)], check=True, capture_output=True)
        goretain.snap(target.pid, tmp_path / "app.image")
    core = tmp_path / f"core.{target.pid}"
    wanted = [(h.name, h.retained_bytes) for h in live.holders() if _PART in h.name]
    assert len(wanted) >= 5
    for snapshot in (goretain.open(core), goretain.open(tmp_path / "app.image")):
        _check_totals(target, snapshot)
        assert [(h.name, h.retained_bytes) for h in snapshot.holders() if _PART in h.name] == wanted
    plugin.unlink()
    with pytest.raises(MissingMemory, match="the function table of a plugin"):
        goretain.open(core)


def _first(snapshot: Snapshot, type_name: str) -> int:
    """An object of a type."""
    rows = [row for row, t in enumerate(snapshot.data.types) if t.name == type_name]
    return next(i for i, row in enumerate(snapshot.data.columns.object_type.tolist()) if row in rows)


@pytest.mark.long
@pytest.mark.parametrize("version", VERSIONS)
def test_a_stripped_plugin_is_counted_and_its_holders_have_places_for_names(version: str) -> None:
    plugin = _plugin(version, "-ldflags=-s -w")
    target, snapshot = _look(version, plugin)
    _check_totals(target, snapshot)
    ((size, _count),) = target.facts["Filled"]
    biggest = max(snapshot.holders(), key=lambda h: h.retained_bytes)
    assert biggest.name.startswith((f"{plugin.name} bss+", f"{plugin.name} data+"))
    assert 0.5 * int(size) < biggest.retained_bytes < int(size)


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_code_of_a_stripped_plugin_is_read_from_its_file_or_the_file_is_named(version: str) -> None:
    stripped = "-ldflags=-s -w"
    plugin = _plugin(version, stripped)
    host = go_program("pluginhost", version, flags=(stripped,), cgo=True)
    with running(host, [str(plugin)], env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        image = image_of(target.pid)
    known = read_heap(image)
    image.libraries = ()
    unknown = read_heap(image)
    assert not [note for note in known.meta.notes if "machine code of" in note]
    (note,) = [note for note in unknown.meta.notes if "machine code of" in note]
    assert str(plugin) in note
    held = [root.name for root in known.roots if root.name.startswith(f"{plugin.name} bss+0x")]
    assert held
    if release(version) >= (1, 22):  # objects of Go 1.21 have no malloc headers that prove their types
        assert f"map[string]*{_PART}.Record" in " ".join(held)
