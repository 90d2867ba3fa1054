"""Reads the addresses and types of allocations out of a Go execution trace: the oracle for types.

Under GODEBUG=traceallocfree=1 (Go 1.23 and newer) the runtime writes an event for every object that exists,
is allocated or is freed, with its type. The format is that of ``internal/trace/tracev2`` (``go122`` before
Go 1.25) and ``runtime/traceallocfree.go``: a 16-byte header, then batches of one thread and generation each;
numbers are unsigned LEB128.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_EVENT_BATCH, _EXPERIMENTAL_BATCH, _END_OF_GENERATION = 1, 49, 52
_OBJECT_EXISTS, _OBJECT_ALLOC, _OBJECT_FREE = 131, 132, 133
_TYPES, _INFO = 0, 1  # first byte of an experimental batch: traceAllocFreeTypesBatch, traceAllocFreeInfoBatch
#: First events of batches that hold no timed events: stacks, strings, CPU samples, frequency, sync.
_TABLES = frozenset({2, 4, 6, 8, 50})
#: Numbers that follow each timed event, its time delta included: events 9 to 48, then 128 to 136.
_ARITY = {
    **dict(zip(range(9, 49), map(int, "3314342311334311431232223221222534453345"), strict=True)),
    **dict(zip(range(128, 137), map(int, "442332332"), strict=True)),
}


@dataclass(frozen=True, slots=True)
class TracedType:
    """A type as the trace names it: package names without their paths, no directories.

    Attributes:
        name: ``http.Request``.
        size: bytes of one value.
        pointer_bytes: bytes up to and with the last pointer; 0 when it holds none.
    """

    name: str
    size: int
    pointer_bytes: int


@dataclass(frozen=True, slots=True)
class _Batch:
    generation: int
    time: int
    experiment: int
    data: bytes


def live_types(path: Path) -> dict[int, TracedType]:
    """Address -> element type of each object that was allocated and not freed in the traced time.

    Objects whose type the runtime did not know (strings, some slices of bytes) are left out. The type is the
    one handed to ``mallocgc``: of an array of values, the type of one.
    """
    raw = path.read_bytes()
    if not (raw.startswith(b"go 1.") and b" trace" in raw[:16]):
        raise ValueError(f"{path} is not an execution trace of Go 1.22 or newer")
    types: dict[tuple[int, int], TracedType] = {}
    base = alignment = 0
    events: list[tuple[int, int, int, int, int]] = []
    for batch in _batches(raw):
        if batch.experiment:
            if batch.data[0] == _TYPES:
                types.update(_types(batch))
            elif batch.data[0] == _INFO:
                base, at = _number(batch.data, 1)
                _, at = _number(batch.data, at)
                alignment, _ = _number(batch.data, at)
        elif batch.data and batch.data[0] not in _TABLES:
            _object_events(batch, events)
    events.sort()
    live: dict[int, TracedType | None] = {}
    for _, kind, identity, type_id, generation in events:
        if kind == _OBJECT_FREE:
            live.pop(identity, None)
        elif kind == _OBJECT_ALLOC or live.get(identity) is None:
            live[identity] = types.get((generation, type_id))
    return {base + identity * alignment: known for identity, known in live.items() if known is not None}


def _number(data: bytes, at: int) -> tuple[int, int]:
    """One LEB128 number and the offset behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _batches(raw: bytes) -> Iterator[_Batch]:
    at = 16
    while at < len(raw):
        kind = raw[at]
        at += 1
        if kind == _END_OF_GENERATION:
            continue
        if kind not in (_EVENT_BATCH, _EXPERIMENTAL_BATCH):
            raise ValueError(f"batch of unknown kind {kind} at offset {at - 1:#x}")
        experiment = 0
        if kind == _EXPERIMENTAL_BATCH:
            experiment = raw[at]
            at += 1
        generation, at = _number(raw, at)
        _, at = _number(raw, at)
        time, at = _number(raw, at)
        size, at = _number(raw, at)
        yield _Batch(generation, time, experiment, raw[at : at + size])
        at += size


def _types(batch: _Batch) -> Iterator[tuple[tuple[int, int], TracedType]]:
    """Entries of a types batch: id, address, size, pointer bytes, length of the name, name."""
    data, at = batch.data, 1
    while at < len(data):
        identity, at = _number(data, at)
        _, at = _number(data, at)
        size, at = _number(data, at)
        pointer_bytes, at = _number(data, at)
        length, at = _number(data, at)
        name = data[at : at + length].decode()
        at += length
        yield (batch.generation, identity), TracedType(name, size, pointer_bytes)


def _object_events(batch: _Batch, events: list[tuple[int, int, int, int, int]]) -> None:
    """Append (time, event, object id, type id or 0, generation) of a batch's object events."""
    data, at, time = batch.data, 0, batch.time
    while at < len(data):
        kind = data[at]
        if kind not in _ARITY:
            raise ValueError(f"unknown event {kind} in generation {batch.generation}")
        delta, at = _number(data, at + 1)
        time += delta
        numbers = [0, 0]
        for position in range(_ARITY[kind] - 1):
            value, at = _number(data, at)
            if position < 2:
                numbers[position] = value
        if _OBJECT_EXISTS <= kind <= _OBJECT_FREE:
            events.append((time, kind, numbers[0], numbers[1], batch.generation))
