"""Reports as JSON: the result structs as they are, and their JSON Schema.

``docs/schema/*.json`` is written by this module (``python -m goretain.reports.json docs/schema``); a test
compares. Within one schema number fields are only added; a field that goes or changes its meaning makes a
new number. Imports ``model``, msgspec and this package.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from goretain.reports.results import (
    ChainsReport,
    DiffReport,
    DoctorReport,
    ExplainReport,
    GateReport,
    GrowthReport,
    LabReport,
    ProfileDiffReport,
    ProfileReport,
    QueryReport,
    RemedyAddReport,
    RemedyReport,
    RuleReport,
    SchemaReport,
    TraceReport,
    WatchReport,
    WhyReport,
)

#: File name in docs/schema -> the struct it describes.
SCHEMAS: dict[str, type[msgspec.Struct]] = {
    "why-1.json": WhyReport,
    "diff-1.json": DiffReport,
    "rule-1.json": RuleReport,
    "schema-1.json": SchemaReport,
    "doctor-1.json": DoctorReport,
    "chains-1.json": ChainsReport,
    "query-1.json": QueryReport,
    "profile-1.json": ProfileReport,
    "profile-diff-1.json": ProfileDiffReport,
    "growth-1.json": GrowthReport,
    "watch-1.json": WatchReport,
    "trace-1.json": TraceReport,
    "gate-1.json": GateReport,
    "explain-1.json": ExplainReport,
    "lab-1.json": LabReport,
    "remedy-1.json": RemedyReport,
    "remedy-add-1.json": RemedyAddReport,
}


#: What ``render`` takes.
Report = (
    WhyReport
    | DiffReport
    | RuleReport
    | SchemaReport
    | DoctorReport
    | ChainsReport
    | QueryReport
    | ProfileReport
    | ProfileDiffReport
    | GrowthReport
    | WatchReport
    | TraceReport
    | GateReport
    | ExplainReport
    | LabReport
    | RemedyReport
    | RemedyAddReport
)


def render(report: Report) -> str:
    """The report as indented JSON with a final newline; sizes are exact bytes, null is unknown."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def schema(name: str) -> str:
    """The text of one file of docs/schema."""
    described: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **msgspec.json.schema(SCHEMAS[name]),
    }
    return msgspec.json.format(msgspec.json.encode(described, order="sorted"), indent=2).decode() + "\n"


if __name__ == "__main__":
    for name in SCHEMAS:
        (Path(sys.argv[1]) / name).write_text(schema(name), "utf-8")
