"""How pointer-keyed-map looks in a heap: maps keyed by pointers to objects that only the map still refers to.

Nobody can look up or delete an entry without its key, and who has no pointer to the object has no key. So an
entry whose key is dominated by the map is out of reach but for a loop over the map: a registry whose objects
were forgotten everywhere else. The same holds for a key with a pointer in it: in a struct, in an array, in an
interface. Strings are compared by what they say, boxed values too: who has an equal one finds the entry. Keys
of more than 128 bytes are left out: maps store pointers to copies of them (internal/runtime/maps/map.go). The
runtime's own references do not count. Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.holding import by_place, holding_of, place_of
from goretain.patterns.routes import route_to
from goretain.patterns.slots import slot_targets
from goretain.snapshot import NO_OBJECT, TypeInfo

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Maps with fewer entries are tables of parts; what forgotten keys of one place keep.
_COUNT = 64
_PLACE_MINIMUM = 256 << 10

#: Maps that other patterns speak of: the children of a context (GR107), inside of a sync.Map (GR112).
_OTHERS = ("map[context.canceler]struct {}", "map[interface {}]*sync.entry")
#: unique.Make gives everybody the same handle for an equal value. (What a weak.Pointer has is no pointer.)
_HANDLE = "unique.Handle["
_KEY_LIMIT = 128  # bytes of a key that a map stores in place
_PATHS = 16  # pointers of one key that are looked at

_FORGOTTEN = Confidence(
    level="likely",
    reason="seen in memory: nothing but the map refers to these keys, so no statement can look them up or "
    "delete them by key; a loop over the map still can",
    decide="read the code: a set that is only walked through is healthy, one that is asked by key is not",
)


@dataclass(frozen=True, slots=True)
class _Word:
    """A pointer in a key: words from the key's start; whether it is an interface's, which may lead to a
    value."""

    at: int
    boxed: bool


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder and type of map."""
    row, key = _forgotten(heap)
    if len(key) < _COUNT:
        return
    columns, types, pattern = heap.snapshot.columns, heap.snapshot.types, own(__package__)
    holding, weight = holding_of(heap, key), heap.users.retained(key)
    place = place_of(heap, holding, columns.map_type[row])
    for mine in by_place(place, weight, holding.kept, count=_COUNT, minimum=_PLACE_MINIMUM):
        yield pattern.finding(
            confidence=_FORGOTTEN,
            route=route_to(heap, int(key[mine[0]])),
            count=len(mine),
            saving_bytes=int(weight[mine].sum()),
            retained_bytes=int(heap.graph.retained(key[mine]).sum()),
            sampled=heap.sites.held_by(key[mine]),
            type=types[columns.map_type[row[mine[0]]]].name,
        )


def _forgotten(heap: Heap) -> tuple[I64, U32]:
    """(row of its map, object that its key leads to) of every entry whose key nothing but the map's own
    memory has. An object that several keys lead to counts once."""
    columns, types = heap.snapshot.columns, heap.snapshot.types
    words = [_key_words(types, t) for t in types] + [[]]
    wanted = np.array([bool(w) for w in words])[columns.map_type] & (columns.map_entries >= _COUNT)
    entries = np.flatnonzero(wanted[columns.entry_map]) if wanted.any() else np.empty(0, np.int64)
    kind = columns.map_type[columns.entry_map[entries]]
    parts = [_targets(heap, entries[kind == k], word) for k in np.unique(kind) for word in words[k]]
    rows = np.concatenate([p[0] for p in parts] + [np.empty(0, np.int64)])
    key = np.concatenate([p[1] for p in parts] + [np.empty(0, np.uint32)])
    key, first = np.unique(key, return_index=True)
    rows = rows[first]
    if len(key) < _COUNT or int(heap.graph.retained(key).sum()) < _PLACE_MINIMUM:
        return np.empty(0, np.int64), np.empty(0, np.uint32)
    users = heap.users
    alone = users.idom[users.number[key]] == users.number[columns.entry_object[rows]]
    return columns.entry_map[rows[alone]].astype(np.int64), key[alone]


def _targets(heap: Heap, entries: I64, word: _Word) -> tuple[I64, U32]:
    """(entry, object) for the entries whose key has a pointer at a word that is part of who the key is."""
    columns = heap.snapshot.columns
    owner, at = columns.entry_object[entries], columns.entry_word[entries].astype(np.int64) + word.at
    key = slot_targets(columns, owner, at)
    known = key != NO_OBJECT
    if word.boxed:
        known[known] = _pointees(heap.snapshot.types)[columns.object_type[key[known]]]
    return entries[known], key[known]


def _key_words(types: Sequence[TypeInfo], info: TypeInfo) -> list[_Word]:
    """The pointers by which the keys of a type of map are told apart; none for other types."""
    ours = info.kind == "map" and info.key >= 0 and info.name not in _OTHERS
    if not ours or types[info.key].size > _KEY_LIMIT:
        return []
    return list(itertools.islice(_pointers(types, info.key, 0), _PATHS))


def _pointers(types: Sequence[TypeInfo], index: int, offset: int) -> Iterator[_Word]:
    info = types[index]
    if info.name.startswith(_HANDLE):
        return
    if info.kind in ("ptr", "chan"):
        yield _Word(offset // 8, boxed=False)
    elif info.kind == "interface":
        yield _Word(offset // 8 + 1, boxed=True)
    elif info.kind == "array" and info.elem >= 0:
        for k in range(info.count):
            yield from _pointers(types, info.elem, offset + k * types[info.elem].size)
    elif info.kind == "struct":
        for field in info.fields:
            if field.type >= 0:
                yield from _pointers(types, field.type, offset + field.offset)


def _pointees(types: Sequence[TypeInfo]) -> Flags:
    """Types of objects to which an interface leads as a pointer and not as a boxed value; the last is of
    unknown ones.

    The heap does not say which it is: channels are pointers, and so are structs that other pointers of their
    own type lead to, or that no map takes as keys by value.
    """
    pointed = {t.elem for t in types if t.kind == "ptr"}
    return np.array(
        [
            t.kind == "chan" or (t.kind == "struct" and (k in pointed or not _comparable(types, k)))
            for k, t in enumerate(types)
        ]
        + [False]
    )


def _comparable(types: Sequence[TypeInfo], index: int) -> bool:
    """Whether values of a type can be keys."""
    info = types[index]
    parts = [field.type for field in info.fields] + ([info.elem] if info.kind == "array" else [])
    return info.kind not in ("slice", "map", "func") and all(
        _comparable(types, part) for part in parts if part >= 0
    )
