"""Debug information beside the program is found where gdb finds it, checked, and gives the same report."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import goretain
from goretain.api.snapshot import Snapshot
from goretain.debuginfo.beside.companion import find_debug_file
from goretain.debuginfo.elf.elf import Elf
from goretain.model.errors import BinaryMismatch, UsageError
from tests.support.golang import VERSIONS, Target, go_program, running, wait_until_blocked

#: The oldest has only the Go build ID, the newest a GNU build ID too.
_VERSIONS = (VERSIONS[0], VERSIONS[-1])
_NO_BINUTILS = shutil.which("objcopy") is None
pytestmark = pytest.mark.skipif(_NO_BINUTILS, reason="objcopy comes with binutils")


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _stripped(version: str, folder: Path, *how: str) -> tuple[Path, Path]:
    """A program stripped after linking, and its debug file elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = go_program("planted", version)
    program, debug = folder / "app", folder.parent / "split" / "app.debug"
    debug.parent.mkdir(exist_ok=True)
    _run("objcopy", "--only-keep-debug", whole, debug)
    _run("strip", *how, "-o", program, whole)
    return program, debug


def _by_build_id(program: Path, debug: Path, folder: Path) -> list[Path]:
    identity = Elf.open(str(debug)).gnu_build_id
    if not identity:  # before Go 1.24: any file of a directory with the same Go build ID
        shutil.copy(debug, folder / "some.file")
        return [folder]
    place = folder / ".build-id" / identity[:2] / f"{identity[2:]}.debug"
    place.parent.mkdir(parents=True)
    shutil.copy(debug, place)
    return [folder]


def _by_link(program: Path, debug: Path, folder: Path) -> list[Path]:
    """A link in the program, the file in .debug beside it; no directory need be named."""
    beside = program.parent / ".debug"
    beside.mkdir()
    shutil.copy(debug, beside)
    _run("objcopy", f"--add-gnu-debuglink={beside / debug.name}", program)
    return []


def _by_name(program: Path, debug: Path, folder: Path) -> list[Path]:
    _run("objcopy", "--compress-debug-sections=zlib", debug, folder / f"{program.name}.debug")
    return [folder]


_WAYS: list[Callable[[Path, Path, Path], list[Path]]] = [_by_build_id, _by_link, _by_name]


