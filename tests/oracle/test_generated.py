"""Both readers of profile.proto beside the code that protoc generates for it, field by field.

One is protobuf's parser (upb) on messages that goretain describes itself, the other are compiled kernels.
Compared are all fields of a message by the first; by the second all that it keeps (of mappings the names of
the first one; no addresses, no columns, not where functions begin); and of both what becomes of them.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goretain.golang.packages import display_name
from goretain.kernels import profilewire
from goretain.model.errors import CorruptFile
from goretain.profile.columns import Label, Profile, ValueType
from goretain.profile.message import profile_class
from goretain.profile.readers.pprof.protobuf import read_pprof
from goretain.profile.readers.pprof.sums import read_compiled
from goretain.profile.readers.pprof.wire import parse
from goretain.profile.sources.source import read_source
from goretain.snapshot import Frame
from tests.property.test_profile_wire import FIELDS, Row, rows
from tests.support import profiles
from tests.support.generated import Maker, generated_class, plain, scrambled
from tests.support.golang import VERSIONS

Told = tuple[tuple[Frame, ...], int, tuple[Label, ...], tuple[int, ...]]


class Invalid(Exception):
    """A number that names nothing, or what else the format's own checks refuse."""


def text(message: Any, number: int) -> str:
    if number and not 0 < number < len(message.string_table):
        raise Invalid
    return str(message.string_table[number]) if number else ""


def kind(message: Any, one: Any) -> ValueType:
    return ValueType(text(message, one.type), text(message, one.unit))


def by_id(entries: Any) -> dict[int, Any]:
    found = {entry.id: entry for entry in entries}
    if 0 in found or len(found) != len(entries):
        raise Invalid
    return found


def samples(message: Any) -> Iterator[Told]:
    """Frames, object size, labels and values of each sample of a generated message."""
    functions, locations = by_id(message.function), by_id(message.location)
    mappings = {mapping.id: mapping for mapping in message.mapping}

    def frames(location: Any) -> Iterator[Frame]:
        for line in location.line:
            if line.function_id not in functions:
                raise Invalid
            function = functions[line.function_id]
            name = display_name(text(message, function.name))
            yield Frame(name, text(message, function.filename), line.line)
        if not location.line:
            mapping = mappings.get(location.mapping_id)
            yield Frame("", text(message, mapping.filename) if mapping else "")

    of_location = {id: tuple(frames(location)) for id, location in locations.items()}
    for function in functions.values():
        text(message, function.name)
        text(message, function.filename)
    for sample in message.sample:
        if len(sample.value) != len(message.sample_type) or not {*sample.location_id} <= {*locations}:
            raise Invalid
        stack = tuple(frame for id in sample.location_id for frame in of_location[id])
        size, labels = -1, []
        for label in sample.label:
            key = text(message, label.key)
            if label.str:
                labels.append(Label(key, text(message, label.str)))
            elif key == "bytes":
                size = label.num
            else:
                labels.append(Label(key, label.num, text(message, label.num_unit)))
        yield stack, size, tuple(labels), tuple(sample.value)


def head(message: Any) -> dict[str, Any]:
    """The fields of a Profile that are no samples."""
    if not message.sample_type or (message.string_table and message.string_table[0]):
        raise Invalid
    mapping = message.mapping[0] if message.mapping else None
    return {
        "types": tuple(kind(message, one) for one in message.sample_type),
        "default_type": text(message, message.default_sample_type),
        "period_type": kind(message, message.period_type) if message.HasField("period_type") else None,
        "period": message.period if message.period > 0 else None,
        "time_ns": message.time_nanos or None,
        "duration_ns": message.duration_nanos or None,
        "program": text(message, mapping.filename) if mapping else "",
        "build_id": text(message, mapping.build_id) if mapping else "",
        "comments": tuple(text(message, number) for number in message.comment),
    }


def told(profile: Profile) -> list[Told]:
    """The same of our columns."""
    return [
        (profile.stacks.frames(stack), size, profile.label_sets[labels], tuple(values))
        for stack, size, labels, values in zip(
            profile.stack.tolist(),
            profile.object_size.tolist(),
            profile.label_set.tolist(),
            profile.values.tolist(),
            strict=True,
        )
    ]


def agree(data: bytes) -> bool:
    """Compare both readers with the generated code; whether the compiled one took it."""
    message, ours = generated_class()(), profile_class()()
    message.ParseFromString(data)
    ours.ParseFromString(data)
    assert plain(ours) == plain(message)
    try:
        expected, top = list(samples(message)), head(message)
    except Invalid:
        with pytest.raises(CorruptFile):
            read_pprof(data, "made")
        assert read_compiled(data) is None
        return False
    single, compiled = read_pprof(data, "made"), read_compiled(data)
    assert told(single) == expected
    assert {field: getattr(single, field) for field in FIELDS} == top
    if compiled is None:
        return False
    sums: dict[Row, list[int]] = rows([single])
    assert {row[:3]: list(row[3]) for row in told(compiled)} == sums
    assert len(compiled.stack) == len(sums)
    assert {field: getattr(compiled, field) for field in FIELDS} == top
    agree_column_by_column(data, message)
    return True


