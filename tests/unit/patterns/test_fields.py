"""A slot's field has one name for all elements of an array and all slots of a map."""

from __future__ import annotations

import pytest

from goretain.golang.packages import Packages
from goretain.patterns.fields import field_at, is_standard
from goretain.snapshot import TypeField, TypeInfo
from tests.unit.patterns.heaps import BUFFER, GROUPS, TYPES_ALL
from tests.unit.snapshot.synthetic import BYTES, ENTRY


@pytest.mark.parametrize(
    ("type", "offset", "name", "kind", "library"),
    [
        (ENTRY, 0, "main.Entry.name", "field", False),
        (ENTRY, 16, "main.Entry.body", "field", False),
        (ENTRY, 24, "main.Entry.body", "field", False),
        (BUFFER, 0, "bytes.Buffer.buf", "field", True),
        (BYTES, 0, "[]uint8", "element", False),
        (GROUPS, 8 + 8, "map[uint64][]uint8 groups.slots.elem", "map", False),
        (GROUPS, 8 + 5 * 32 + 8, "map[uint64][]uint8 groups.slots.elem", "map", False),
        (-1, 8, "of unknown type", "element", False),
    ],
)
def test_a_field_is_named_without_indexes(
    type: int, offset: int, name: str, kind: str, library: bool
) -> None:
    field = field_at(TYPES_ALL, type, offset, Packages(()))
    assert (field.name, field.kind, field.library) == (name, kind, library)


@pytest.mark.parametrize(
    ("name", "standard"),
    [
        ("bytes.Buffer", True),
        ("*net/http.Request", True),
        ("encoding/json.Decoder", True),
        ("main.Buffer", False),
        ("example.com/bytes.Buffer", False),
        ("[]uint8", False),
        ("struct { b []uint8 }", False),
        ("sync/atomic.Pointer[main.T]", True),
        ("main.Box[bytes.Buffer]", False),
    ],
)
def test_types_of_the_standard_library_are_told_by_their_import_path(name: str, standard: bool) -> None:
    assert is_standard(name, Packages(("example.com/shop",))) is standard


@pytest.mark.parametrize(
    ("modules", "library"), [((), True), (("database",), False), (("shop", "database/store"), False)]
)
def test_a_module_may_be_named_like_a_folder_of_the_standard_library(
    modules: tuple[str, ...], library: bool
) -> None:
    entry = TypeInfo(
        name="database/store.Entry", kind="struct", size=24, fields=(TypeField("body", 0, BYTES),)
    )
    field = field_at([*TYPES_ALL, entry], len(TYPES_ALL), 0, Packages(modules))
    assert (field.name, field.library) == ("database/store.Entry.body", library)
