"""The files of tests/golden/formats: an image and a snapshot of each version of the formats, kept for ever.

``python -m tests.support.formats image`` or ``snapshot`` writes those of the present version, which is right
only when it is new. The program is tests/zoo/tiny, stripped, and its machine code is zeros, so that the
image is small; a snapshot is of the newest image and, so that nothing is missing, has some made-up rows.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from goretain.capture.image import Image
from goretain.capture.imagefile import blocks
from goretain.capture.imagefile.reader import read_image
from goretain.debuginfo.elf.elf import PF_X, PT_LOAD, Elf
from goretain.debuginfo.elf.files import PreadFile
from goretain.golang.read import read_heap
from goretain.snapshot import (
    Columns,
    Layer,
    ObjectFlag,
    RootFlag,
    Snapshot,
    SpecialKind,
    TimerFlag,
    WaitKind,
    WindowKind,
    layout,
    save,
)
from goretain.snapshot.groups import GROUP_DTYPES
from goretain.snapshot.tables import (
    Frame,
    Goroutine,
    HeapTotals,
    Memory,
    Meta,
    RootNode,
    Site,
    TypeField,
    TypeInfo,
)
from tests.support.golang import go_program, wait_until_blocked
from tests.support.heaps import image_of
from tests.support.imageblocks import with_tail
from tests.support.images import image_bytes, made_image, with_companions
from tests.unit.snapshot.synthetic import add_groups

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "formats"
IMAGE, SNAPSHOT = GOLDEN / f"image-{blocks.VERSION}", GOLDEN / f"snapshot-{layout.VERSION}"
_GO = "1.21.13"


class _WithoutCode:
    """A program's file whose machine code reads as zeros."""

    def __init__(self, path: str) -> None:
        self._file = PreadFile.open(path)
        self.path, self.size = path, self._file.size
        segments = Elf(self._file).segments
        (code,) = (s for s in segments if s.type == PT_LOAD and s.flags & PF_X)
        self._code = code.offset + 4096, code.offset + code.filesz

    def read(self, offset: int, size: int) -> bytes:
        content = bytearray(self._file.read(offset, size))
        start, end = (min(max(at - offset, 0), size) for at in self._code)
        content[start:end] = bytes(end - start)
        return bytes(content)

    def close(self) -> None:
        self._file.close()


def content_of(image: Image) -> dict[str, Any]:
    """What an image holds, its memory and files as digests."""
    sizes = image.ends - image.starts
    ranges = zip(image.starts.tolist(), sizes.tolist(), strict=True)
    facts = msgspec.to_builtins(image.facts)
    return {
        "facts": facts,
        "bias": image.bias,
        "registers": {str(tid): values for tid, values in sorted(image.registers.items())},
        "mappings": [[m.start, m.end, m.flags, m.offset, m.path] for m in image.mappings],
        "memory": [[start, size, _digest(image.read(start, size))] for start, size in ranges],
        "segments": [_digest(image.binary.read(s.offset, s.filesz)) for s in image.binary.segments],
        "sections": sorted(image.binary.sections),
        "go": image.binary.go_version,
        "build_id": image.binary.go_build_id,
    }


def content_of_snapshot(snapshot: Snapshot, path: Path = SNAPSHOT) -> dict[str, Any]:
    """What a snapshot holds, its columns as digests; path: of its version's golden file."""
    # A field that a table gains later is not part of what the version of the file promised.
    known = json.loads(path.with_suffix(".layout.json").read_text())["tables"]
    groups = {"columns": layout.DTYPES} | GROUP_DTYPES
    columns = {
        name: _digest(np.ascontiguousarray(getattr(getattr(snapshot, group), name)).tobytes())
        for group, names in groups.items()
        if getattr(snapshot, group) is not None
        for name in names
    }
    names = [*layout.TABLES, *(n for n in layout.OPTIONAL_TABLES if getattr(snapshot, n) is not None)]
    tables = {name: _digest(_canonical(getattr(snapshot, name), known)) for name in names}
    return {"columns": columns, "tables": tables}


