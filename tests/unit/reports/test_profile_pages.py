"""Pages of ``profile`` and its difference; golden files hold whole ones (--update writes them anew)."""

from __future__ import annotations

import pytest

from goretain.profile.readers.gather import gather
from goretain.profile.readers.read import read_contents
from goretain.profile.sources.source import Source
from goretain.reports.profile.build import profile_report
from goretain.reports.profile.diff import profile_diff
from goretain.reports.text import render_profile, render_profile_diff
from tests.unit.reports.test_formats import compare

FRAMES = """#\t0x1\tbytes.growSlice+0x1\t/usr/local/go/src/bytes/buffer.go:249
#\t0x2\tgithub.com/acme/shop/report.(*Writer).Write+0x2\t/src/report/writer.go:51
#\t0x3\tmain.handle+0x3\t/src/main.go:20
#\t0x4\tnet/http.HandlerFunc.ServeHTTP+0x4\t/go/src/net/http/server.go:2220
"""


def heap(cached: int, reports: int) -> Source:
    """A heap profile in text: a cache, reports, something small and something large."""
    text = f"""heap profile: 1: 1 [1: 1] @ heap/1048576
{cached}: {cached * 4096} [{cached}: {cached * 4096}] @ 0x9
#\t0x9\tmain.(*cache).put+0x9\t/src/cache.go:33

{reports}: {reports * 65536} [{reports + 400}: {(reports + 400) * 65536}] @ 0x1 0x2 0x3
{FRAMES}
1: 16 [2: 32] @ 0x8
#\t0x8\tmain.tiny\x1b[31m+0x8\t/src/main.go:7

1: 8388608 [1: 8388608] @ 0x7
#\t0x7\tmain.init.0+0x7\t/src/main.go:3

# runtime.MemStats
# Sys = 90000000
# TotalAlloc = 500000000
# HeapAlloc = 20000000
# HeapSys = 80000000
# HeapIdle = 50000000
# HeapInuse = 30000000
# HeapReleased = 40000000
# HeapObjects = 4000
# Stack = 360448 / 360448
# NextGC = 40000000
# NumGC = {cached}
# NumForcedGC = 2
# GCCPUFraction = 0.015
# MaxRSS = 95000000
"""
    return Source("heap.txt", text.encode())


LOG = Source(
    "server.log",
    b"""gc 1 @0.003s 5%: 0.26+0.22+0.004 ms clock, 0.5+0/0.3/0.09+0.009 ms cpu, 3->4->4 MB, 4 MB goal,\
 0 MB stacks, 0 MB globals, 2 P
gc 2 @9.500s 1%: 0.1+12+0.2 ms clock, 0.2+1/2/0+0.4 ms cpu, 70->80->64 MB, 73 MB goal, 1 MB stacks,\
 0 MB globals, 2 P (forced)
scav 2048 KiB work (bg), 0 KiB work (eager), 6704 KiB now, 87% util
BenchmarkPut-8   1000   1234 ns/op   56 B/op
BenchmarkPut-8   1000   1334 ns/op   56 B/op
panic: boom

goroutine 7 [chan receive, 12 minutes]:
main.worker(0xc0)
\t/src/worker.go:12 +0x14
created by main.start in goroutine 1
\t/src/main.go:9 +0x20
""",
)


@pytest.mark.parametrize("width", [80, 120])
def test_profile_as_text(width: int, request: pytest.FixtureRequest) -> None:
    report = profile_report(gather([heap(400, 40), LOG], 2))
    page = render_profile(report, width).text
    assert "\x1b" not in page
    compare(f"profile-{width}.txt", page, request)


def test_profile_diff_as_text(request: pytest.FixtureRequest) -> None:
    report = profile_diff(read_contents(heap(400, 40)), read_contents(heap(402, 90)))
    compare("profile-diff-100.txt", render_profile_diff(report, 100).text, request)
