"""Layouts of the runtime's structs per Go version, for programs without debug information.

Made from the toolchains by ``tools/layout_tables.py``. Imports ``debuginfo`` and ``model``.
"""

from goretain.golang.tables.choose import all_tables, tables_for
from goretain.golang.tables.table import LayoutTable

__all__ = ["LayoutTable", "all_tables", "tables_for"]
