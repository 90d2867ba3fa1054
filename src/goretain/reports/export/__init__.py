"""Chains for other programs: pprof, folded stacks, dot and SVG, JSON.

All are made of the same two trees (:mod:`goretain.heap.tree`), so their figures are those of ``why``. One
file for each format. Imports ``heap``, ``model`` and ``reports``.
"""

from goretain.reports.export.formats import FORMATS, export, format_of

__all__ = ["FORMATS", "export", "format_of"]
