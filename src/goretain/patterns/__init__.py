"""The catalogue: one folder per reason why Go memory stays alive, holding everything about it.

A folder has ``pattern.toml``, ``signature.py`` (how it looks in a heap), ``doc.md`` and ``experiment/`` (a Go
program with the modes leak and fixed, and the figures it must give). Folders are found by listing; nothing
outside a folder names its pattern. Imports ``heap`` and the floors below it.
"""

from goretain.patterns.catalogue import Pattern, catalogue, own
from goretain.patterns.document import SECTIONS, Document

__all__ = ["SECTIONS", "Document", "Pattern", "catalogue", "own"]
