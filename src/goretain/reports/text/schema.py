"""What ``schema`` wrote, for people at a terminal. Imports ``reports``."""

from __future__ import annotations

from goretain.reports.results import SchemaReport
from goretain.reports.text.page import Page


def render_schema(report: SchemaReport, width: int) -> Page:
    """The files, the types and what they do not say."""
    page = Page(width)
    what = "a schema" if report.read_as == "schema" else "samples"
    page.add((f"{report.root}", "bold"), f" in package {report.package}, of {what}: {report.source}")
    page.add()
    rows = [(t.name, t.kind, f"{len(t.fields):,}" if t.fields else t.type or "") for t in report.types]
    page.table(("type", "kind", "fields"), rows, left=3, styles={0: "bold"})
    if report.notes:
        page.add()
    for note in report.notes:
        page.add(f"  {note}")
    page.add()
    for file in report.files:
        page.add(f"  wrote {file.path}")
    page.add((f"  try them: go test -run {report.root} {_folder(report)}", "dim"))
    return page


def _folder(report: SchemaReport) -> str:
    path = report.files[0].path or ""
    folder = path.rpartition("/")[0] or "."
    return folder if folder.startswith(("/", ".")) else f"./{folder}"