def _canonical(table: Any, known: dict[str, Any]) -> bytes:
    def plain(value: Any) -> Any:
        if isinstance(value, msgspec.Struct):
            return {name: plain(getattr(value, name)) for name in sorted(known[type(value).__name__])}
        return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value

    return json.dumps(plain(table), sort_keys=True).encode()


def image_layout(raw: bytes) -> list[str]:
    """The blocks of an image file as lines: kind, place, bytes and digest of the content; facts by key."""
    lines = [raw[: blocks.PREAMBLE].hex()]
    for kind, place, content in with_tail(raw):
        if kind == blocks.FACT:
            lines.append(f"FACT {' '.join(json.loads(content))}")
        elif kind == blocks.TAIL:  # its digest is of bytes that zlib chose
            lines.append(f"TAIL {content[:8].hex()} {len(content)}")
        else:
            lines.append(f"{kind.decode()} {place} {len(content)} {_digest(content)}")
    return lines


def snapshot_layout() -> dict[str, Any]:
    """Sections, numbers with a meaning, and the fields of the tables of a snapshot file."""
    structs = (TypeField, TypeInfo, RootNode, Frame, Goroutine, HeapTotals, Meta, Memory, Site)
    enums = (Layer, ObjectFlag, WindowKind, RootFlag, WaitKind, SpecialKind, TimerFlag)
    return {
        "sections": [[name, layout.MSGPACK] for name in layout.TABLES]
        + [[name, layout.DTYPES[name]] for name in Columns.names()],
        "optional": {name: {name: layout.MSGPACK} for name in layout.OPTIONAL_TABLES} | GROUP_DTYPES,
        "numbers": {enum.__name__: {member.name: member.value for member in enum} for enum in enums},
        "tables": {s.__name__: {f.name: _type(f) for f in msgspec.structs.fields(s)} for s in structs},
    }


def _type(field: msgspec.structs.FieldInfo) -> str:
    """Type and whether a file may lack it."""
    kind = getattr(field.type, "__name__", None) if isinstance(field.type, type) else str(field.type)
    return f"{kind} {'required' if field.required else 'optional'}".replace("goretain.snapshot.tables.", "")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def write_image() -> None:
    """Write the files of the present version of images."""
    # No environment and no paths of this machine become part of files that are published.
    binary = go_program("tiny", _GO, flags=["-ldflags=-s -w", "-trimpath"])
    with subprocess.Popen([binary], env={"GOMAXPROCS": "1"}, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()
        wait_until_blocked(process.pid)
        image = image_of(process.pid)
        process.kill()
    image.facts.program, image.facts.pid = "/srv/tiny", 42
    image.mappings = [replace(m, path=m.path.replace(str(binary), "/srv/tiny")) for m in image.mappings]
    image.binary = Elf(_WithoutCode(str(binary)))
    IMAGE.with_suffix(".image").write_bytes(image_bytes(image))
    _write_json(IMAGE.with_suffix(".json"), content_of(read_image(IMAGE.with_suffix(".image"))))
    with contextlib.chdir(tempfile.mkdtemp()):  # paths of files become part of an image
        lines = image_layout(image_bytes(with_companions(made_image(Path()), Path())))
    IMAGE.with_suffix(".layout.txt").write_text("\n".join(lines) + "\n")


def write_snapshot() -> None:
    """Write the files of the present version of snapshots."""
    snapshot = read_heap(read_image(IMAGE.with_suffix(".image")))
    add_groups(snapshot, 0)
    _write_json(SNAPSHOT.with_suffix(".layout.json"), snapshot_layout())
    save(snapshot, SNAPSHOT.with_suffix(".goretain"))
    _write_json(SNAPSHOT.with_suffix(".json"), content_of_snapshot(snapshot))


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    {"image": write_image, "snapshot": write_snapshot}[sys.argv[1]]()
