"""README and docs say what the repository can show: a run of the demo, every pattern, measured figures."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest

from goretain.patterns import catalogue

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text("utf-8")
MYTHS = (ROOT / "docs" / "myths.md").read_text("utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def figures_of_experiments() -> set[str]:
    """Every byte count of every expected.toml as documents write it: 16,775,936."""
    found: set[str] = set()
    for pattern in catalogue():
        text = (pattern.files / "experiment" / "expected.toml").read_text("utf-8")
        for row in tomllib.loads(text)["finding"]:
            values = [*row.values(), *(v for overlay in row.get("when", []) for v in overlay.values())]
            found |= {f"{value:,}" for value in values if isinstance(value, int)}
    return found


@pytest.mark.parametrize("page", ["README.md", "docs/how-it-works.md"])
def test_tables_of_patterns_are_those_of_the_catalogue(page: str) -> None:
    refresh = runpy.run_path(str(ROOT / "docs" / "refresh.py"))
    text = (ROOT / page).read_text("utf-8")
    assert refresh["with_patterns"](page, text) == text, "run: python docs/refresh.py patterns"
    assert all(f"/{p.folder}/doc.md) | {p.name}: {p.title} |" in text for p in catalogue())


def test_the_readme_shows_a_run_of_the_demo_that_finds_its_leaks() -> None:
    block = README.split("<!-- demo: python docs/refresh.py -->")[1].split("<!-- /demo -->")[0]
    assert re.search(r"=== goretain why \d+", block)
    assert "=== goretain diff" in block
    shown = set(re.findall(r"GR\d{3} [a-z-]+", block))
    assert len(shown) == 4
    assert shown <= {f"{p.code} {p.name}" for p in catalogue()}
    assert not re.search(r"/(tmp|work|home|root)/", block)


def test_every_byte_count_of_the_myths_is_one_that_an_experiment_must_give() -> None:
    counts = set(re.findall(r"\d{1,3}(?:,\d{3}){2,}", MYTHS))
    assert len(counts) >= 5
    assert counts <= figures_of_experiments()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda p: p.name)
def test_the_readme_lists_every_page(page: Path) -> None:
    listed = README.split("## Documentation")[1].split("\n## ")[0]
    assert f"(docs/{page.name})" in listed
