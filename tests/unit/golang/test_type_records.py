"""Type records are all found, and named as debug information names them."""

from __future__ import annotations

import re

import pytest

from goretain.golang.layout import Program, open_layout
from goretain.golang.types.universe import TypeUniverse
from tests.support.golang import VERSIONS, go_program, running, wait_until_blocked
from tests.support.heaps import image_of


@pytest.fixture(scope="module", params=[VERSIONS[0], VERSIONS[3], VERSIONS[-1]])
def universe(request: pytest.FixtureRequest) -> TypeUniverse:
    """The types of a program with packages of many kinds."""
    with running(go_program("server", request.param)) as target:
        wait_until_blocked(target.pid)
        image = image_of(target.pid)
    layout = open_layout(image.binary)
    return TypeUniverse(Program(image, layout, image.bias), layout.descriptions)


def test_every_type_that_debug_information_knows_a_record_of_is_found(universe: TypeUniverse) -> None:
    described = set(universe.described())
    assert len(described) > 1000
    assert described <= set(universe.modules.addresses.tolist())


def test_named_types_have_the_names_of_debug_information(universe: TypeUniverse) -> None:
    names = {address: name for name, found in universe.records.items() for address in found}
    wrong = []
    for address, twin in universe.described().items():
        # Types of functions carry a number there (span·1); unnamed structs the packages of their fields.
        told = re.sub(r"·\d+", "", twin.name)
        if "struct {" in told or "interface {" in told or told.startswith(("noalg.", "map.", "go.shape")):
            continue
        if names[address] != told:
            wrong.append((names[address], told))
    assert not wrong


def test_two_packages_of_one_name_are_told_apart(universe: TypeUniverse) -> None:
    assert len(universe.records["net/http.Request"]) == 1
    assert "http.Request" not in universe.records
    for name in ("*net/http.Request", "map[string][]string", "net/http.Header", "chan struct {}"):
        assert name in universe.records