def agree_column_by_column(data: bytes, message: Any) -> None:
    """What the kernels keep of every field, before anything is made of it."""
    parsed = parse(data)
    assert parsed is not None
    columns = parsed.columns
    places, lines = columns.location_id.tolist(), columns.first_line.tolist()
    functions = columns.function.tolist()
    assert columns.types.tolist() == [[one.type, one.unit] for one in message.sample_type]
    assert columns.period_type.tolist() == [message.period_type.type, message.period_type.unit]
    first = columns.first_reference.tolist()
    for at, sample in enumerate(message.sample):
        used = columns.reference[first[at] : first[at + 1]].tolist()
        assert [places[one] for one in used] == list(sample.location_id)
        assert columns.value[at].tolist() == list(sample.value)
    assert places == [location.id for location in message.location]
    for at, location in enumerate(message.location):
        own = slice(lines[at], lines[at + 1])
        of_lines = zip(columns.line_function[own].tolist(), columns.line[own].tolist(), strict=True)
        assert [(functions[function][0], line) for function, line in of_lines] == [
            (line.function_id, line.line) for line in location.line
        ]
    assert functions == [[one.id, one.name, one.filename] for one in message.function]
    assert columns.mapping.tolist() == (
        [message.mapping[0].filename, message.mapping[0].build_id] if message.mapping else [0, 0]
    )
    texts = zip(columns.text_at.tolist(), columns.text_size.tolist(), strict=True)
    assert [data[at : at + size].decode() for at, size in texts] == list(message.string_table)
    comments = columns.single[profilewire.COMMENT]
    assert columns.comment[:comments].tolist() == list(message.comment)
    for field in message.DESCRIPTOR.fields:
        if not field.is_repeated and not field.message_type:
            assert columns.single[field.number] == getattr(message, field.name), field.name
    of_bytes = {at for at, value in enumerate(message.string_table) if value == "bytes"}
    assert columns.label[: columns.label_count[0]].tolist() == [
        [at, label.key, label.str, label.num, label.num_unit]
        for at, sample in enumerate(message.sample)
        for label in sample.label
        if label.str or label.key not in of_bytes
    ]


def test_the_messages_are_described_as_the_schema_has_them() -> None:
    def described(message: Any) -> dict[str, Any]:
        return {
            field.name: (
                field.number,
                field.is_repeated,
                described(field.message_type) if field.message_type else field.type,
            )
            for field in message.fields
        }

    generated, ours = described(generated_class().DESCRIPTOR), described(profile_class().DESCRIPTOR)
    descriptor = profile_class().DESCRIPTOR.fields_by_name["string_table"]
    ours["string_table"] = (descriptor.number, True, descriptor.TYPE_STRING)  # ours need not be UTF-8
    assert ours == generated


@pytest.mark.parametrize(
    "version",
    [
        pytest.param(version, marks=() if version == VERSIONS[-1] else pytest.mark.long)
        for version in VERSIONS
    ],
)
def test_real_profiles_of_every_kind_gzipped_and_plain(version: str, tmp_path: Path) -> None:
    _, paths = profiles.collect_all(version, tmp_path)
    taken = []
    for path in paths:
        plainly = path.with_suffix(".plain")
        plainly.write_bytes(gzip.decompress(path.read_bytes()))
        data = read_source(str(path)).data
        assert data == read_source(str(plainly)).data
        taken += [path.name] if agree(data) else []
        message = generated_class()()
        message.ParseFromString(data)
        assert message.sample
    # Of threads the runtime may know an address alone, which is left to protobuf.
    assert {*taken} >= {path.name for path in paths} - {"threadcreate"}


@given(st.randoms(use_true_random=True), st.booleans())
@settings(max_examples=300, deadline=None)
def test_messages_as_no_writer_writes_them(rng: Random, odd: bool) -> None:
    data = scrambled(Maker(rng, odd=odd).made(), rng, groups=odd)
    assert agree(data) or odd


@pytest.mark.long
@given(st.randoms(use_true_random=True), st.booleans())
@settings(max_examples=5000, deadline=None)
def test_many_messages_as_no_writer_writes_them(rng: Random, odd: bool) -> None:
    assert agree(scrambled(Maker(rng, odd=odd).made(), rng, groups=odd)) or odd
