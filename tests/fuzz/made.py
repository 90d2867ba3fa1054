"""Makes the files that are damaged: core, image and snapshot of one real process each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from goretain.capture.core import capture_core
from goretain.capture.imagefile.writer import write_image
from goretain.capture.process import capture_process
from goretain.golang.read import read_heap
from goretain.snapshot import save
from tests.fuzz.subjects import Made
from tests.support.corewriter import write_core
from tests.support.golang import go_program, running
from tests.support.heaps import plan_for

#: Debug information that is not compressed can be damaged byte by byte.
PLAIN = "-ldflags=-compressdwarf=false"


@dataclass(frozen=True, slots=True)
class Program:
    """A zoo program on one Go version, with flags of go build."""

    name: str
    source: str
    version: str
    flags: tuple[str, ...]


#: What the formats differ by: heap bitmaps, both kinds of maps, DWARF 4 and 5, PIE, no debug information.
PROGRAMS = (
    Program("oldest", "rootzoo", "1.21.13", (PLAIN,)),
    Program("swiss-pie", "planted", "1.24.11", (PLAIN, "-buildmode=pie")),
    Program("newest", "rootzoo", "1.27.3", (PLAIN,)),
    Program("stripped", "planted", "1.27.3", ("-ldflags=-s -w",)),
    Program("stripped-oldest", "planted", "1.21.13", ("-ldflags=-s -w",)),
)


def make(program: Program, folder: Path) -> Path:
    """Run the program, capture it; the path of a JSON file that says where everything is."""
    binary = go_program(program.source, program.version, flags=program.flags)
    with running(binary) as target:
        image = capture_process(target.pid, plan_for, force=True)
    core = folder / f"{program.name}.core"
    write_core(image, core)
    snapshot = folder / f"{program.name}.goretain"
    save(read_heap(capture_core(str(core), str(binary), plan_for, force=True), with_data=True), snapshot)
    path = folder / f"{program.name}.image"
    pieces: list[bytes] = []
    write_image(image, pieces.append)
    path.write_bytes(b"".join(pieces))
    made = Made(program.name, str(binary), str(core), str(path), str(snapshot))
    listed = folder / f"{program.name}.json"
    listed.write_bytes(msgspec.json.encode(made))
    return listed
