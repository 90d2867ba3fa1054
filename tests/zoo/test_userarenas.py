"""User arenas (GOEXPERIMENT=arenas): chunks count to the byte, and are not taken for what stands in them."""

from __future__ import annotations

import pytest

import goretain
from tests.support.golang import VERSIONS, go_program, running, wait_until_blocked

_CASES = [
    pytest.param(
        version,
        link,
        id=f"{version}-{'stripped' if link else 'whole'}",
        marks=[] if (version, link) == (VERSIONS[-1], "") else pytest.mark.long,
    )
    for version in VERSIONS
    for link in ("", "-s -w")
]


@pytest.mark.parametrize(("version", "link"), _CASES)
def test_arena_chunks_are_counted_as_the_runtime_counts_them(version: str, link: str) -> None:
    flags = [f"-ldflags={link}"] if link else []
    program = go_program("userarena", version, experiments=["arenas"], flags=flags)
    with running(program, env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        snapshot = goretain.open(target.pid)
    coverage = snapshot.coverage()
    wanted = (target.fact("HeapAlloc"), target.fact("HeapObjects"))
    assert (coverage.enumerated.bytes, coverage.enumerated.objects) == wanted
    assert coverage.reached == coverage.enumerated
    columns, types = snapshot.data.columns, snapshot.data.types
    # Two arenas are in use, the chunk of the third waits for its next use: the runtime takes 8 MiB each.
    chunks = [o for o, size in enumerate(columns.object_size.tolist()) if 7 << 20 < size <= 8 << 20]
    assert [types[columns.object_type[o]].name for o in chunks] == ["user arena chunk"] * 3
    assert snapshot.findings() == ()
    if not link:
        holders = {holder for shared in snapshot.shared() for holder in shared.holders}
        assert {"main.kept", "main.first", "main.slab", "main.other", "main.spill"} <= holders
        assert next(h for h in snapshot.holders() if h.name == "main.big").retained_bytes == 3 << 20
