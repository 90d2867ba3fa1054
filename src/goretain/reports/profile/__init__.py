"""Builds the answers of ``profile``. Imports ``profile`` and ``reports``."""

from goretain.reports.profile.build import profile_report
from goretain.reports.profile.diff import profile_diff
from goretain.reports.profile.growth import growth_report

__all__ = ["growth_report", "profile_diff", "profile_report"]
