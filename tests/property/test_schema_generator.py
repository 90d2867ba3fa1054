"""Whatever stands in a schema or in samples: a clear error, or Go that compiles and keeps what it reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import strategies as st

from goretain.model.errors import UsageError
from tests.support.schemas import REFUSALS, GoPackage, collected, documents, paths_in, schemas


def package_of(folder: Path, samples: int, described: int) -> GoPackage:
    """One package of many hostile inputs."""
    package = GoPackage(folder)
    crossing = 0
    several = st.lists(documents, min_size=1, max_size=4)
    for number, found in enumerate(collected(several, samples)):
        package.add_samples(found, keep_unknown=number % 3 == 0)
        paths = list(dict.fromkeys(path for one in found for path in paths_in(one) if path))[:6]
        if paths and number % 4 == 0:
            try:
                package.add_samples(found, paths=tuple(paths))
            except UsageError:  # of two paths one is inside the other
                crossing += 1
    assert crossing < samples / 8
    refused = 0
    for number, schema in enumerate(collected(schemas, described)):
        try:
            package.add_schema(schema, keep_unknown=number % 3 == 0)
        except REFUSALS:
            refused += 1
    assert refused < described / 2
    return package


def test_hostile_input_makes_go_that_works(tmp_path: Path) -> None:
    package = package_of(tmp_path, 60, 60)
    for version in ("1.21.13", "1.27.3"):
        package.check(version)


@pytest.mark.long
def test_much_hostile_input_makes_go_that_works(tmp_path: Path) -> None:
    package = package_of(tmp_path, 400, 600)
    for version in ("1.21.13", "1.27.3"):
        package.check(version)
