"""The compiled reader of profiles beside protobuf's own parser: random profiles, their sums, damaged ones."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from goretain.model.errors import CorruptFile
from goretain.profile.columns import Label, Profile
from goretain.profile.message import profile_class
from goretain.profile.readers.pprof.protobuf import read_pprof
from goretain.profile.readers.pprof.sums import Sum
from goretain.profile.readers.pprof.wire import parse
from goretain.snapshot import Frame
from tests.unit.profile.test_pprof import message

Row = tuple[tuple[Frame, ...], int, tuple[Label, ...]]
FIELDS = (
    "types", "default_type", "period_type", "period", "time_ns", "duration_ns", "program", "build_id",
    "comments",
)  # fmt: skip


def rows(profiles: Sequence[Profile]) -> dict[Row, list[int]]:
    """Stack, object size and labels -> the sum of each column."""
    found: dict[Row, list[int]] = {}
    for one in profiles:
        for stack, size, labels, values in zip(
            one.stack.tolist(),
            one.object_size.tolist(),
            one.label_set.tolist(),
            one.values.tolist(),
            strict=True,
        ):
            row = found.setdefault(
                (one.stacks.frames(stack), size, one.label_sets[labels]), [0] * len(values)
            )
            for at, value in enumerate(values):
                row[at] = (row[at] + value + (1 << 63)) % (1 << 64) - (1 << 63)
    return found


def summed(files: Sequence[bytes]) -> Profile:
    whole = Sum()
    for data in files:
        parsed = parse(data)
        assert parsed is not None
        assert whole.add(parsed)
    return whole.profile()


NUMBERS = st.one_of(st.integers(-3, 300), st.sampled_from([1 << 40, -(1 << 63), (1 << 63) - 1]))
LABELS = st.lists(st.tuples(st.sampled_from([0, 4, 5]), st.integers(0, 5), NUMBERS), max_size=2)
SAMPLES = st.lists(st.tuples(st.lists(st.integers(0, 6), max_size=9), NUMBERS, NUMBERS, LABELS), max_size=12)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A profile of two columns; texts and locations are drawn from a few, so that they meet in others."""
    made = profile_class()()
    made.string_table.extend([b"", b"space", b"bytes", b"main.a", b"main%2eb", b"\xff", b"bytes"])
    made.sample_type.add(type=1, unit=2)
    made.sample_type.add(type=3)
    for function in range(1, 5):
        made.function.add(id=function, name=draw(st.integers(2, 6)), filename=draw(st.integers(0, 3)))
    for place in range(7):
        location = made.location.add(id=place * 3 + 1, mapping_id=1, address=draw(st.integers(0, 1 << 63)))
        for _ in range(draw(st.integers(1, 3))):
            location.line.add(function_id=draw(st.integers(1, 4)), line=draw(st.integers(-1, 2)))
    for places, first, second, labels in draw(SAMPLES):
        sample = made.sample.add(location_id=[place * 3 + 1 for place in places], value=[first, second])
        for key, text, number in labels:
            sample.label.add(key=key, str=text, num=number, num_unit=key)
    made.time_nanos = draw(st.integers(0, 5))
    made.period = 7
    data: bytes = made.SerializeToString()
    return data


@given(st.lists(files(), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_sums_are_those_of_the_other_reader(made: list[bytes]) -> None:
    singles = [read_pprof(data, "made") for data in made]
    whole = summed(made)
    assert rows([whole]) == rows(singles)
    assert len(set(zip(whole.stack, whole.object_size, whole.label_set, strict=True))) == len(whole.stack)
    stacks = [whole.stacks.frames(stack) for stack in range(len(whole.stacks))]
    assert len(set(stacks)) == len(stacks)
    assert whole.time_ns == (max(single.time_ns or 0 for single in singles) or None)
    for field in FIELDS:
        assert getattr(summed(made[:1]), field) == getattr(singles[0], field)


def test_deep_stacks_whose_hashes_collide_are_told_apart() -> None:
    """Thue-Morse sequences have one polynomial hash modulo 2**64, whatever the factor."""
    made = profile_class()()
    made.string_table.extend([b"", b"space", b"main.a", b"main.b"])
    made.sample_type.add(type=1)
    for number in (1, 2):
        made.function.add(id=number, name=1 + number)
        made.location.add(id=number).line.add(function_id=number)
    word = [at.bit_count() & 1 for at in range(1 << 12)]
    made.sample.add(location_id=[1 + bit for bit in word], value=[3])
    made.sample.add(location_id=[2 - bit for bit in word], value=[5])
    made.sample.add(location_id=[1 + bit for bit in word], value=[7])
    whole = summed([made.SerializeToString()])
    assert sorted(whole.values[:, 0].tolist()) == [5, 10]


def sound() -> Any:
    """A profile that the kernels read: each location has lines, and ids are small."""
    made = message()
    made.function[2].id = made.location[1].line[0].function_id = 9
    made.location[2].line.add(function_id=5, line=7)
    return made


def test_both_readers_say_the_same_of_damaged_profiles() -> None:
    data = sound().SerializeToString()
    assert rows([summed([data])]) == rows([read_pprof(data, "made")])
    rng = random.Random(20261122)
    read, left = 0, 0
    for _ in range(6000):
        damaged = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 4))):
            at = rng.randrange(len(damaged))
            damaged[at : at + rng.choice((0, 1, 1, 1, 3))] = rng.randbytes(rng.choice((0, 1, 1, 2)))
        parsed = parse(bytes(damaged))
        whole = Sum()
        if parsed is None or not whole.add(parsed):
            left += 1
            continue
        read += 1
        try:
            single = read_pprof(bytes(damaged), "damaged")
        except CorruptFile as wrong:
            raise AssertionError(f"only the compiled reader takes {damaged.hex()}: {wrong}") from None
        assert rows([whole.profile()]) == rows([single])
        assert all(getattr(whole.profile(), field) == getattr(single, field) for field in FIELDS)
    assert min(read, left) > 300


def test_what_is_unusual_is_left_to_the_other_reader() -> None:
    whole = sound()
    whole.location[0].ClearField("line")
    assert parse(whole.SerializeToString()) is None
    sparse = sound()
    sparse.function.add(id=1 << 62, name=3)
    assert parse(sparse.SerializeToString()) is None
    grouped = sound().SerializeToString() + b"\x83\x02\x84\x02"
    assert parse(grouped) is None
    assert len(read_pprof(grouped, "grouped").stack) == 3
