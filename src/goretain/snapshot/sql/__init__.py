"""SQL over a snapshot: its tables, and one SELECT at a time over them.

duckdb reads the numpy columns where they lie; it is an extra and imported when a query runs. Imports
``model``, numpy, and the rest of ``snapshot``.
"""

from goretain.snapshot.sql.engine import MEMORY, Bound, Column, Result, Table, run
from goretain.snapshot.sql.process import PROCESS, known
from goretain.snapshot.sql.tables import GRAPH

__all__ = ["GRAPH", "MEMORY", "PROCESS", "Bound", "Column", "Result", "Table", "known", "run"]
