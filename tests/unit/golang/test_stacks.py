"""Frames, location expressions, argument layout, stack objects and saved registers."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goretain.debuginfo.dwarf.dwarf import Dwarf
from goretain.debuginfo.elf.elf import Elf
from goretain.debuginfo.pclntab.pclntab import FuncTable
from goretain.golang.layout import Layout, Program
from goretain.golang.stacks.components import piece_offsets, split_part
from goretain.golang.stacks.locations import Piece, register_pieces, stack_pieces
from goretain.golang.stacks.spills import dictionary_position, spill_offsets
from goretain.golang.stacks.stacks import StackWords
from goretain.golang.stacks.stackscan import StackScan
from goretain.golang.stacks.threads import Place, interrupted
from goretain.golang.stacks.variables import extents
from goretain.golang.types.gcmask import mask_bits, program_bits
from goretain.golang.types.gotypes import GoField, GoType
from goretain.golang.types.universe import TypeUniverse
from goretain.model.errors import GoretainError, MissingMemory
from tests.support.golang import go_program
from tests.support.rootzoo import zoo


class Memory:
    """Bytes at one address."""

    def __init__(self, start: int, data: bytes) -> None:
        self.start, self.data = start, data

    def read(self, address: int, size: int) -> bytes:
        at = address - self.start
        if at < 0 or at + size > len(self.data):
            raise MissingMemory(address, size)
        return self.data[at : at + size]


_INT8, _WORD = GoType("int8", "int8", 1), GoType("int", "int", 8)
_POINTER = GoType("*int", "ptr", 8, elem_ref=_WORD)
_STRING, _SLICE = GoType("string", "string", 16), GoType("[]int", "slice", 24, elem_ref=_WORD)
_FLOAT = GoType("float64", "float64", 8)


def _struct(*types: GoType) -> GoType:
    fields, at = [], 0
    for i, t in enumerate(types):
        to = t.size if t.size in (1, 2, 4) else 8
        at = (at + to - 1) // to * to
        fields.append(GoField(f"f{i}", at, t))
        at += t.size
    return GoType("struct", "struct", (at + 7) // 8 * 8, fields=fields)


# --- frames


@pytest.mark.parametrize("state", ["quiet", "spin"])
def test_every_stack_is_followed_to_its_end(go_version: str, state: str) -> None:
    for goroutine in zoo(go_version, state).goroutines.live:
        assert goroutine.frames[-1].function == "runtime.goexit"
        assert goroutine.frames[-1].cfa <= goroutine.stack_high
        for below, above in zip(goroutine.frames, goroutine.frames[1:], strict=False):
            assert below.cfa == above.sp


def test_parked_frames_are_exact(go_version: str) -> None:
    parked = [g for g in zoo(go_version).goroutines.live if g.state == "waiting"]
    assert parked
    frames = [f for g in parked for f in g.frames if f.function != "main.panicking"]
    assert not any(f.conservative or f.exact for f in frames)


def test_a_function_that_faulted_continues_at_its_deferred_calls(go_version: str) -> None:
    frames = [f for g in zoo(go_version).goroutines.live for f in g.frames if f.function == "main.panicking"]
    assert [(f.exact, f.live) for f in frames] == [(True, True)]


# --- locations


def test_a_stack_home_is_an_offset_from_the_cfa() -> None:
    assert stack_pieces(bytes.fromhex("9168")) == [Piece(-24, 0, -1)]
    assert stack_pieces(bytes.fromhex("9c")) == [Piece(0, 0, -1)]
    assert stack_pieces(bytes.fromhex("91c000")) == [Piece(64, 0, -1)]


def test_parts_in_registers_are_left_out_but_counted() -> None:
    assert stack_pieces(bytes.fromhex("930891f8009308")) == [Piece(120, 8, 8)]
    assert stack_pieces(bytes.fromhex("5a93085b9308")) == []
    assert register_pieces(bytes.fromhex("5a93085b9308")) == [("r10", 0), ("r11", 8)]
    assert register_pieces(bytes.fromhex("53")) == [("rbx", 0)]


@given(st.binary(max_size=40))
def test_hostile_expressions_end(expression: bytes) -> None:
    assert len(stack_pieces(expression)) <= 20
    assert len(register_pieces(expression)) <= 40


def test_pieces_leave_padding_out() -> None:
    t = _struct(_INT8, _POINTER, _STRING)
    assert piece_offsets(t) == {0: 0, 1: 8, 9: 16, 17: 24}
    # int8 at -34, the pointer at -32, both words of the string side by side at -24
    pieces = [Piece(-34, 0, 1), Piece(-32, 1, 8), Piece(-24, 9, 8), Piece(-16, 17, 8)]
    assert extents(t, pieces) == [(0, 1, -34), (8, 32, -40)]


def test_parts_of_split_temporaries_are_told_by_their_names() -> None:
    byte, row = GoType("uint8", "uint8", 1), GoType("main.row", "struct", 48)
    to_byte, to_row = (GoType(f"*{t.name}", "ptr", 8, elem_ref=t) for t in (byte, row))
    name, t, offset = split_part(".autotmp_6.ptr", to_row) or ("", row, -1)
    assert (name, t.name, t.kind, t.elem, offset) == (".autotmp_6", "[]main.row", "slice", row, 0)
    name, t, offset = split_part(".autotmp_73.data", to_byte) or ("", row, -1)
    assert (name, t.kind, offset) == (".autotmp_73", "interface", 8)
    # fields of those names, variables of those names, parts that nothing follows
    others = [(".autotmp_5.data", to_row), (".autotmp_5", to_row), (".data", to_byte), ("ptr", to_row)]
    assert [split_part(name, t) for name, t in [*others, (".autotmp_6.len", row)]] == [None] * 5


def test_a_slice_with_its_length_elsewhere_is_not_whole() -> None:
    assert extents(_SLICE, [Piece(-24, 0, 8), Piece(-64, 8, 8)]) == [(0, 8, -24), (8, 16, -72)]


# --- arguments


def test_arguments_that_fit_registers_are_spilled_in_order() -> None:
    assert spill_offsets([_WORD, _STRING, _POINTER], []) == ([0, 8, 24], 32)
    assert spill_offsets([_INT8, _INT8, _POINTER], []) == ([0, 1, 8], 16)


def test_arrays_and_the_tenth_integer_go_to_the_stack_before_the_spill_area() -> None:
    array = GoType("[2]*int", "array", 16, count=2, elem_ref=_POINTER)
    assert spill_offsets([_WORD, array], [array]) == ([32, 0], 40)
    assert spill_offsets([_WORD] * 10, []) == ([8, 16, 24, 32, 40, 48, 56, 64, 72, 0], 80)
    assert spill_offsets([_FLOAT] * 16, []) == ([8 * i + 8 for i in range(15)] + [0], 128)


def test_generic_code_takes_a_dictionary_first_or_after_the_receiver() -> None:
    assert dictionary_position("main.Map[go.shape.int]") == 0
    assert dictionary_position("main.(*list[go.shape.int]).push") == 1
    assert dictionary_position("main.Map[go.shape.int].func1") == -1
    assert dictionary_position("main.Map[int]") == -1


def test_argument_homes_equal_those_that_the_compiler_wrote_down(go_version: str) -> None:
    """Oracle: parameters whose location is a stack home above the CFA, over all functions of a program."""
    binary = Elf.open(str(go_program("rootzoo", go_version)))
    universe = _types_of(binary)
    table = binary.sections[".gopclntab"]
    text = binary.symbols["runtime.text"].value
    functions = FuncTable.from_section(binary.section(".gopclntab"), table.address, text)
    same = other = 0
    for symbol in binary.symbols.values():
        function = (
            universe.descriptions.function_at(symbol.value) if symbol.name.startswith(_PACKAGES) else None
        )
        known = functions.find(symbol.value) if function is not None else None
        if function is None or known is None or dictionary_position(function.name) >= 0:
            continue
        own = [v for v in function.variables if v.is_parameter and not v.is_inlined]
        parameters = [v for v in own if not v.is_result]
        types = [universe.from_dwarf(v.type) for v in parameters]
        offsets, size = spill_offsets(types, [universe.from_dwarf(v.type) for v in own if v.is_result])
        if size != known.args:
            continue
        for variable, offset in zip(parameters, offsets, strict=True):
            homes = [p for _, _, e in variable.location for p in stack_pieces(e)]
            above = [p.cfa_offset for p in homes if p.size < 0 and p.cfa_offset >= 0]
            same += above[:1] == [offset]
            other += bool(above) and above[0] != offset
    assert same > 200
    # The compiler lets variables share homes now and then.
    assert other <= same // 200


_PACKAGES = ("runtime.", "main.", "reflect.", "strconv.", "syscall.", "os.", "time.")


def _types_of(binary: Elf) -> TypeUniverse:
    dwarf = Dwarf.open(binary, None)
    layout = Layout(binary, dwarf, "")
    module = binary.symbols["runtime.firstmoduledata"].value
    return TypeUniverse(Program(Memory(module, bytes(4096)), layout, 0), dwarf)


# --- stack objects


def test_only_variables_that_live_pointers_lead_to_are_scanned() -> None:
    low = 0xC000000000
    words = [0] * 32
    words[4] = low + 8 * 8  # first object points to the second
    words[8] = 0x1000  # the second holds something
    words[12] = 0x2000  # nobody points to the third
    words[16] = low + 8 * 20  # the fourth is found by a guess
    words[20] = 0x3000
    stack = StackWords(Memory(low, struct.pack("<32Q", *words)), low, low + 256)
    scan = StackScan(_no_program(), stack, low, low + 256)
    scan.add_objects([(low + 8 * i, low + 8 * i + 8, 0, (low + 8 * i,)) for i in (4, 8, 12, 16, 20)])
    scan.add_value(0, low + 8 * 4, "live")
    scan.add_value(0, low + 8 * 16, "guess", conservative=True)
    found = {(w.value, w.conservative) for w in scan.finish()}
    assert found == {(0x1000, False), (0x3000, True)}


def _no_program() -> Program:
    return Program.__new__(Program)


# --- signals


def test_registers_of_an_interrupted_goroutine_are_found_on_the_signal_stack() -> None:
    stack, text = (0xC000010000, 0xC000012000), 0x480000
    context = [*range(1, 16), stack[0] + 0x100, text]  # r8 ... rcx, rsp, rip
    start = 0xC000090000
    words = [7, 8, 9, *context, 0, 0]
    memory = Memory(start, struct.pack(f"<{len(words)}Q", *words))
    place = interrupted(memory, start, start + 8 * len(words), stack, lambda pc: pc == text)
    assert isinstance(place, Place)
    assert place.registers is not None
    assert (place.pc, place.sp) == (text, stack[0] + 0x100)
    assert place.registers["r8"] == 1
    assert place.registers["rcx"] == 15
    assert interrupted(memory, start, start + 8 * len(words), (1, 2), lambda pc: True) is None


# --- masks


def test_programs_expand_to_masks() -> None:
    # 3 literal bits 101, those 3 repeated 4 times, then 9 literal bits, end
    memory = Memory(0x1000, bytes([3, 0b101, 0x83, 4, 9, 0xFF, 0x01, 0]))
    bits = program_bits(memory, 0x1000, 30)
    expected = [1, 0, 1] * 5 + [1] * 9 + [0] * 6
    assert bits.astype(int).tolist() == expected


def test_long_repeats_are_counted_in_varints() -> None:
    memory = Memory(0x1000, bytes([1, 1, 0x80, 1, 0xE8, 0x07, 0]))  # one bit, repeated 1000 times
    assert program_bits(memory, 0x1000, 1001).all()


def test_a_program_that_repeats_what_it_never_wrote_is_an_error() -> None:
    with pytest.raises(GoretainError):
        program_bits(Memory(0x1000, bytes([0x88, 1, 0])), 0x1000, 8)


def test_the_binarys_gc_programs_equal_the_masks_that_the_runtime_made_of_them(go_version: str) -> None:
    captured = zoo(go_version)
    memory = captured.program.memory
    segments = [s for module in captured.stacks.modules for s in module.segments]
    assert len(segments) == 2
    for segment in segments:
        words = (segment.end - segment.start) // 8
        made = mask_bits(memory, segment.mask, words)
        assert made.any()
        assert (made == program_bits(memory, segment.gc_program, words)).all()


def test_masks_are_little_endian_bits() -> None:
    bits = mask_bits(Memory(0, bytes([0b10010110, 1])), 0, 9)
    assert bits.astype(int).tolist() == [0, 1, 1, 0, 1, 0, 0, 1, 1]
