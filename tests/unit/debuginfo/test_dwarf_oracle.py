"""DWARF as goretain reads it equals what pyelftools reads, for every type, global, constant and function."""

from __future__ import annotations

from pathlib import Path

import pytest

from goretain.debuginfo.dwarf.dwarf import Dwarf
from goretain.debuginfo.elf.elf import Elf
from tests.unit.debuginfo.oracle import Described


@pytest.fixture(scope="module")
def dwarf(program: Path) -> Dwarf:
    return Dwarf.open(Elf.open(str(program)), None)


def test_globals_have_the_names_addresses_and_types_of_the_oracle(dwarf: Dwarf, described: Described) -> None:
    ours = [(g.address, g.name, g.type) for g in dwarf.globals]
    assert sorted(ours) == described.globals
    assert [address for address, _, _ in ours] == sorted(address for address, _, _ in ours)
    assert len(ours) > 300


def test_types_equal_the_oracle_in_every_attribute_and_member(dwarf: Dwarf, described: Described) -> None:
    wrong = {}
    for offset, expected in described.types.items():
        t = dwarf.type(offset)
        members = tuple((m.name, m.offset, m.type) for m in t.members)
        row = (
            t.tag,
            t.name,
            t.size,
            t.elem,
            t.go_kind,
            t.go_runtime_type,
            t.go_key,
            t.go_elem,
            t.count,
            members,
        )
        if row != expected:
            wrong[offset] = (row, expected)
    assert not wrong
    assert len(described.types) > 1000


def test_runtime_type_offsets_lead_to_their_types(dwarf: Dwarf, described: Described) -> None:
    expected = {row[5]: offset for offset, row in described.types.items() if row[5]}
    assert expected
    assert {key: dwarf.type_by_runtime_offset(key) for key in expected} == expected
    assert dwarf.type_by_runtime_offset(0) is None


def test_every_named_type_is_found_by_its_name_and_described_there(
    dwarf: Dwarf, described: Described
) -> None:
    names = {row[1] for row in described.types.values() if row[1]}
    for name in names:
        offset = dwarf.type_by_name(name)
        assert offset is not None
        assert described.types[offset][1] == name
        alternatives = [row for row in described.types.values() if row[1] == name]
        if any(row[4] for row in alternatives):
            assert described.types[offset][4], f"{name} has an entry with a kind"


def test_functions_equal_the_oracle_in_range_name_and_variables(dwarf: Dwarf, described: Described) -> None:
    wrong = {}
    for low, (name, high, variables) in described.functions.items():
        f = dwarf.function_at(low)
        assert f is not None
        rows = [
            (
                v.name,
                v.type,
                v.is_parameter,
                v.is_inlined,
                v.closure_offset,
                v.location,
                v.is_result,
                v.inlined_from,
            )
            for v in f.variables
        ]
        if (f.name, f.low, f.high, rows) != (name, low, high, variables):
            wrong[name] = (f, high, variables)
        assert dwarf.function_at(high - 1) == f
        assert high in described.functions or dwarf.function_at(high) is None
    assert not wrong
    assert sum(len(variables) for _, _, variables in described.functions.values()) > 5000


def test_constants_equal_the_oracle(dwarf: Dwarf, described: Described) -> None:
    assert {name: dwarf.constant(name) for name in described.constants} == described.constants
    assert dwarf.constant("main.Answer") == 42
    assert dwarf.constant("main.Negative") == -7
    assert dwarf.constant("runtime._Gwaiting") == 4
