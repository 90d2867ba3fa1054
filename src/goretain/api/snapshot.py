"""What ``goretain.open`` gives: the columns of one heap together with its analyses.

The face of ``snapshot`` and ``heap`` for users of the library. Imports ``heap``, ``patterns``,
``diagnosis`` and ``reports`` when an analysis is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from goretain.model.findings import Chain
from goretain.snapshot import Columns, Goroutine, Meta, RootNode, TypeInfo
from goretain.snapshot import Snapshot as Data

if TYPE_CHECKING:
    from goretain.heap.backing import Backing
    from goretain.heap.coverage import Coverage
    from goretain.heap.fill import MapFill
    from goretain.heap.heap import Heap
    from goretain.heap.histogram import TypeRow
    from goretain.heap.holders import Holder, Shared
    from goretain.reports.notebook import Findings
    from goretain.reports.results import By, ChainsReport, DiffReport, QueryReport, WhyReport


class Snapshot:
    """The Go heap of one process at one instant, with its analyses.

    Nothing is computed before it is asked for, and nothing twice. Sizes are bytes; object ids are rows of
    the object columns.

    Attributes:
        target: what was opened, as it was named.
        data: the columns and tables themselves.
    """

    def __init__(self, data: Data, target: str) -> None:
        self.data = data
        self.target = target

    def __repr__(self) -> str:
        meta = self.meta
        return f"<goretain.Snapshot of {meta.program!r} {meta.go_version}: {len(self):,} objects>"

    def __len__(self) -> int:
        """Objects in the snapshot: reachable ones and ones that nothing reaches."""
        return self.data.object_count

    @property
    def meta(self) -> Meta:
        """What the snapshot is of and how it was taken: program, Go version, pause, sums over the spans."""
        return self.data.meta

    @property
    def columns(self) -> Columns:
        """Objects, edges, roots, windows and maps as numpy arrays; see :class:`goretain.snapshot.Columns`."""
        return self.data.columns

    @property
    def types(self) -> list[TypeInfo]:
        """Go types, indexed by ``columns.object_type``."""
        return self.data.types

    @property
    def roots(self) -> list[RootNode]:
        """Globals, goroutines and specials, indexed by ``columns.root_node``."""
        return self.data.roots

    @property
    def goroutines(self) -> list[Goroutine]:
        """Goroutines that are not dead, with their stacks."""
        return self.data.goroutines

    @cached_property
    def heap(self) -> Heap:
        """The measured heap: dominators, retained sizes. Patterns work on it."""
        from goretain.heap.heap import Heap

        return Heap(self.data)

    def histogram(self) -> list[TypeRow]:
        """Reachable objects and bytes by Go type, most bytes first; type None is unknown."""
        return self.heap.histogram

    def holders(self, *, strict: bool = False) -> list[Holder]:
        """Who keeps what alive: every root with its retained bytes and objects, most bytes first.

        Args:
            strict: all roots are equal, none is served first: what would come back if that one root alone
                let go.
        """
        if not strict:
            return self.heap.holders
        from goretain.heap.holders import find_holders

        return find_holders(self.data, self.heap.strict)

    def shared(self) -> list[Shared]:
        """Memory that several holders reach and none dominates, counted once, most bytes first."""
        return self.heap.shared

    def findings(self, *, min_bytes: int = 0, focus: str = "") -> Findings:
        """What the patterns of the catalogue recognise, most bytes first.

        Args:
            min_bytes: leave out findings below it.
            focus: only findings whose holder or chain starts with this name.
        """
        from goretain.diagnosis.diagnose import diagnose
        from goretain.reports.notebook import Findings

        return Findings(diagnose(self.heap, min_bytes=min_bytes, focus=focus).findings)

    def backing(self) -> Backing:
        """Bytes of arrays that no slice or string shows, for each object: lost, slack, padding, hidden."""
        return self.heap.backing

    def maps(self) -> Sequence[MapFill]:
        """Every map, most saving first: entries, slots, bytes, and bytes that a fresh table would save."""
        return self.heap.maps

    def coverage(self) -> Coverage:
        """How much of the heap was enumerated, typed and found under a named root."""
        return self.heap.coverage

    def chain(self, object_id: int) -> Chain:
        """The shortest path of names from an object's holder to it."""
        return self.heap.chain(object_id)

    def also_from(self, object_id: int) -> list[str]:
        """Other roots that reach the object, by name."""
        return self.heap.also_from(object_id)

    def retained(self, object_id: int) -> int:
        """Bytes that would come back if the object went: its dominator subtree."""
        return self.heap.retained(object_id)

    def why(
        self,
        *,
        top: int = 10,
        min_bytes: int = 0,
        focus: str = "",
        without: Sequence[str] = (),
        spans: bool = False,
    ) -> WhyReport:
        """The answer of ``goretain why``: findings, holders and coverage in one struct.

        Args:
            top: rows of each list.
            min_bytes: findings and holders below it are left out.
            focus: only findings and holders whose name starts with it.
            without: names of holders; the report then also says what would come back if they let go.
            spans: whether to say how full spans are, by size class.
        """
        from goretain.reports.why import why_report

        return why_report(
            self.target,
            self.heap,
            top=top,
            min_bytes=min_bytes,
            focus=focus,
            without=without,
            spans=spans,
        )

    def chains(self, what: str, *, top: int = 10, min_bytes: int | None = 0) -> ChainsReport:
        """All shortest chains to some objects, merged: the answer of ``goretain chains``.

        Args:
            what: a type, a holder, an object id or an address (as text); in names ``*`` stands for anything.
            top: children of each link.
            min_bytes: chains that lead to less are left out; None is 1 % of everything chosen.
        """
        from goretain.reports.chains import chains_report

        return chains_report(self.target, self.heap, what, top=top, min_bytes=min_bytes)

    def query(self, sql: str, *, limit: int = 100_000, memory: int = 1 << 30) -> QueryReport:
        """Ask the heap in SQL: the answer of ``goretain query``; docs/query.md has the tables.

        Args:
            sql: one SELECT.
            limit: rows to fetch.
            memory: bytes that the query may take besides the columns, which it reads where they are.
        """
        from goretain.reports.query import query_report

        return query_report(self.target, self.heap, sql, limit=limit, memory=memory)

    def export(self, form: str, *, what: str = "") -> bytes:
        """The chains for other programs: what ``goretain export`` writes.

        Args:
            form: "pprof" (gzipped), "json", "dot", "svg" or "folded".
            what: only chains to a type, a holder or an object.
        """
        from goretain.reports.export import export

        return export(self.target, self.heap, form, what)

    def diff(self, later: Snapshot, *more: Snapshot, by: By | None = None, top: int = 10) -> DiffReport:
        """What changed from this snapshot to later ones: the answer of ``goretain diff``.

        Args:
            more: further ones, in order.
            by: count every look by "holder", "chain", "type" or "goroutine" too, instead of looking for
                findings.
            top: rows of each list.
        """
        from goretain.reports.diff import Series

        series = Series(by, findings=by is None)
        for look in (self, later, *more):
            series.add(look.target, look.heap)
        return series.report(top)

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the snapshot to a file that ``open`` takes; its size in bytes. Only this user may read it.

        Raises:
            UsageError: the file cannot be written there.
        """
        from goretain.snapshot import save

        return save(self.data, path)
