"""Types from machine code against debug information, on real programs of every Go version."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from goretain.golang.code import Claim, CodeEvidence, ValueKind
from goretain.golang.code.roles import receiver_of
from tests.support.codeclaims import Opened, compare, open_binary
from tests.support.golang import VERSIONS, go_program

_SHORT = (VERSIONS[0], VERSIONS[-1])
_BOTH = pytest.mark.parametrize("version", _SHORT)


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
    ],
)
def test_globals_have_the_types_of_the_source(
    version: str, name: str, offset: int, kind: str, type_name: str
) -> None:
    assert _claim(_opened(version), name, offset) == (kind, type_name)


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
    assert found.right["global"] > 20
    assert found.right["slot"] > 30


@_BOTH
def test_no_claim_contradicts_debug_information(version: str) -> None:
    _same_as_debug_information(go_program("codezoo", version))


@pytest.mark.long
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("program", ["codezoo", "server", "planted"])
def test_no_claim_contradicts_debug_information_anywhere(program: str, version: str) -> None:
    _same_as_debug_information(go_program(program, version))


@_BOTH
def test_a_program_whose_names_were_changed_gives_no_wrong_claims(version: str) -> None:
    """Without known names of the runtime there is nothing to claim but what needs none."""
    it = _opened(version)

    class Renamed:
        entries = it.functions.entries

        @staticmethod
        def columns() -> object:
            made = it.functions.columns()
            made.names[:] = [f"x{i}" for i in range(len(made.names))]
            return made

    elf = it.elf
    text = elf.sections[".text"]
    evidence = CodeEvidence.read(
        np.frombuffer(elf.section(".text"), np.uint8),
        text.address,
        Renamed(),  # type: ignore[arg-type]  # the same table under other names
        data=(elf.sections[".noptrdata"].address, elf.sections[".noptrbss"].address),
        types=(it.universe.program.moduledata("types"), it.universe.program.moduledata("etypes")),
        read=elf.read_vaddr,
    )
    assert {c.kind for c in evidence.globals.values()} <= {ValueKind.IFACE}
    assert not evidence.closures
    assert not evidence.slots
    assert len(evidence.references.address) > 1000


@pytest.mark.parametrize(
    ("function", "receiver"),
    [
        ("main.(*T).M", "main.T"),
        ("example.com/a%2eb.(*T).M", "example.com/a%2eb.T"),
        ("main.T.M", ""),
        ("main.(*T).M.func1", ""),
        ("main.(*T).M-fm", ""),
        ("main.(*T[...]).M", ""),
        ("main.f", ""),
    ],
)
def test_receivers_by_name(function: str, receiver: str) -> None:
    assert receiver_of(function) == receiver
