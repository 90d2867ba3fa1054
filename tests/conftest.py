"""Fixtures and options for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.golang import VERSIONS


def pytest_addoption(parser: pytest.Parser) -> None:
    """--update writes golden files anew instead of comparing with them."""
    parser.addoption("--update", action="store_true", help="write golden files anew")


@pytest.fixture(params=VERSIONS)
def go_version(request: pytest.FixtureRequest) -> str:
    """Each supported Go version in turn."""
    version: str = request.param
    return version


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty user cache for one test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "goretain"
