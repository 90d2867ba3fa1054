"""Builds the answers of ``profile``. Imports ``profile`` and ``reports``."""

from goretain.reports.profile.build import profile_report
from goretain.reports.profile.diff import profile_diff

__all__ = ["profile_diff", "profile_report"]
