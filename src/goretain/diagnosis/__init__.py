"""Joins the evidence: runs the patterns, merges findings of one fingerprint, ranks them by bytes.

Imports ``patterns`` and the floors below it.
"""

from goretain.diagnosis.diagnose import Diagnosis, NotJudged, diagnose

__all__ = ["Diagnosis", "NotJudged", "diagnose"]
