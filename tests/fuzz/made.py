"""Makes the files that are damaged: core, image and snapshot of one real process each, a dump of another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from goretain.capture.frozen.process import capture_process
from goretain.capture.imagefile.writer import write_image
from goretain.snapshot import save
from tests.fuzz.subjects import Made, debug_file, plan, read_core
from tests.support.corewriter import write_core
from tests.support.golang import go_program, running

#: Debug information that is not compressed can be damaged byte by byte.
PLAIN = "-ldflags=-compressdwarf=false"


@dataclass(frozen=True, slots=True)
class Program:
    """A zoo program on one Go version.

    Attributes:
        flags: of go build; twin: of its unstripped twin, () for none.
        cgo, experiments: as go_program has them.
        weight: share of the mutations; stripped programs take five times as long to read.
    """

    name: str
    source: str
    version: str
    flags: tuple[str, ...] = ()
    twin: tuple[str, ...] = ()
    cgo: bool = False
    experiments: tuple[str, ...] = ()
    weight: int = 4


#: What the formats differ by: heap bitmaps, both kinds of maps, DWARF 4 and 5, compressed or not, PIE,
#: threads and stacks of C, no debug information, debug information in another file.
PROGRAMS = (
    Program("oldest", "rootzoo", "1.21.13", (PLAIN,)),
    Program("swiss-pie", "planted", "1.24.11", (PLAIN, "-buildmode=pie")),
    Program("newest", "rootzoo", "1.27.3", (PLAIN,)),
    Program("stripped", "planted", "1.27.3", ("-ldflags=-s -w",), weight=1),
    Program("stripped-oldest", "planted", "1.21.13", ("-ldflags=-s -w",), weight=1),
    Program("classic", "planted", "1.24.11", experiments=("noswissmap",), weight=3),
    Program("cgo", "cgoroots", "1.25.5", cgo=True, weight=2),
    Program("twin", "planted", "1.26.6", ("-ldflags=-s -w",), twin=(PLAIN,), weight=1),
)
#: What ``make test`` damages.
FEW = tuple(program for program in PROGRAMS if program.name in ("swiss-pie", "newest", "stripped"))


def make(program: Program, folder: Path) -> Path:
    """Run the program, capture it; the path of a JSON file that says where everything is."""
    binary, twin = _built(program, program.flags), _built(program, program.twin) if program.twin else None
    core = folder / f"{program.name}.core"
    with running(binary) as target:
        image = capture_process(target.pid, plan, force=True)
    write_core(image, core)
    dumper, dump = _built(program, program.flags, "dumped"), folder / f"{program.name}.heapdump"
    with running(dumper, [str(dump)]):
        pass
    made = Made(
        name=program.name,
        binary=str(binary),
        twin=str(twin or ""),
        core=str(core),
        image=str(folder / f"{program.name}.image"),
        snapshot=str(folder / f"{program.name}.goretain"),
        dump=str(dump),
        dumper=str(dumper),
    )
    whole = read_core(made.core, made.binary, made.twin)
    save(whole, made.snapshot)
    image.debug = debug_file(image.binary, made.twin)
    pieces: list[bytes] = []
    write_image(image, pieces.append)
    Path(made.image).write_bytes(b"".join(pieces))
    listed = folder / f"{program.name}.json"
    listed.write_bytes(msgspec.json.encode(made))
    return listed


def _built(program: Program, flags: tuple[str, ...], source: str = "") -> Path:
    return go_program(
        source or program.source,
        program.version,
        experiments=program.experiments,
        flags=flags,
        cgo=program.cgo,
    )
