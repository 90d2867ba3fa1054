"""All benchmarks in turn: ``make bench``."""

from __future__ import annotations

from benchmarks import (
    bench_analysis,
    bench_graph,
    bench_load,
    bench_pause,
    bench_peers,
    bench_profiles,
    bench_room,
    bench_snap,
    bench_traces,
    bench_watch,
    gate,
    gatemyth,
    remedies,
)
from benchmarks.schema import __main__ as schema

for title, run in (
    ("Pause: lean copy against full copy", bench_pause.main),
    ("A busy server captured a thousand times", bench_load.main),
    ("An image: start-up and writing", bench_snap.main),
    ("Whole analysis: image to findings", bench_analysis.main),
    ("Memory of an analysis, measured and estimated", bench_room.main),
    ("Graph part alone", bench_graph.main),
    ("Profiles: one large, and a fleet", bench_profiles.main),
    ("Execution traces: events a CPU second", bench_traces.main),
    ("A watch of ten processes", bench_watch.main),
    ("The gate's laboratory", lambda: gate.main([])),
    ("The myth of the third run", gatemyth.main),
    ("Remedies and naive forms", lambda: remedies.main([])),
    ("Decoding JSON: generated types, maps, quicktype", schema.main),
    ("Beside other tools, on one core", bench_peers.main),
):
    print(f"== {title}", flush=True)
    run()
