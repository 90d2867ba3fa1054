"""``why`` and ``diff`` for people at a terminal. Imports ``model`` and ``reports``."""

from goretain.reports.text.diff import render_diff
from goretain.reports.text.why import render_why

__all__ = ["render_diff", "render_why"]
