"""A stripped program with --binary UNSTRIPPED gives the very report of the unstripped program.

One process, three builds of one source. The process runs the stripped one. ``alike`` is unstripped and has
flags of as many letters, so that the linker puts everything where it is in the stripped one: its report on
the captured bytes is that of the unstripped program. ``plain`` is what a user would build: its sections lie
elsewhere, and with it as twin the report must be the same to the last byte.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import goretain
from goretain.api.snapshot import Snapshot
from goretain.capture.frozen.process import capture_process
from goretain.capture.image import Image
from goretain.capture.source import Plan
from goretain.debuginfo.beside.companion import find_debug_file
from goretain.debuginfo.elf.elf import SHF_ALLOC, SHF_WRITE, Elf
from goretain.golang.layout import open_layout
from goretain.golang.plan import lean_plan
from goretain.golang.read import read_heap
from goretain.model.errors import BinaryMismatch
from goretain.reports import json
from goretain.snapshot import Snapshot as Data
from tests.support.golang import VERSIONS, go_program, running, wait_until_blocked

#: Builds and links: flags, C linked in, flags of the linker.
_BUILDS: dict[str, tuple[tuple[str, ...], bool, str]] = {
    "plain": ((), False, ""),
    "trimpath": (("-trimpath",), False, ""),
    "buildid": ((), False, "-buildid="),
    "pie": (("-buildmode=pie",), False, ""),
    "external-pie": (("-buildmode=pie",), True, "-linkmode=external"),
}
_CASES = [
    pytest.param(
        version,
        program,
        build,
        id=f"{version}-{program}-{build}",
        marks=[] if (program, build) == ("planted", "plain") and version in _SHORT else pytest.mark.long,
    )
    for _SHORT in [(VERSIONS[0], VERSIONS[-1])]
    for version in VERSIONS
    for program, build in [
        *((program, "plain") for program in ("planted", "ways", "server")),
        *(("planted", build) for build in _BUILDS if build != "plain"),
    ]
]


def _build(program: str, version: str, build: str, link: str) -> Path:
    flags, cgo, linker = _BUILDS[build]
    text = " ".join(flag for flag in (linker, link) if flag)
    how = ("-buildvcs=false", *flags, *([f"-ldflags={text}"] if text else []))
    return go_program(program, version, flags=how, cgo=cgo)


@pytest.mark.parametrize(("version", "program", "build"), _CASES)
def test_a_twin_gives_the_report_of_the_unstripped_program(version: str, program: str, build: str) -> None:
    stripped = _build(program, version, build, "-s -w")
    alike = Elf.open(str(_build(program, version, build, "-f -f")))
    plain = _build(program, version, build, "")
    if build == "buildid":  # the build ID is one of the things that differ
        plain = _build(program, version, "plain", "")
    own = Elf.open(str(stripped))
    assert _places(alike) == _places(own)
    debug = find_debug_file(own, str(plain))
    assert debug is not None

    def plan_for(binary: Elf, bias: int) -> Plan:
        return lean_plan(open_layout(binary, debug), bias)

    with running(stripped) as target:
        wait_until_blocked(target.pid)
        image = capture_process(target.pid, plan_for)
    with_twin = read_heap(image, debug=debug)
    unstripped = read_heap(_of(image, alike))
    _same_snapshots(with_twin, unstripped)
    assert _report(with_twin) == _report(unstripped)


def _places(elf: Elf) -> dict[str, tuple[int, int]]:
    """Address and size of what is loaded; notes and what the C linker makes of them aside."""
    return {
        name: (section.address, section.size)
        for name, section in elf.sections.items()
        if section.flags & SHF_ALLOC and (section.flags & SHF_WRITE or name in (".text", ".rodata"))
    }


def _of(image: Image, binary: Elf) -> Image:
    """The same memory, said to be of another binary."""
    ranges = np.column_stack((image.starts, image.ends))
    return Image(
        image.memory,
        ranges,
        image.offsets,
        binary=binary,
        bias=image.bias,
        registers=image.registers,
        mappings=image.mappings,
        facts=image.facts,
    )


def _same_snapshots(a: Data, b: Data) -> None:
    for name in a.columns.__dataclass_fields__:
        assert np.array_equal(getattr(a.columns, name), getattr(b.columns, name)), name
    assert (a.types, a.roots, a.goroutines, a.strings) == (b.types, b.roots, b.goroutines, b.strings)


def _report(data: Data) -> str:
    report = Snapshot(data, "the process").why(top=1000)
    return json.render(report).replace(data.meta.build_id or "no build ID", "BUILD ID")


def test_the_command_takes_a_twin_of_a_process(capfd: pytest.CaptureFixture[str]) -> None:
    from goretain.cli.main import main

    stripped = go_program("planted", VERSIONS[-1], flags=("-ldflags=-s -w",))
    plain = go_program("planted", VERSIONS[-1])
    with running(stripped, env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        with pytest.raises(SystemExit) as ended:
            main(["why", str(target.pid), "--binary", str(plain)])
        report = goretain.why(target.pid, binary=plain)
        (holder,) = [h for h in report.holders if h.name == "main.pages"]
    assert ended.value.code == 0
    assert "main.pages" in capfd.readouterr().out
    assert (holder.retained_bytes, holder.retained_objects) == next(
        (int(size), int(count)) for name, size, count in target.facts["Retained"] if name == "main.pages"
    )


def test_another_build_is_refused_with_what_differs() -> None:
    stripped = Elf.open(str(go_program("planted", VERSIONS[-1], flags=("-ldflags=-s -w",))))
    other = go_program("planted", VERSIONS[0])
    with pytest.raises(BinaryMismatch, match=rf"go{VERSIONS[0]} instead of go{VERSIONS[-1]}"):
        find_debug_file(stripped, str(other))


def test_an_image_of_a_stripped_program_takes_a_twin_elsewhere(tmp_path: Path) -> None:
    """What was snapped of a stripped process is named by a build that never came near it."""
    stripped = go_program("planted", VERSIONS[-1], flags=("-ldflags=-s -w",))
    plain = go_program("planted", VERSIONS[-1])
    with running(stripped, env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        goretain.snap(target.pid, tmp_path / "app.image")
        live = goretain.open(target.pid, binary=plain)
    there = goretain.open(tmp_path / "app.image", binary=plain)
    rows = [
        [(h.name, h.retained_bytes, h.retained_objects) for h in look.holders() if h.name.startswith("main.")]
        for look in (there, live)
    ]
    assert rows[0] == rows[1]
    assert len(rows[0]) > 3
    assert [f.chain.text for f in there.findings()] == [f.chain.text for f in live.findings()]
