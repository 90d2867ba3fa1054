"""What programs print of themselves: forms that no test program can be made to print, and damage."""

from __future__ import annotations

import random

import pytest

from goretain.model.errors import CorruptFile
from goretain.profile.columns import Label
from goretain.profile.contents import Contents
from goretain.profile.goroutines import groups
from goretain.profile.readers.read import read_contents
from goretain.profile.sources.source import Source
from goretain.snapshot import Frame

DUMP = """some line of a log
fatal error: all goroutines are asleep - deadlock!

goroutine 1 gp=0xc000002380 m=nil [sync.WaitGroup.Wait, 12 minutes, locked to thread]:
sync.runtime_SemacquireWaitGroup(0xc000012000?, 0x0?)
\t/usr/local/go/src/runtime/sema.go:114 +0x2e fp=0xc00007 sp=0xc00006 pc=0x47
main.(*pool[...]).wait(0xc000012000, {0x4b2f60, 0x5})
\t/src/my app/pool.go:31 +0x4a
gopkg.in/yaml%2ev3.Load(...)
\t/src/load.go:9
...additional frames elided...
main.main()
\t/src/main.go:12 +0x1d
[originating from goroutine 9]:
main.old(...)
\t/src/main.go:99

goroutine 0 gp=0x55 m=0 mp=0x56 [idle]:
runtime.futex()
\t/usr/local/go/src/runtime/sys_linux_amd64.s:557 +0x21

goroutine 34 [chan receive (leaked), 3 minutes, synctest bubble 4] {queue: q1, "a b": "c,\\" d"}:
main.listen.func1()
\t/src/main.go:40 +0x25
created by main.listen in goroutine 1
\t/src/main.go:38 +0x5c

goroutine 35 [running]:
\tgoroutine running on other thread; stack unavailable
created by main.listen
\t/src/main.go:38 +0x5c
"""


def read(text: str) -> Contents:
    return read_contents(Source("log", text.encode()))


def test_a_dump_is_read_in_full() -> None:
    contents = read(DUMP.replace("\n", "\r\n"))
    assert contents.ended == "fatal error: all goroutines are asleep - deadlock!"
    first, leaked, unavailable = contents.goroutines
    assert (first.state, first.minutes, first.created_at) == ("sync.WaitGroup.Wait", 12, None)
    assert first.frames == (
        Frame("sync.runtime_SemacquireWaitGroup", "/usr/local/go/src/runtime/sema.go", 114),
        Frame("main.(*pool[...]).wait", "/src/my app/pool.go", 31),
        Frame("gopkg.in/yaml.v3.Load", "/src/load.go", 9),
        Frame("main.main", "/src/main.go", 12),
    )
    assert (leaked.state, leaked.minutes) == ("chan receive (leaked)", 3)
    assert leaked.labels == (Label("queue", "q1"), Label("a b", 'c,\\" d'))
    assert leaked.created_at == unavailable.created_at == Frame("main.listen", "/src/main.go", 38)
    assert unavailable.frames == ()


def test_goroutines_of_one_place_are_one_group() -> None:
    many = "\n".join(DUMP.partition("goroutine 34")[2].join(("goroutine 34", "")) for _ in range(3))
    rows = groups(read(many).goroutines)
    assert sorted(row.count for row in rows) == [3, 3]
    assert rows[0].labels == (Label("queue", "q1"), Label("a b", 'c,\\" d'))
    assert rows[0].minutes == 3


def test_lines_of_a_running_program_are_found_between_others() -> None:
    contents = read(
        "2026/11/22 serving\n"
        "gc 1 @0.028s 2%: 0.073+0.78+0.024 ms clock, 0.58+0.30/0.90/0+0.19 ms cpu, 3->4->1 MB, 4 MB goal,"
        " 0 MB stacks, 1 MB globals, 8 P\n"
        "gc 2 @130.5s 0% (checking for goroutine leaks): 1+2+3 ms clock, 8+0/1/2+4 ms cpu, 9->9->8 MB,"
        " 10 MB goal, 2 MB stacks, 0 MB globals, 8 P (forced)\n"
        "gc 3 @140.5s 0%: garbled\n"
        "scav 8 KiB work (bg), 16 KiB work (eager), 3128 KiB now, 98% util [controller reset]\n"
        "scav 0 KiB work (bg), 0 KiB work (eager), 3128 KiB now, 97% util (forced)\n"
        "BenchmarkA/sub=1-8 \t 1000\t 12.5 ns/op\t 56 B/op\t 2 allocs/op\t -3.0 change\n"
        "BenchmarkPrints some line\n"
        "SIGSEGV: segmentation violation\n"
    )
    first, second = contents.collections
    assert (first.number, first.at, first.cpu_percent, first.pauses_ms) == (1, 0.028, 2, (0.073, 0.024))
    assert (first.mark_ms, first.assist_ms, first.live, first.globals, first.procs) == (
        0.78,
        0.3,
        1 << 20,
        1 << 20,
        8,
    )
    assert (second.forced, second.start, second.stacks) == (True, 9 << 20, 2 << 20)
    assert [(row.background, row.eager, row.utilisation) for row in contents.scavenges] == [
        (8 << 10, 16 << 10, 98), (0, 0, 97),
    ]  # fmt: skip
    (run,) = contents.benchmarks
    assert (run.name, run.iterations) == ("BenchmarkA/sub=1-8", 1000)
    assert run.values == {"ns/op": 12.5, "B/op": 56, "allocs/op": 2, "change": -3}
    assert contents.ended == "SIGSEGV: segmentation violation"


