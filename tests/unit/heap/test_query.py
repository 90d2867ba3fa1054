"""SQL over a heap: documented columns are the real ones, recipes run, and a query can do nothing but read."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from goretain.api import Snapshot
from goretain.heap.tables import TABLES, heap_tables
from goretain.model.errors import NotEnoughMemory, UsageError
from goretain.snapshot.sql import run
from tests.unit.snapshot.synthetic import small

DOCS = (Path(__file__).resolve().parents[3] / "docs" / "query.md").read_text("utf-8")
RECIPES = re.findall(r"```sql\n(.*?)```", DOCS, re.DOTALL)


@pytest.fixture(scope="module")
def heap() -> Snapshot:
    return Snapshot(small(), "small")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_documented_columns_are_the_real_ones(table: object, heap: Snapshot) -> None:
    (found,) = (bound.table for bound in heap_tables(heap.heap) if bound.table is table)
    real = [(row[0], row[1]) for row in heap.query(f"DESCRIBE {found.name}").rows]
    assert real == [(column.name, column.type) for column in found.columns]
    section = DOCS.partition(f"### {found.name}\n")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \|$", section, re.MULTILINE)
    assert rows == [(column.name, column.type, column.text) for column in found.columns]
    assert found.text.lower() in section.lower()
    heap.query(f"SELECT * FROM {found.name}")


def test_the_docs_have_no_other_tables() -> None:
    assert re.findall(r"^### (\w+)$", DOCS, re.MULTILINE) == [table.name for table in TABLES]


@pytest.mark.parametrize("sql", RECIPES, ids=range(len(RECIPES)))
def test_the_recipes_run(sql: str, heap: Snapshot) -> None:
    assert heap.query(sql).columns


def test_the_figures_are_those_of_why(heap: Snapshot) -> None:
    holders, types = RECIPES[1], RECIPES[0]
    report = heap.why(top=100)
    assert {row[0]: (row[2], row[3]) for row in heap.query(holders).rows} == {
        row.name: (row.retained_bytes, row.retained_objects) for row in report.holders
    }
    assert {row[0]: (row[1], row[2]) for row in heap.query(types).rows} == {
        row.type: (row.objects, row.bytes) for row in report.types
    }


def test_unknown_is_null() -> None:
    heap = Snapshot(small(), "small")
    heap.data.goroutines[0] = type(heap.data.goroutines[0])(
        id=18, state="waiting", wait_reason="", frames=(), system=None
    )
    row = heap.query("SELECT wait_reason, function, parent, system, waited_ns FROM goroutines").rows
    assert row == ((None,) * 5,)
    unknown = heap.query("SELECT type, type_id FROM objects WHERE size = 512").rows
    assert unknown == ((None, None),)
    assert heap.query("SELECT count(*), count(live) FROM spans").rows == ((2, 1),)


def test_a_heap_without_a_group_lacks_its_table() -> None:
    heap = Snapshot(small(), "small")
    heap.data.spans = None
    with pytest.raises(UsageError, match="there is no table 'spans'"):
        heap.query("SELECT * FROM spans")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM objects WHERE id IN (SELECT size FROM read_blob('/etc/passwd'))",
        "WITH x AS (SELECT * FROM parquet_scan('http://localhost/x')) SELECT * FROM x",
        "SELECT * FROM pandas_scan(1::POINTER)",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM pg_settings",
        "SELECT * FROM _objects",
        "COPY objects TO '/dev/shm/x.csv'",
        "EXPORT DATABASE '/dev/shm/x'",
        "ATTACH '/dev/shm/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "CREATE TABLE x AS SELECT 1",
        "INSERT INTO objects VALUES (1)",
        "DELETE FROM objects",
        "DROP VIEW objects",
        "SHOW TABLES",
        "SELECT 1; SELECT 2",
        "",
        "SELEC 1",
        "SELECT nothing FROM objects",
        "SELECT 1 / 'x'",
        "\0",
    ],
)
def test_a_query_reads_the_heap_and_nothing_else(sql: str, heap: Snapshot) -> None:
    with pytest.raises(UsageError) as refused:
        heap.query(sql)
    assert "tables: objects, edges," in refused.value.hint


def test_deep_nesting_is_refused(heap: Snapshot) -> None:
    with pytest.raises(UsageError):
        heap.query("SELECT " + "(" * 3000 + "1" + ")" * 3000)
    with pytest.raises(UsageError):
        heap.query("SELECT * FROM " + "(SELECT * FROM " * 150 + "objects" + ")" * 150)


def test_memory_is_bounded(heap: Snapshot) -> None:
    with pytest.raises(NotEnoughMemory, match="more than 32 MiB"):
        heap.query("SELECT a, list(b) FROM range(3000) s(a), range(3000) t(b) GROUP BY a", memory=32 << 20)


def test_a_text_that_a_function_makes_counts_too(heap: Snapshot) -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    for sql in ("SELECT length(repeat('x', 2000000000))", "SELECT repeat('x', 2000000000)"):
        with pytest.raises(NotEnoughMemory, match="more than 512 MiB"):
            heap.query(sql, memory=512 << 20)
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_rows_beyond_the_limit_are_said_to_be_there(heap: Snapshot) -> None:
    all_rows = heap.query("SELECT id FROM objects ORDER BY id")
    assert (len(all_rows.rows), all_rows.more) == (len(heap), False)
    assert heap.query("SELECT id FROM objects ORDER BY id", limit=len(heap)).more is False
    two = heap.query("SELECT id FROM objects ORDER BY id", limit=2)
    assert (two.rows, two.more) == (((0,), (1,)), True)


def test_values_are_plain_and_names_differ(heap: Snapshot) -> None:
    report = heap.query(
        "SELECT 1 AS x, 2 AS x, 1.5::DECIMAL(5, 2) AS d, 2::DECIMAL(5, 2) AS i, [1, 2] AS l, {'a': 1} AS m,"
        " 'ab'::BLOB AS b, 170141183460469231731687303715884105727 AS h, DATE '2026-01-02' AS t"
    )
    assert [column.name for column in report.columns] == ["x", "x_2", "d", "i", "l", "m", "b", "h", "t"]
    assert report.rows == ((1, 2, 1.5, 2, [1, 2], {"a": 1}, "6162", float(2**127), "2026-01-02"),)


def test_only_what_a_query_names_is_read(heap: Snapshot) -> None:
    def never(_: object) -> dict[str, object]:
        raise AssertionError("read")

    bound = heap_tables(heap.heap)
    others = [
        type(b)(type(b.table)(b.table.name, "", b.table.columns, {"_x": never}, ""), None)  # type: ignore[dict-item]
        for b in bound
        if b.table.name != "types"
    ]
    kept = [b for b in bound if b.table.name == "types"]
    assert run([*others, *kept], "SELECT count(*) FROM types", limit=1).rows == ((len(heap.types),),)


def test_without_duckdb_the_error_says_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['duckdb'] = None\n"
        "from goretain.api import Snapshot\nfrom tests.unit.snapshot.synthetic import small\n"
        "Snapshot(small(), 'small').query('SELECT 1')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=DOCS_ROOT
    )
    assert "SQL needs duckdb, which is not installed" in done.stderr


DOCS_ROOT = Path(__file__).resolve().parents[3]
