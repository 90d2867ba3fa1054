"""Types and pointer masks: what DWARF says, what abi.Type says and what the collector uses are one thing.

Every type of a real service is compared, on the oldest version, where large types have GC programs, on one
between and on the newest, where they have masks on demand.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from goretain.golang.layout import Program, open_layout
from goretain.golang.types.maptypes import MapTypes, method_value_receiver
from goretain.golang.types.masks import MaskReader, built_mask
from goretain.golang.types.universe import TypeUniverse
from goretain.model.errors import UnknownLayout
from tests.support.golang import VERSIONS, go_program, running, wait_until_blocked
from tests.support.heaps import image_of

_VERSIONS = [VERSIONS[0], "1.24.11", VERSIONS[-1]]


@cache
def universe(version: str) -> TypeUniverse:
    """All types of the ``server`` program."""
    with running(go_program("server", version)) as target:
        wait_until_blocked(target.pid)
        image = image_of(target.pid)
    layout = open_layout(image.binary)
    return TypeUniverse(Program(image, layout, image.bias), layout.descriptions)


@pytest.mark.parametrize("version", _VERSIONS)
def test_masks_built_from_types_are_the_collector_s_own(version: str) -> None:
    types = universe(version)
    reader = MaskReader(types)
    compared, different = 0, []
    for address, twin in types.described().items():
        own = reader.mask(address)
        if own is None:
            continue
        size, bits = own
        for t in (twin, types.decode(address)):
            assert t is not None
            built = built_mask(t)
            compared += 1
            if t.size != size or not np.array_equal(np.flatnonzero(built), np.flatnonzero(bits)):
                different.append(t)
    assert compared > 4000
    assert not different


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_runtime_and_the_debug_information_describe_the_same_types(version: str) -> None:
    types = universe(version)
    kinds, structs = 0, 0
    for address, twin in types.described().items():
        decoded = types.decode(address)
        assert decoded is not None
        assert (decoded.kind, decoded.size, decoded.count) == (twin.kind, twin.size, twin.count), twin
        kinds += 1
        if twin.kind == "struct":
            ours = [(f.name, f.offset, f.type.kind) for f in decoded.fields]
            theirs = [(f.name, f.offset, f.type.kind) for f in twin.fields]
            # a field replaced by what its unsafe.Pointer is known to lead to differs in kind only
            assert [f[:2] for f in ours] == [f[:2] for f in theirs], twin
            structs += 1
    assert kinds > 2000
    assert structs > 500


@pytest.mark.parametrize("version", _VERSIONS)
def test_every_map_type_has_its_parts(version: str) -> None:
    types = universe(version)
    maps = MapTypes(types)
    seen = 0
    for twin in types.described().values():
        if twin.kind != "map":
            continue
        parts = maps.parts(twin)
        assert parts is not None
        assert parts.groups is not None, twin
        assert parts.swiss == maps.swiss
        seen += 1
    assert seen > 50


def test_the_receiver_of_a_method_value_is_its_type() -> None:
    types = universe(VERSIONS[-1])
    pointer = method_value_receiver(types, "net/http.(*Server).Serve-fm")
    assert pointer is not None
    assert (pointer.kind, pointer.name) == ("ptr", "*net/http.Server")
    value = method_value_receiver(types, "time.Time.String-fm")
    assert value is not None
    assert (value.kind, value.name) == ("struct", "time.Time")
    assert method_value_receiver(types, "net/http.(*Server).Serve") is None


def test_a_field_that_is_not_there_is_named() -> None:
    types = universe(VERSIONS[-1])
    layout = types.program.layout
    with pytest.raises(UnknownLayout, match=r"'nosuch' of runtime\.mspan .* go1\.27"):
        layout.offset("runtime.mspan", "nosuch")
    with pytest.raises(UnknownLayout, match=r"struct runtime\.nosuch"):
        layout.size("runtime.nosuch")
    assert layout.has("runtime.mspan", "startAddr")
    assert not layout.has("runtime.mspan", "nosuch")
