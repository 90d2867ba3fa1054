"""Profiles for people at a terminal: what they say, and what changed. Imports ``reports``."""

from goretain.reports.text.profile.diff import render_profile_diff
from goretain.reports.text.profile.growth import render_growth
from goretain.reports.text.profile.report import render_profile
from goretain.reports.text.profile.trace import render_trace
from goretain.reports.text.profile.watch import render_watch

__all__ = ["render_growth", "render_profile", "render_profile_diff", "render_trace", "render_watch"]
