"""A stripped program is answered like an unstripped one: same objects, bytes and findings, almost all types.

Every program of the zoo that needs no helper, the experiments of all patterns, the demo's service.
One capture of a stripped process is read twice: as a user without more would have it, and with the debug
information of an unstripped build of the same source, so that every object is compared with itself.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import goretain
from goretain.debuginfo.beside.companion import find_debug_file
from goretain.diagnosis.diagnose import diagnose
from goretain.golang.layout import Program, open_layout
from goretain.golang.modules import read_modules
from goretain.golang.read import read_heap
from goretain.heap.heap import Heap
from goretain.snapshot import Layer, ObjectFlag, Snapshot, TypeInfo
from tests.support.experiments import IN_HEAPS
from tests.support.golang import VERSIONS, go_program, running, wait_until_blocked
from tests.support.heaps import image_of

Run = tuple[str, tuple[str, ...], str]
_DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"
#: The system's linker puts data below noptrdata, and takes no cgo to be asked for.
_EXTERNAL: Run = ("planted", (), "-s -w -linkmode=external -extldflags=-static")
#: Program (a folder of the zoo, a pattern's name, or service), arguments, flags of the linker.
_RUNS: tuple[Run, ...] = (
    ("planted", (), "-s -w"),
    _EXTERNAL,
    ("server", (), "-s -w"),
    ("ways", (), "-s -w"),
    ("exact", (), "-s -w"),
    ("planted", ("janitor", "handler", "second"), "-s -w"),
    ("planted", (), "-s"),
    ("planted", (), "-w"),
    *(
        (program, tuple(words.split()), "-s -w")
        for program, words in (
            ("healthy", ""),
            ("healthy", "doubtful"),
            ("rootzoo", "quiet"),
            ("rootzoo", "spin"),
            ("rootzoo", "queued"),
            ("exact", "spin"),
            ("exact", "unswept"),
            ("exact", "queued"),
            ("scheduler", ""),
            ("cgoroots", ""),
            ("heartbeat", os.devnull),
            ("growing", ""),
            ("churn", ""),
            ("churn", "stop"),
            ("busy", ""),
            ("busy", "load"),
            ("loaded", "serve"),
            ("secrets", ""),
            ("tiny", ""),
            ("guarded", ""),
            ("codezoo", ""),
            ("generic", ""),
            ("undescribed", ""),
            ("service", ""),
            *((pattern.name, mode) for pattern in IN_HEAPS for mode in ("leak", "fixed")),
        )
    ),
)
_SHORT = {("planted", (), "-s -w"), ("server", (), "-s -w"), ("undescribed", (), "-s -w"), _EXTERNAL}
_SOURCES = {"service": _DEMO / "service"} | {
    pattern.name: Path(str(pattern.files / "experiment")) for pattern in IN_HEAPS
}
_CGO = frozenset(("cgoroots", "heartbeat"))
#: They never rest: they are frozen wherever they are.
_RESTLESS = frozenset(("cgoroots", "heartbeat", "growing", "churn", "busy", "loaded", "scheduler", "secrets"))
_CASES = [
    pytest.param(
        (version, run),
        id=f"{version}-{'-'.join((run[0], *run[1]))}{run[2].replace(' ', '')}",
        marks=[] if version in (VERSIONS[0], VERSIONS[-1]) and run in _SHORT else pytest.mark.long,
    )
    for version in VERSIONS
    for run in _RUNS
]
#: Objects that may lose their type: what the library and the runtime make in any program (internal/godebug
#: keeps its settings in a sync.Map that only generic code refers to), and a share of what a service holds.
_LIBRARY, _LOST = 70, 0.001
#: Where more is lost, by version and program: sudogs and what hangs from locals that code says nothing of.
_LOST_BY = (
    {(version, "exact"): 800 for version in VERSIONS[:-1]}
    | {(version, "goroutine-blocked-forever"): 320 for version in VERSIONS[:-1]}
    | {(VERSIONS[-1], "exact"): 350}
)
#: Bytes that may be held by roots of another layer, of each layer the difference: maps (48 bytes each, six at
#: most) whose only referrer is a static without a symbol, which debug information gives to the program.
_OTHER_LAYER = 640
_ON_THE_WAY = 4096
#: Where it is more: an untyped sudog leads to the record of its goroutine; a pointer to an array takes the
#: two words behind it for a slice's.
_OTHER_LAYER_BY = (
    {(version, "exact"): 15_500 for version in VERSIONS[:-1]}
    | {(version, "goroutine-blocked-forever"): 9100 for version in VERSIONS[:-1]}
    | {(version, "secrets"): 2200 for version in VERSIONS[:3]}
    | {(VERSIONS[2], "service"): 2200}
)


@dataclass(slots=True)
class _Types:
    """Objects by what the two readings say of them: same type, unknown without debug information only, known
    without it only, or types that are not the same (with their names)."""

    same: int = 0
    lost: int = 0
    won: int = 0
    other: Counter[tuple[str, str]] = field(default_factory=Counter)


@cache
def _demo() -> ModuleType:
    """The demo's script, which knows how to start its service and to load it."""
    spec = importlib.util.spec_from_file_location("demo", _DEMO / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _read(version: str, run: Run) -> tuple[Heap, Heap]:
    """(as stripped, with debug information) of one capture."""
    program, arguments, link = run
    stripped = _build(program, version, link)
    if program == "service":
        with _demo().service(stripped) as (pid, port):
            _demo().load(port, part=0, rounds=20)
            image = image_of(pid)
    else:
        with running(stripped, arguments, env={"GOMAXPROCS": "1"}) as target:
            if program not in _RESTLESS and "spin" not in arguments:
                wait_until_blocked(target.pid)
            image = image_of(target.pid)
    unstripped = " ".join(flag for flag in link.split() if flag not in ("-s", "-w"))
    twin = find_debug_file(image.binary, str(_build(program, version, unstripped)))
    return Heap(read_heap(image)), Heap(read_heap(image, debug=twin))


def _build(program: str, version: str, link: str) -> Path:
    flags = ["-buildvcs=false", *([f"-ldflags={link}"] if link else [])]
    cgo = program in _CGO or "external" in link
    return go_program(_SOURCES.get(program, program), version, flags=flags, cgo=cgo)


def _findings(heap: Heap) -> Counter[tuple[object, ...]]:
    """Findings by all but names, and how often each."""
    return Counter(
        (f.code, f.confidence.level, f.count, f.saving_bytes, f.hidden_bytes, f.retained_bytes)
        for f in diagnose(heap).findings
    )


def _layers(heap: Heap) -> Counter[Layer]:
    """Bytes by the layer of roots that holds them, alone or shared."""
    nodes = heap.snapshot.roots
    held = Counter[Layer]()
    for holder in heap.holders:
        held[holder.layer] += holder.retained_bytes
    for shared in heap.shared:
        holders = shared.nodes or heap.other_roots(shared.example)  # not listed where they are many
        held[min(Layer(nodes[node].layer) for node in holders)] += shared.bytes
    return held


def _compare(bare: Snapshot, told: Snapshot, heap: Heap) -> _Types:
    """Tiny blocks are left out: they hold several objects, and either reading names one of them."""
    result = _Types()
    compared = heap.graph.reached & ((bare.columns.object_flags & ObjectFlag.TINY) == 0)
    ours_of, theirs_of = bare.columns.object_type[compared], told.columns.object_type[compared]
    for ours, theirs in zip(ours_of.tolist(), theirs_of.tolist(), strict=True):
        if ours < 0 and theirs < 0:
            continue
        if ours < 0:
            result.lost += 1
        elif theirs < 0:
            result.won += 1
        elif _same(bare.types[ours], told.types[theirs]):
            result.same += 1
        else:
            result.other[(told.types[theirs].name, bare.types[ours].name)] += 1
    return result


def _same(ours: TypeInfo, theirs: TypeInfo) -> bool:
    return _meaning(ours) == _meaning(theirs) or _less(theirs) or _shape(ours, theirs)


def _meaning(t: TypeInfo) -> str:
    """A type's name without what the program's own records do not keep: packages of the fields of unnamed
    structs, the direction of a channel, which a channel itself does not have."""
    name = re.sub(r"[\w.%/\-]*[/.](?=\w)", "", t.name.replace("noalg.", ""))
    return re.sub(r"^(<-chan|chan<-) ", "chan ", name)


def _less(t: TypeInfo) -> bool:
    """Whether debug information names only the shape that generic code is compiled for, or any channel."""
    return "go.shape" in t.name or t.name == "runtime.hchan"


def _shape(ours: TypeInfo, theirs: TypeInfo) -> bool:
    """Whether the first is what generic code is compiled for, for the second: the same type but for its type
    arguments, laid out alike."""
    generic = ours.name.partition("[")[0]
    return (
        "go.shape." in ours.name
        and theirs.name.partition("[")[0] == generic
        and (ours.size, ours.kind, ours.role) == (theirs.size, theirs.kind, theirs.role)
        and [(f.name, f.offset) for f in ours.fields] == [(f.name, f.offset) for f in theirs.fields]
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """One capture: read as stripped, and with debug information."""

    version: str
    run: Run
    bare: Heap
    told: Heap


@pytest.fixture(scope="module", params=_CASES)
def case(request: pytest.FixtureRequest) -> _Case:
    """One at a time: all of them at once are gigabytes."""
    version, run = request.param
    return _Case(version, run, *_read(version, run))


def test_a_stripped_program_is_answered_like_an_unstripped_one(case: _Case) -> None:
    bare, told = case.bare, case.told
    ours, theirs = bare.snapshot.columns, told.snapshot.columns
    assert (ours.object_address == theirs.object_address).all()
    assert (ours.object_size == theirs.object_size).all()
    assert (bare.graph.reached == told.graph.reached).all()
    assert bare.coverage.reached == told.coverage.reached
    assert bare.coverage.survived == told.coverage.survived
    assert _findings(bare) == _findings(told)


def test_objects_of_a_stripped_program_have_the_types_that_debug_information_says(case: _Case) -> None:
    bare, told = case.bare, case.told
    types = _compare(bare.snapshot, told.snapshot, bare)
    print(case.version, *case.run, bare.coverage.typed.share(bare.coverage.reached), types)
    assert types.other.total() <= 0.0001 * types.same, types.other.most_common(20)
    allowed = _LIBRARY + _LOST * bare.coverage.reached.objects
    assert types.lost <= _LOST_BY.get((case.version, case.run[0]), allowed)


def test_what_each_layer_of_roots_holds_is_the_same(case: _Case) -> None:
    ours, theirs = _layers(case.bare), _layers(case.told)
    assert (ours.keys() | theirs.keys()) <= set(Layer)
    difference = sum(abs(ours[layer] - theirs[layer]) for layer in Layer)
    print(case.version, *case.run, {layer.name: ours[layer] - theirs[layer] for layer in Layer})
    told_apart = case.run == _EXTERNAL  # the least shift shows that code in data was not asked
    allowed = _OTHER_LAYER_BY.get((case.version, case.run[0]), _OTHER_LAYER)
    if case.run[0] in _RESTLESS:  # what is on its way between goroutines when it is frozen
        allowed = max(allowed, _ON_THE_WAY)
    assert difference <= (0 if told_apart else allowed)


@pytest.mark.parametrize(
    "version",
    [pytest.param(v, marks=[] if v in (VERSIONS[0], VERSIONS[-1]) else pytest.mark.long) for v in VERSIONS],
)
def test_99_percent_of_a_stripped_server_s_objects_are_typed(version: str) -> None:
    stripped, described = (
        heap.coverage.typed.share(heap.coverage.reached) for heap in _read(version, ("server", (), "-s -w"))
    )
    assert stripped is not None
    assert described is not None
    print(f"Go {version}: {stripped[0]:.1%} of the objects typed, {described[0]:.1%} with debug information")
    assert stripped[0] >= 0.99


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
def test_globals_are_named_by_place_and_type_and_the_report_says_why(version: str) -> None:
    with running(_build("planted", version, "-s -w"), env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        snapshot = goretain.open(target.pid)
    names = {holder.name for holder in snapshot.heap.holders}
    for held in (r"\*main\.cache", r"\*main\.index", r"map\[int64\]main\.session", r"\*main\.link"):
        assert any(re.fullmatch(rf"(data|bss)\+0x[0-9a-f]+ \({held}\)", name) for name in names), held
    assert any(re.fullmatch(r"goroutine \d+ \[chan receive\] main\.waiter", name) for name in names)
    report = snapshot.why()
    assert "stripped" in report.look.features
    (note,) = [note for note in report.look.notes if "stripped" in note]
    assert re.search(r"\d\d\.\d % of the live objects have a type", note)
    assert "maps without a type are not counted" in note
    assert "--binary UNSTRIPPED" in note


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
def test_the_place_of_a_variable_and_a_path_of_bytes_lead_to_the_very_word(version: str) -> None:
    with running(_build("server", version, "-s -w"), env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        image = image_of(target.pid)
    snapshot = read_heap(image)
    program = Program(image, open_layout(image.binary), image.bias)
    starts = {segment.name: segment.start for segment in read_modules(program)[0].segments}
    columns, checked = snapshot.columns, 0
    for row, target_id in enumerate(columns.root_target.tolist()):
        name, path = snapshot.roots[columns.root_node[row]].name, snapshot.strings[columns.root_path[row]]
        found = re.fullmatch(r"(data|bss)\+0x([0-9a-f]+)(?:\+0x([0-9a-f]+))?", name + path)
        if found is None:
            continue
        word = image.uint(starts[found[1]] + int(found[2], 16) + int(found[3] or "0", 16))
        start = int(columns.object_address[target_id])
        assert start <= word < start + int(columns.object_size[target_id]), name + path
        checked += bool(found[3])
    assert checked
