"""Fixtures and options for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.experiments import table
from tests.support.golang import VERSIONS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the patterns' experiments gave, in both modes, where they ran."""
    found: dict[str, dict[tuple[str, str], str]] = {"leak": {}, "fixed": {}}
    for report in terminalreporter.stats.get("passed", []):
        for mode, value in report.user_properties:
            if mode in found:
                code, label, cell = value
                found[mode][code, label] = cell
    if found["leak"]:
        terminalreporter.section("patterns: bytes found in mode leak")
        terminalreporter.write_line("\n".join(table(found["leak"])))
        nothing = sum(cell == "-" for cell in found["fixed"].values())
        terminalreporter.write_line(f"mode fixed: nothing found in {nothing} of {len(found['fixed'])} runs")


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
