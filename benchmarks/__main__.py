"""All benchmarks in turn: ``make bench``."""

from __future__ import annotations

from benchmarks import bench_analysis, bench_graph, bench_pause

for title, run in (
    ("Pause: lean copy against full copy", bench_pause.main),
    ("Whole analysis: image to findings", bench_analysis.main),
    ("Graph part alone", bench_graph.main),
):
    print(f"== {title}", flush=True)
    run()
