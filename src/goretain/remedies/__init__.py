"""Remedies: Go source that a team copies into its own tree, each with tests and a benchmark.

One folder a remedy, found by listing, as patterns are: ``remedy.toml``, ``doc.md``, and Go files of package
``remedies``, which ``copying`` rewrites. They compile as one package, so that any of them can be copied into
one. ``support`` holds what their tests share. Imports ``model`` and the standard library.
"""

from goretain.remedies.catalogue import GoFile, Remedy, find_remedy, remedies, support_file
from goretain.remedies.copying import Added, Copied, add

__all__ = ["Added", "Copied", "GoFile", "Remedy", "add", "find_remedy", "remedies", "support_file"]
