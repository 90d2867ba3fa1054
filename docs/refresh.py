"""Writes the parts of README.md and docs that something else decides, so that what they show is real.

    .venv/bin/python docs/refresh.py             the output of the demo
    .venv/bin/python docs/refresh.py patterns    the tables of patterns, from the folders of the catalogue
    .venv/bin/python docs/refresh.py lab [NAME...]
                                                 measures experiments (all, or those) on every Go, writes
                                                 their recorded.json, and then docs/myths.md from all of them
    .venv/bin/python docs/refresh.py myths       docs/myths.md alone
    .venv/bin/python docs/refresh.py remedies    the table of remedies, from theirs

Only what stands between the marks changes. Figures of the demo differ from run to run (PIDs, pauses), so CI
checks that the block is there and has the parts of a run; the tables must be equal.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from goretain import api
from goretain.patterns import catalogue
from goretain.remedies import remedies
from goretain.reports import labpage

ROOT = Path(__file__).resolve().parent.parent
DEMO = ("<!-- demo: python docs/refresh.py -->", "<!-- /demo -->")
PATTERNS = ("<!-- patterns: python docs/refresh.py patterns -->", "<!-- /patterns -->")
LAB = ("<!-- lab: python docs/refresh.py lab -->", "<!-- /lab -->")
REMEDIES = ("<!-- remedies: python docs/refresh.py remedies -->", "<!-- /remedies -->")
#: Pages with a table of patterns, and the way from there to the repository's root.
TABLES = {"README.md": "", "docs/how-it-works.md": "../"}


def main() -> int:
    """Rewrite what the argument asks for; the exit status is that of the demo."""
    if sys.argv[1:] == ["patterns"]:
        for page in TABLES:
            text = (ROOT / page).read_text("utf-8")
            (ROOT / page).write_text(with_patterns(page, text), "utf-8")
        return 0
    if sys.argv[1:2] in (["lab"], ["myths"]):
        if sys.argv[1] == "lab":
            api.lab_record(sys.argv[2:], progress=_told)
        page = ROOT / "docs" / "myths.md"
        page.write_text(with_block(page.read_text("utf-8"), LAB, claims()), "utf-8")
        return 0
    if sys.argv[1:] == ["remedies"]:
        page = ROOT / "docs" / "remedies.md"
        page.write_text(with_remedies(page.read_text("utf-8")), "utf-8")
        return 0
    command = [sys.executable, "examples/demo/run.py"]
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        return done.returncode
    readme = ROOT / "README.md"
    text = f"```text\n{shown(done.stdout)}\n```"
    readme.write_text(with_block(readme.read_text("utf-8"), DEMO, text), "utf-8")
    return 0


def with_patterns(page: str, text: str) -> str:
    """A page's text with the table of all patterns of the catalogue between the marks."""
    folder = f"{TABLES[page]}src/goretain/patterns"
    rows = [
        f"| [{p.code}]({folder}/{p.folder}/doc.md) | {p.name}: {p.title} | {p.sure} |" for p in catalogue()
    ]
    return with_block(text, PATTERNS, "\n".join(["| code | pattern | how sure |", "|---|---|---|", *rows]))


def claims() -> str:
    """The claims of the laboratory as the recorded results decide them, for docs/myths.md."""
    folders = {pattern.code: f"../src/goretain/patterns/{pattern.folder}/doc.md" for pattern in catalogue()}
    return "\n" + labpage.render_lab(api.lab_table(), patterns=folders)


def _told(what: str, done: int, whole: int) -> None:
    sys.stderr.write(f"{done}/{whole} {what}\n")


def with_remedies(text: str) -> str:
    """A page's text with the table of all remedies between the marks."""
    folder = "../src/goretain/remedies"
    rows = [
        f"| [{r.name}]({folder}/{r.name.replace('-', '_')}/doc.md) | {r.title} | {r.purpose} |"
        f" {', '.join(r.patterns) or '-'} |"
        for r in remedies()
    ]
    head = ["| remedy | is | for | mends |", "|---|---|---|---|"]
    return with_block(text, REMEDIES, "\n".join([*head, *rows]))


def shown(output: str) -> str:
    """The part of a run worth showing: the last look and the comparison, without machine paths."""
    parts = re.split(r"\n(?==== )", output)
    wanted = parts[-2:]
    text = "\n\n".join(part.strip("\n") for part in wanted)
    text = re.sub(r"=== (goretain diff).*", r"=== \1 first second", text)
    return "\n".join(line.rstrip() for line in re.sub(r"\S*/goretain-demo-\w+/", "", text).splitlines())


def with_block(page: str, marks: tuple[str, str], text: str) -> str:
    """A page with what stands between the marks replaced."""
    before, begin, rest = page.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not end:
        raise SystemExit(f"the marks {marks[0]} {marks[1]} are missing")
    return f"{before}{begin}\n{text}\n{end}{after}"


if __name__ == "__main__":
    sys.exit(main())
