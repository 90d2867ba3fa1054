"""The answers for people at a terminal. Imports ``model`` and ``reports``."""

from goretain.reports.text.chains import render_chains
from goretain.reports.text.diff import render_diff
from goretain.reports.text.doctor import render_doctor
from goretain.reports.text.explain import render_explain
from goretain.reports.text.gate import render_gate
from goretain.reports.text.lab import render_lab, render_lab_list, render_lab_table
from goretain.reports.text.profile import (
    render_growth,
    render_profile,
    render_profile_diff,
    render_trace,
    render_watch,
)
from goretain.reports.text.query import render_query, render_tables
from goretain.reports.text.remedy import render_added, render_remedies, render_remedy
from goretain.reports.text.rule import render_rule, render_rules
from goretain.reports.text.schema import render_schema
from goretain.reports.text.why import render_why

__all__ = [
    "render_added",
    "render_chains",
    "render_diff",
    "render_doctor",
    "render_explain",
    "render_gate",
    "render_growth",
    "render_lab",
    "render_lab_list",
    "render_lab_table",
    "render_profile",
    "render_profile_diff",
    "render_query",
    "render_remedies",
    "render_remedy",
    "render_rule",
    "render_rules",
    "render_schema",
    "render_tables",
    "render_trace",
    "render_watch",
    "render_why",
]