def _check(target: Target, snapshot: Snapshot) -> None:
    """Names and bytes as the program itself measured them."""
    holders = {h.name: h for h in snapshot.holders()}
    for name, size, count in target.facts["Retained"]:
        assert (holders[name].retained_bytes, holders[name].retained_objects) == (int(size), int(count)), name


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize("way", _WAYS)
def test_a_split_debug_file_is_found(
    version: str, way: Callable[[Path, Path, Path], list[Path]], tmp_path: Path
) -> None:
    program, debug = _stripped(version, tmp_path / "bin", "--strip-all")
    places = tmp_path / "places"
    places.mkdir()
    directories = way(program, debug, places)
    with running(program, env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        _check(target, goretain.open(target.pid, debug_dirs=directories))


def test_the_debug_file_itself_may_be_given_and_symbols_may_stay_in_the_program(tmp_path: Path) -> None:
    program, debug = _stripped(VERSIONS[-1], tmp_path / "bin", "--strip-debug")
    _run("strip", "--strip-unneeded", "--keep-section=.debug_*", debug)
    with running(program, env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        _check(target, goretain.open(target.pid, binary=debug))


@pytest.mark.parametrize("way", _WAYS)
def test_the_debug_file_of_another_build_is_not_used(
    way: Callable[[Path, Path, Path], list[Path]], tmp_path: Path
) -> None:
    program, _ = _stripped(VERSIONS[-1], tmp_path / "bin", "--strip-all")
    _, other = _stripped(VERSIONS[-2], tmp_path / "other", "--strip-all")
    places = tmp_path / "places"
    places.mkdir()
    directories = [str(path) for path in way(program, other, places)]
    assert find_debug_file(Elf.open(str(program)), None, directories) is None
    with pytest.raises(BinaryMismatch, match=r"holds the debug information of another build"):
        find_debug_file(Elf.open(str(program)), str(other))


def test_the_target_sees_its_own_debug_files(tmp_path: Path) -> None:
    """A program in a container: its paths begin at its own root."""
    program, debug = _stripped(VERSIONS[-1], tmp_path / "root" / "srv", "--strip-all")
    own = Elf.open(str(program))
    place = tmp_path / "root" / "usr" / "lib" / "debug" / ".build-id" / own.gnu_build_id[:2]
    place.mkdir(parents=True)
    assert find_debug_file(own, name="/srv/app", roots=(str(tmp_path / "root"), "")) is None
    shutil.copy(debug, place / f"{own.gnu_build_id[2:]}.debug")
    found = find_debug_file(own, name="/srv/app", roots=(str(tmp_path / "root"), ""))
    assert found is not None
    assert found.path.startswith(str(tmp_path / "root"))


def test_equal_build_ids_of_different_programs_are_no_proof() -> None:
    fixed = ("-buildvcs=false", "-ldflags=-buildid=fixed -B none")
    one, other = (go_program(name, VERSIONS[-1], flags=fixed) for name in ("planted", "ways"))
    with pytest.raises(BinaryMismatch, match="not built from the same source"):
        find_debug_file(Elf.open(str(one)), str(other))


def test_a_debug_link_to_a_file_that_was_changed_is_not_followed(tmp_path: Path) -> None:
    program, debug = _stripped(VERSIONS[0], tmp_path / "bin", "--strip-all")
    _by_link(program, debug, tmp_path)
    assert find_debug_file(Elf.open(str(program))) is not None
    with (program.parent / ".debug" / debug.name).open("ab") as file:
        file.write(b"\0")
    rejected: list[str] = []
    assert find_debug_file(Elf.open(str(program)), rejected=rejected) is None
    (reason,) = rejected
    assert reason.endswith("has another checksum than the program's .gnu_debuglink says")
    with running(program) as target:
        wait_until_blocked(target.pid)
        assert any(debug.name in note and "checksum" in note for note in goretain.open(target.pid).meta.notes)
        (described,) = [c for c in goretain.doctor(target.pid).checks if c.name == "debug info"]
    assert described.status == "warning"
    assert f"{program.parent / '.debug' / debug.name} has another checksum" in described.found


def test_what_cannot_be_debug_information_is_refused_with_the_reason(tmp_path: Path) -> None:
    program, debug = _stripped(VERSIONS[-1], tmp_path / "bin", "--strip-all")
    own = Elf.open(str(program))
    with pytest.raises(BinaryMismatch, match="has no debug information itself"):
        find_debug_file(own, str(program))
    with pytest.raises(UsageError, match="cannot open"):
        find_debug_file(own, str(tmp_path / "nowhere"))
    (tmp_path / "alt").write_bytes(b"common.debug\0" + bytes(20))
    _run("objcopy", f"--add-section=.gnu_debugaltlink={tmp_path / 'alt'}", debug)
    with pytest.raises(BinaryMismatch, match="compressed with dwz"):
        find_debug_file(own, str(debug))


@pytest.mark.skipif(shutil.which("gcore") is None, reason="gcore comes with gdb")
def test_a_core_takes_its_program_or_the_twin_of_it(tmp_path: Path) -> None:
    program = tmp_path / "app"
    shutil.copy(go_program("planted", VERSIONS[-1], flags=("-ldflags=-s -w",)), program)
    twin = go_program("planted", VERSIONS[-1])
    with running(program, env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        _run("gcore", "-o", tmp_path / "core", str(target.pid))
    core = tmp_path / f"core.{target.pid}"
    _check(target, goretain.open(core, binary=twin))
    shutil.copy(twin, tmp_path / "twins")
    (tmp_path / "dir").mkdir()
    shutil.copy(twin, tmp_path / "dir" / "app")
    _check(target, goretain.open(core, binary=program, debug_dirs=[tmp_path / "dir"]))
    program.unlink()
    with pytest.raises(BinaryMismatch, match="which is not here") as failed:
        goretain.open(core, binary=twin)
    assert "--debug-dir" in failed.value.hint
