"""The Go programs these tests read, built once per version and way of linking."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.golang import go_program
from tests.unit.debuginfo.oracle import Described, describe

HERE = Path(__file__).parent
PROGRAM = HERE / "program"
MIXED = HERE / "cgo"
#: DWARF 4 with and without closure offsets, the first DWARF 5, the newest.
READ_VERSIONS = ("1.21.13", "1.24.11", "1.25.5", "1.27.3")


@pytest.fixture(scope="session", params=READ_VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """Go versions that differ in what these tests read."""
    value: str = request.param
    return value


@pytest.fixture(scope="session")
def program(version: str) -> Path:
    """The program, linked as ``go build`` does it: compressed DWARF, not a PIE."""
    return go_program(PROGRAM, version)


@pytest.fixture(scope="session")
def described(program: Path) -> Described:
    """What pyelftools says of the program."""
    return describe(program)
