"""Types from machine code against debug information, on real programs of every Go version."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from goretain.golang.code import Claim, CodeEvidence, ValueKind
from goretain.golang.code.roles import receiver_of
from tests.support.codeclaims import Opened, compare, compare_opened, open_binary
from tests.support.golang import VERSIONS, go_program, running, wait_until_blocked
from tests.support.heaps import root_targets, snapshot_of

_SHORT = (VERSIONS[0], VERSIONS[-1])
_BOTH = pytest.mark.parametrize("version", _SHORT)

#: Arrays of codezoo -> offset of what is known of an element, bytes between two, kind and type.
#: (mixed.of is an array in a struct in an array, which is not followed.)
_ARRAYS = {
    "ring": (0, 8, "POINTER", "main.node"),
    "grid": (0, 8, "MAP", "map[string]*main.node"),
    "rows": (0, 24, "SLICE", "*main.node"),
    "boxes": (0, 16, "IFACE", "main.loud"),
    "pairs": (8, 16, "POINTER", "main.node"),
    "mixed": (16, 24, "MAP", "map[int]int"),
    "inside": (8, 8, "POINTER", "main.node"),
    "masked": (0, 8, "CHANNEL", "chan *main.node"),
    "whole4": (0, 40, "RECEIVER", "main.registry"),
}


@cache
def _opened(version: str) -> Opened:
    return open_binary(go_program("codezoo", version))


def _claim(it: Opened, name: str, offset: int = 0) -> tuple[str, str]:
    """Kind and type name of what is claimed at an offset of a global."""
    claim: Claim = it.evidence.globals[it.elf.symbols[name].value + offset]
    t = it.universe.from_runtime(claim.type)
    return claim.kind.name, t.name if t is not None else ""


@_BOTH
@pytest.mark.parametrize(
    ("name", "offset", "kind", "type_name"),
    [
        ("main.pointer", 0, "POINTER", "main.node"),  # newobject in a function whose result is stored
        ("main.table", 0, "MAP", "map[string]*main.node"),  # used by mapassign
        ("main.counts", 0, "MAP", "map[int]int"),
        ("main.list", 0, "SLICE", "*main.node"),
        ("main.queue", 0, "CHANNEL", "chan *main.node"),
        ("main.failure", 0, "IFACE", "main.loud"),
        ("main.part", 8, "POINTER", "main.node"),
        ("main.static", 0, "POINTER", "main.registry"),  # an argument that is an interface
    ],
)
def test_globals_have_the_types_of_the_source(
    version: str, name: str, offset: int, kind: str, type_name: str
) -> None:
    assert _claim(_opened(version), name, offset) == (kind, type_name)


@_BOTH
def test_elements_of_arrays_that_are_indexed_by_variables_have_types(version: str) -> None:
    it = _opened(version)
    names = {it.elf.symbols[f"main.{name}"].value: name for name in _ARRAYS}
    found = set()
    for element in it.evidence.elements:
        start = max((at for at in names if at <= element.address), default=0)
        t = it.universe.from_runtime(element.claim.type)
        if start and t is not None:
            kind = element.claim.kind.name
            found.add((names[start], element.address - start, element.step, kind, t.name))
    found |= {
        (names[r.address], 0, r.step, "RECEIVER", r.type_name)
        for r in it.evidence.receivers
        if r.step and r.address in names
    }
    # What a method does with its receiver it does with every element that it is called on.
    found.discard(("whole4", 16, 40, "SLICE", "*main.node"))
    assert found == {(name, *said) for name, said in _ARRAYS.items()}
    sizes = {name: it.evidence.extents.get(at, 0) for at, name in names.items()}
    assert (sizes["ring"], sizes["grid"]) == (32, 48)


@_BOTH
def test_what_is_behind_a_global_pointer_to_a_type_without_a_record(version: str) -> None:
    it = _opened(version)
    assert it.universe.named("main.desk") is not None  # by debug information only
    hub = it.elf.symbols["main.hub"].value
    found = set()
    for behind in it.evidence.behind:
        t = it.universe.from_runtime(behind.claim.type)
        if behind.address == hub and t is not None:
            found.add((behind.path, behind.claim.kind.name, t.name))
    # Not what first holds: what code finds in an interface is of one type of many.
    assert found == {
        ((8,), "MAP", "map[string]*main.node"),
        ((16, 0), "SLICE", "*main.node"),
        ((16, 24), "CHANNEL", "chan *main.node"),
        ((16, 32), "IFACE", "main.loud"),
    }


@_BOTH
def test_func_values_and_interfaces_are_not_taken_for_pointers(version: str) -> None:
    it = _opened(version)
    assert _claim(it, "main.callback")[0] == "FUNC"
    assert it.elf.symbols["main.failure"].value + 8 not in it.evidence.globals
    assert it.elf.symbols["main.anything"].value not in it.evidence.globals


@_BOTH
def test_a_closure_is_the_struct_of_what_it_captured(version: str) -> None:
    it = _opened(version)
    t = it.universe.from_runtime(it.evidence.closures[it.elf.symbols["main.closureOf.func1"].value])
    assert t is not None
    assert [(f.offset, f.type.name) for f in t.fields] == [(0, "uintptr"), (8, "*main.node"), (16, "string")]
    bound = it.universe.from_runtime(it.evidence.closures[it.elf.symbols["main.(*node).add-fm"].value])
    assert bound is not None
    assert bound.fields[1].type.name == "*main.node"


@pytest.mark.parametrize("version", ["1.22.10", VERSIONS[-1]])
def test_captured_variables_are_followed_where_debug_information_does_not_name_them(version: str) -> None:
    """DW_AT_go_closure_offset came with Go 1.23, and leaves out what is taken apart, such as strings."""
    with running(go_program("codezoo", version)) as target:
        wait_until_blocked(target.pid)
        snapshot = snapshot_of(target.pid)
    ((_, closure),) = root_targets(snapshot, "main.callback")
    t = snapshot.types[int(snapshot.columns.object_type[closure])]
    assert t.name == "closure main.closureOf.func1"
    columns = snapshot.columns
    held = columns.edge_target[columns.edge_start[closure] : columns.edge_start[closure + 1]]
    assert "main.node" in {snapshot.types[int(columns.object_type[o])].name for o in held.tolist()}
    names = [f.name for f in t.fields]
    assert names == (["F", "X0", "X1"] if version == "1.22.10" else ["F", "n", "s"])


@_BOTH
def test_methods_called_on_globals_and_receivers_slots_are_told(version: str) -> None:
    it = _opened(version)
    whole = it.elf.symbols["main.whole"].value
    assert ("main.registry", False) in {
        (r.type_name, r.holds_pointer) for r in it.evidence.receivers if r.address == whole
    }
    row = int(np.searchsorted(it.functions.entries, it.elf.symbols["main.(*registry).put"].value))
    assert {(s.offset, s.receiver) for s in it.evidence.slots[row] if s.receiver} == {(0, "main.registry")}


@_BOTH
def test_a_pair_of_slots_is_an_interface_where_its_method_is_called(version: str) -> None:
    it = _opened(version)
    row = int(np.searchsorted(it.functions.entries, it.elf.symbols["main.lock"].value))
    assert [(s.offset, s.claim) for s in it.evidence.slots[row]] == [(0, Claim(ValueKind.IFACE, 0))]


@_BOTH
def test_references_lead_from_data_to_the_functions_that_name_it(version: str) -> None:
    it = _opened(version)
    refs = it.evidence.references
    rows = np.unique(refs.function[refs.address == it.elf.symbols["main.queue"].value])
    names = {found.name for r in rows.tolist() if (found := it.functions.find(int(it.functions.entries[r])))}
    assert names == {"main.main"}


def _same_as_debug_information(program: Path) -> None:
    found = compare(program)
    print(program.name, dict(found.right), "silent:", dict(found.silent), found.recall)
    assert found.wrong_claims == []
    assert found.right["global"] > 15
    assert found.right["slot"] > 20


@_BOTH
def test_no_claim_contradicts_debug_information(version: str) -> None:
    _same_as_debug_information(go_program("codezoo", version))


@pytest.mark.long
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("program", ["codezoo", "generic", "server", "planted"])
def test_no_claim_contradicts_debug_information_anywhere(program: str, version: str) -> None:
    _same_as_debug_information(go_program(program, version))


@_BOTH
def test_a_program_whose_names_were_changed_gives_less_but_no_wrong_claims(version: str) -> None:
    it = open_binary(go_program("codezoo", version), renamed=True)
    found = compare_opened(it)
    assert found.wrong_claims == []
    assert ValueKind.IFACE in {c.kind for c in it.evidence.globals.values()}
    assert not it.evidence.closures
    assert {s.claim and s.claim.kind for slots in it.evidence.slots.values() for s in slots} == {
        ValueKind.IFACE
    }
    assert len(it.evidence.references.address) > 1000


def test_a_function_table_that_leads_outside_of_the_code_is_bounded() -> None:
    """One function of 4 GB, all others past the end: only what the code needs is asked for."""
    it = _opened(VERSIONS[-1])
    text = it.elf.sections[".text"]
    entries = it.functions.entries.copy()
    it.functions.entries[len(entries) // 2 :] += 1 << 32
    try:
        evidence = CodeEvidence.read(
            np.frombuffer(it.elf.section(".text"), np.uint8),
            text.address,
            it.functions,
            data=(it.elf.sections[".noptrdata"].address, 1 << 47),
            types=(0, 1 << 47),
            read=it.elf.read_vaddr,
        )
    finally:
        it.functions.entries[:] = entries
    assert len(evidence.references.address) > 1000
    assert int(evidence.references.function.max()) <= len(entries) // 2


@pytest.mark.parametrize(
    ("function", "receiver"),
    [
        ("main.(*T).M", "main.T"),
        ("example.com/a%2eb.(*T).M", "example.com/a%2eb.T"),
        ("main.T.M", ""),
        ("main.(*T).M.func1", ""),
        ("main.(*T).M-fm", ""),
        ("main.(*T[...]).M", ""),
        ("main.(*T[go.shape.int]).M", "main.T[go.shape.int]"),
        ("main.(*T[go.shape.interface {},go.shape.int]).M", "main.T[interface {},go.shape.int]"),
        ("main.(*T[go.shape.string,go.shape.*uint8]).M", "main.T[go.shape.string,go.shape.*uint8]"),
        ("main.(*T[go.shape.int]).M.func1", ""),
        ("main.(*T[go.shape.interface {},go.shape.interface {}]).M", "main.T[interface {},interface {}]"),
        ("main.(*T[go.shape.interface {}]).M.func1", ""),
        ("main.f", ""),
    ],
)
def test_receivers_by_name(function: str, receiver: str) -> None:
    assert receiver_of(function) == receiver
