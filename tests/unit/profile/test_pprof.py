"""The reader of profile.proto on messages that a test makes: fields that Go does not write, and damage."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from goretain.model.errors import CorruptFile
from goretain.profile.columns import Label, ValueType
from goretain.profile.message import profile_class
from goretain.profile.readers.pprof.protobuf import read_pprof
from goretain.profile.readers.read import read_contents
from goretain.profile.sources.source import Source
from goretain.snapshot import Frame

TEXTS = (
    "", "alloc_objects", "count", "alloc_space", "bytes", "inuse_objects", "inuse_space",  # 0 .. 6
    "main.F", "/src/main.go", "main.inlined", "libc.so.6", "tenant", "acme", "request",
    "gopkg.in/yaml%2ev3.Load", "space",
)  # fmt: skip


def message() -> Any:
    """A heap profile of three samples, one of them in code without symbols."""
    made = profile_class()()
    made.string_table.extend(text.encode() for text in TEXTS)
    for kind, unit in ((1, 2), (3, 4), (5, 2), (6, 4)):
        made.sample_type.add(type=kind, unit=unit)
    made.period_type.type, made.period_type.unit = 15, 4
    made.period = 524288
    made.time_nanos, made.duration_nanos = 1_700_000_000_000_000_000, 30
    made.mapping.add(id=1, filename=8, build_id=12)
    made.mapping.add(id=9, filename=10)
    made.function.add(id=5, name=7, filename=8, system_name=7, start_line=3)
    made.function.add(id=6, name=9, filename=8)
    made.function.add(id=1 << 63, name=14)
    both = made.location.add(id=77, mapping_id=1, address=0x1000)
    both.line.add(function_id=6, line=10, column=4)
    both.line.add(function_id=5, line=20)
    made.location.add(id=78, mapping_id=1, address=0x2000).line.add(function_id=1 << 63, line=-1)
    made.location.add(id=3, mapping_id=9, address=0x7000)
    first = made.sample.add(location_id=[77, 78], value=[10, 640, 1, 64])
    first.label.add(key=4, num=64)
    first.label.add(key=11, str=12)
    made.sample.add(location_id=[3], value=[0, 0, -1, -5]).label.add(key=13, num=4096, num_unit=4)
    made.sample.add(value=[1, 2, 3, 4])
    made.comment.append(11)
    made.default_sample_type = 6
    return made


def read(made: Any) -> Any:
    return read_pprof(made.SerializeToString(), "made.pb")


def test_every_field_arrives() -> None:
    profile = read(message())
    assert profile.types[3] == ValueType("inuse_space", "bytes")
    assert profile.is_heap
    frames = [profile.stacks.frames(stack) for stack in profile.stack]
    assert frames == [
        (
            Frame("main.inlined", "/src/main.go", 10),
            Frame("main.F", "/src/main.go", 20),
            Frame("gopkg.in/yaml.v3.Load", "", -1),
        ),
        (Frame("", "libc.so.6"),),
        (),
    ]
    assert profile.values.tolist() == [[10, 640, 1, 64], [0, 0, -1, -5], [1, 2, 3, 4]]
    assert profile.object_size.tolist() == [64, -1, -1]
    labels = [profile.label_sets[number] for number in profile.label_set]
    assert labels == [(Label("tenant", "acme"),), (Label("request", 4096, "bytes"),), ()]
    assert (profile.period_type, profile.period) == (ValueType("space", "bytes"), 524288)
    assert (profile.time_ns, profile.duration_ns) == (1_700_000_000_000_000_000, 30)
    assert (profile.program, profile.build_id) == ("/src/main.go", "acme")
    assert (profile.comments, profile.default_type) == (("tenant",), "inuse_space")


def test_what_is_not_said_is_unknown() -> None:
    made = profile_class()()
    made.string_table.extend((b"", b"goroutine", b"count", b"\xff\xfe"))
    made.sample_type.add(type=1, unit=2)
    profile = read(made)
    assert (profile.period, profile.period_type, profile.time_ns, profile.duration_ns) == (None,) * 4
    assert (len(profile.stack), len(profile.stacks), profile.values.shape) == (0, 0, (0, 1))
    assert profile.column("inuse_space") is None


def test_the_same_frames_are_one_stack_whatever_their_addresses() -> None:
    made = message()
    again = made.location.add(id=1000, mapping_id=1, address=0x9999)
    again.line.add(function_id=6, line=10)
    again.line.add(function_id=5, line=20)
    made.sample.add(location_id=[1000, 78], value=[1, 1, 1, 1])
    profile = read(made)
    assert profile.stack[3] == profile.stack[0]


DAMAGE: dict[str, Callable[[Any], Any]] = {
    "sample 0: there is no location 99": lambda m: m.sample[0].location_id.append(99),
    "sample 2: 3 values, where there are 4 types": lambda m: m.sample[2].value.pop(),
    "sample 1: there is no text 16 among 16": lambda m: m.sample[1].label.add(key=16, num=1),
    "function 1: there is no text -2 among 16": lambda m: setattr(m.function[1], "name", -2),
    "location 1: there is no function 4": lambda m: setattr(m.location[1].line[0], "function_id", 4),
    "sample_type 3: there is no text 1000": lambda m: setattr(m.sample_type[3], "unit", 1000),
    "function 2: its id 5 is taken": lambda m: setattr(m.function[2], "id", 5),
    "location 0: its id 0 is taken": lambda m: setattr(m.location[0], "id", 0),
    "sample_type 64: there are more than 64": lambda m: [m.sample_type.add() for _ in range(61)],
    "comment 1: there is no text 999": lambda m: m.comment.append(999),
    "string_table 0: the first text is not the empty one": lambda m: m.string_table.__setitem__(0, b"x"),
    "it does not say what its values are": lambda m: m.ClearField("sample_type"),
}


@pytest.mark.parametrize("reason", DAMAGE)
def test_what_names_nothing_is_an_error_with_its_offset(reason: str) -> None:
    made = message()
    DAMAGE[reason](made)
    with pytest.raises(CorruptFile, match=reason) as wrong:
        read(made)
    assert wrong.value.offset is not None
    data = made.SerializeToString()
    field = reason.split(maxsplit=1)[0]
    number = profile_class().DESCRIPTOR.fields_by_name.get(field)
    assert number is None or data[wrong.value.offset] >> 3 == number.number


@pytest.mark.parametrize(
    ("data", "offset", "reason"),
    [
        (b"\x0a\x7f\x08", 0, "longer than what holds it"),
        (b"\x0a\x02\x08", 0, "longer"),
        (b"\x0a\x01\x08", 3, "cut off"),
        (b"\x48" + b"\xff" * 11, 1, "longer than ten bytes"),
        (b"\x12\x03\x0a\x01\x80", 4, "cut off"),
        (b"\x0f\x00", 0, "wire type 7"),
        (b"\x02\x00", 0, "no field 0"),
        (b"\x61\x00\x00", 0, "longer"),
    ],
)
def test_bytes_that_are_no_messages_are_an_error(data: bytes, offset: int, reason: str) -> None:
    with pytest.raises(CorruptFile, match=reason) as wrong:
        read_pprof(data, "made.pb")
    assert wrong.value.offset == offset


@pytest.mark.parametrize("entry", [b"\x0a\x00", b"\x12\x00", b"\x22\x00", b"\x12\x04\x1a\x00\x1a\x00"])
def test_a_file_of_empty_entries_takes_no_memory(entry: bytes) -> None:
    with pytest.raises(CorruptFile, match="more entries than a profile of its size"):
        read_contents(Source("dense", entry * (1 << 20)))


def test_other_files_are_named() -> None:
    for data, what in (
        (b"\x7fELF\x02", "ELF"),
        (b"", "empty"),
        (b"<html>", "HTML"),
        (b"go 1.22 trace\0", "trace"),
    ):
        with pytest.raises(CorruptFile, match=what):
            read_contents(Source("file", data))


def test_damaged_profiles_give_an_error_with_an_offset_or_columns_that_fit() -> None:
    sound = message().SerializeToString()
    rng = random.Random(20261122)
    refused: list[CorruptFile] = []
    for _ in range(4000):
        data = bytearray(sound)
        for _ in range(rng.choice((1, 1, 2, 4))):
            at = rng.randrange(len(data))
            data[at : at + rng.choice((0, 1, 1, 1, 3))] = rng.randbytes(rng.choice((0, 1, 1, 2)))
        try:
            profile = read_pprof(bytes(data), "damaged.pb")
        except CorruptFile as wrong:
            refused.append(wrong)
        else:
            assert profile.values.shape == (len(profile.stack), len(profile.types))
            assert all(0 <= stack < len(profile.stacks) for stack in profile.stack)
    assert 1000 < len(refused) < 4000
    assert all(wrong.offset is not None and 0 <= wrong.offset <= 2 * len(sound) for wrong in refused)