GC = (
    "gc 1 @0.028s 2%: 0.073+0.78+0.024 ms clock, 0.58+0.30/0.90/0+0.19 ms cpu, 3->4->1 MB, 4 MB goal,"
    " 0 MB stacks, 1 MB globals, 8 P\nscav 8 KiB work (bg), 16 KiB work (eager), 3128 KiB now, 98% util\n"
)


@pytest.mark.parametrize(
    "prefix",
    [
        "2026-11-23T01:02:03.123456789Z ",
        "2026-11-23T01:02:03+01:00 ",
        "2026-11-23T01:02:03.123456789Z stderr F ",
        "Nov  3 01:02:03 node-7 shop-api[4242]: ",
        "2026-11-23T01:02:03+0000 node-7 shop-api[4242]: ",
        "[pod/shop-api-7d9f/api] ",
        "[pod/shop-api-7d9f/api] 2026-11-23T01:02:03.123456789Z ",
        "api-1  | ",
        "api-1  | 2026-11-23T01:02:03.123456789Z ",
    ],
)
def test_what_log_collectors_put_in_front_of_lines_is_passed_over(prefix: str) -> None:
    plain = read(GC + DUMP)
    assert (len(plain.collections), len(plain.scavenges), len(plain.goroutines)) == (1, 1, 3)
    for blank in (prefix, prefix.rstrip()):
        lines = [prefix + line if line else blank for line in (GC + DUMP).splitlines()]
        found = read("\n".join(lines))
        assert (found.goroutines, found.ended) == (plain.goroutines, plain.ended)
        assert (found.collections, found.scavenges) == (plain.collections, plain.scavenges)


HEAP = """heap profile: 2: 96 [4: 192] @ heap/1048576
1: 48 [2: 96] @ 0x47a 0x47b
#\t0x479\tmain.keep+0x79\t\t/src/main.go:10
#\t0x47a\tgopkg.in/yaml%2ev3.(*T).Load+0x7a\t/src/my file.go:20

1: 48 [2: 96] @ 0x7f12
#\t0x7f11

0: 0 [0: 0] @

# runtime.MemStats
# Alloc = 5
"""


def test_a_heap_profile_in_text_need_not_have_symbols_or_statistics() -> None:
    contents = read(HEAP)
    profile = contents.profile
    assert profile is not None
    assert profile.period == 524288
    assert [profile.stacks.frames(stack) for stack in profile.stack] == [
        (Frame("main.keep", "/src/main.go", 10), Frame("gopkg.in/yaml.v3.(*T).Load", "/src/my file.go", 20)),
        (Frame(""),),
        (),
    ]
    factor = 1 / (1 - 2.718281828459045 ** (-48 / 524288))
    assert profile.values[0].tolist() == [int(2 * factor), int(96 * factor), int(factor), int(48 * factor)]
    assert profile.values[2].tolist() == [0, 0, 0, 0]
    assert contents.memory is None


@pytest.mark.parametrize(
    ("change", "to"),
    [
        ("1: 48 [2: 96] @ 0x7f12", "1: 48 [2: 96 @ 0x7f12"),
        ("/src/main.go:10", "/src/main.go"),
        ("main.keep+", "main.keep"),
    ],
)
def test_a_damaged_line_is_an_error_with_its_offset(change: str, to: str) -> None:
    text = HEAP.replace(change, to)
    with pytest.raises(CorruptFile, match=r"no (line|frame)") as wrong:
        read(text)
    assert wrong.value.offset == text.rindex("\n", 0, text.index(to) + 1) + 1


def test_text_about_something_else_is_refused() -> None:
    with pytest.raises(CorruptFile, match="text without a line"):
        read("hello\n")


@pytest.mark.parametrize("sound", [DUMP, HEAP], ids=["dump", "heap"])
def test_damaged_text_is_an_error_with_the_offset_or_read(sound: str) -> None:
    rng = random.Random(20261122)
    read_well, refused = 0, []
    for _ in range(2000):
        data = bytearray(sound.encode())
        for _ in range(rng.choice((1, 1, 2, 5))):
            at = rng.randrange(len(data))
            data[at : at + rng.choice((0, 1, 1, 9))] = rng.randbytes(rng.choice((0, 1, 2)))
        try:
            contents = read_contents(Source("damaged", bytes(data)))
        except CorruptFile as wrong:
            refused.append(wrong)
        else:
            read_well += 1
            assert contents.profile is None or contents.profile.values.shape == (
                len(contents.profile.stack),
                4,
            )
    assert read_well > 100
    assert all(wrong.offset is not None for wrong in refused)
