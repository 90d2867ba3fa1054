"""README and docs say what the repository can show: a run of the demo, every pattern, measured figures."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from goretain.patterns import catalogue
from goretain.remedies import remedies

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", ["README.md", "docs/how-it-works.md"])
def test_tables_of_patterns_are_those_of_the_catalogue(page: str) -> None:
    refresh = runpy.run_path(str(ROOT / "docs" / "refresh.py"))
    text = (ROOT / page).read_text("utf-8")
    assert refresh["with_patterns"](page, text) == text, "run: python docs/refresh.py patterns"
    assert all(f"/{p.folder}/doc.md) | {p.name}: {p.title} |" in text for p in catalogue())


def test_the_table_of_remedies_is_that_of_their_folders() -> None:
    refresh = runpy.run_path(str(ROOT / "docs" / "refresh.py"))
    text = (ROOT / "docs" / "remedies.md").read_text("utf-8")
    assert refresh["with_remedies"](text) == text, "run: python docs/refresh.py remedies"


def test_every_benchmark_of_a_remedy_stands_in_the_table_of_figures() -> None:
    page = (ROOT / "docs" / "remedies.md").read_text("utf-8")
    shown = set(re.findall(r"^\| ([A-Z]\w+, \w+) \|", page, re.MULTILINE))
    tests = "\n".join(file.text for remedy in remedies() for file in remedy.files if file.is_test)
    benchmarks = re.split(r"^func Benchmark", tests, flags=re.MULTILINE)[1:]
    cases = {
        f"{text.partition('(')[0]}, {case}"
        for text in benchmarks
        for case in re.findall(r'b\.Run\("(\w+)/remedy"', text.partition("\n}\n")[0])
    }
    assert shown == cases, "run: python -m benchmarks.remedies --write"


def test_the_readme_shows_a_run_of_the_demo_that_finds_its_leaks() -> None:
    block = README.split("<!-- demo: python docs/refresh.py -->")[1].split("<!-- /demo -->")[0]
    assert re.search(r"=== goretain why \d+", block)
    assert "=== goretain diff" in block
    shown = set(re.findall(r"GR\d{3} [a-z-]+", block))
    assert len(shown) == 4
    assert shown <= {f"{p.code} {p.name}" for p in catalogue()}
    assert not re.search(r"/(tmp|work|home|root)/", block)


def test_the_page_of_myths_is_what_the_recorded_results_say() -> None:
    refresh = runpy.run_path(str(ROOT / "docs" / "refresh.py"))
    text = (ROOT / "docs" / "myths.md").read_text("utf-8")
    written = refresh["with_block"](text, refresh["LAB"], refresh["claims"]())
    assert written == text, "run: python docs/refresh.py myths"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda p: p.name)
def test_the_readme_lists_every_page(page: Path) -> None:
    listed = README.split("## Documentation")[1].split("\n## ")[0]
    assert f"(docs/{page.name})" in listed
