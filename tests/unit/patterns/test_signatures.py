"""What each signature reports and, more important, what it leaves alone."""

from __future__ import annotations

import pytest

from goretain.snapshot import Layer, WindowKind
from tests.unit.patterns.heaps import BUFFER, BYTES, GROUPS, POOL, Maker, Row, find

KB, MB = 1 << 10, 1 << 20


def one_place(
    *rows: Row,
    kind: WindowKind = WindowKind.SLICE,
    layer: Layer = Layer.PROGRAM,
    goid: int = 0,
    state: str = "running",
) -> Maker:
    maker = Maker()
    maker.windows(maker.holder("main.cache", layer, goid, state), list(rows), kind=kind)
    return maker


def test_slices_cut_from_the_middle_of_arrays_are_one_finding_with_the_sum() -> None:
    rows = [Row(64 * KB, 100, 5, 64 * KB - 100)] * 20
    (finding,) = find("GR101", one_place(*rows).heap())
    assert (finding.holder, finding.count, finding.severity) == ("main.cache", 20, "leak")
    assert finding.hidden_bytes == finding.saving_bytes == 20 * (64 * KB - 5)
    assert finding.confidence.level == "proved"


def test_a_limited_capacity_changes_nothing() -> None:
    (finding,) = find("GR101", one_place(Row(128 * KB, 10, 10, 10)).heap())
    assert finding.hidden_bytes == 128 * KB - 10
    assert "no slice or string reaches" in finding.confidence.reason


def test_below_64_kb_a_place_is_not_reported() -> None:
    assert find("GR101", one_place(*[Row(4 * KB, 100, 5, 5)] * 15).heap()) == []
    assert len(find("GR101", one_place(*[Row(4 * KB, 100, 5, 5)] * 17).heap())) == 1


@pytest.mark.parametrize(
    "row",
    [
        Row(256 * KB, 0, 0, 256 * KB),  # a reset buffer
        Row(256 * KB, 0, 140 * KB, 256 * KB),  # append doubled it
        Row(256 * KB, 0, 64 * KB, 256 * KB),  # a quarter is shown
        Row(256 * KB, 100 * KB, 156 * KB, 156 * KB),  # a queue that was read from
    ],
)
def test_room_to_grow_is_healthy(row: Row) -> None:
    assert find("GR101", one_place(row).heap()) == []


def test_a_field_that_shows_the_front_of_its_array_may_be_a_buffer() -> None:
    row = Row(512 * KB, 0, 10, 512 * KB)
    assert find("GR101", one_place(*[row] * 8).heap()) == []
    (finding,) = find("GR101", one_place(*[row] * 9).heap())
    assert (finding.severity, finding.confidence.level) == ("waste", "likely")


@pytest.mark.parametrize(("type", "word"), [(GROUPS, 2), (BYTES, 0)], ids=["map", "list"])
def test_the_front_of_an_array_in_a_map_or_list_is_likely_a_leak(type: int, word: int) -> None:
    maker = Maker()
    maker.windows(maker.holder("main.cache"), [Row(512 * KB, 0, 10, 512 * KB)], type=type, word=word)
    (finding,) = find("GR101", maker.heap())
    assert (finding.severity, finding.confidence.level) == ("leak", "likely")
    assert "may be a buffer in use" in finding.confidence.reason
    assert finding.confidence.decide


@pytest.mark.parametrize("capacity", [10, 500 * KB])
def test_a_part_from_the_middle_is_certain_in_a_map(capacity: int) -> None:
    maker = Maker()
    maker.windows(maker.holder("main.cache"), [Row(512 * KB, 100, 10, capacity)], type=GROUPS, word=2)
    (finding,) = find("GR101", maker.heap())
    assert (finding.severity, finding.confidence.level) == ("leak", "proved")


def test_what_a_pool_keeps_is_left_alone() -> None:
    maker = Maker()
    node = maker.holder("main.buffers")
    maker.windows(node, [Row(512 * KB, 100, 10, 10)], type=BYTES, word=0)
    owner = len(maker.build.sizes) - 2
    assert len(find("GR101", maker.heap())) == 1
    local = maker.build.add(256, POOL)
    maker.build.roots[-1] = (node, local, ".local")
    maker.build.edges.append((local, 1, owner))
    assert find("GR101", maker.heap()) == []


def test_buffers_of_the_standard_library_own_their_slack_but_not_what_is_lost() -> None:
    maker = Maker()
    node = maker.holder("main.buffers")
    maker.windows(node, [Row(512 * KB, 0, 10, 512 * KB)] * 4, type=BUFFER, word=0)
    assert find("GR101", maker.heap()) == []
    maker.windows(node, [Row(512 * KB, 0, 10, 10)], type=BUFFER, word=0)
    (finding,) = find("GR101", maker.heap())
    assert finding.count == 1


def test_a_part_from_the_middle_is_certain_in_a_struct_of_the_standard_library() -> None:
    maker = Maker()
    node = maker.holder("main.blocks")
    maker.windows(node, [Row(50_000, 1000, 100, 49_000)] * 30, type=BUFFER, word=0)
    (finding,) = find("GR101", maker.heap())
    assert (finding.count, finding.severity, finding.confidence.level) == (30, "leak", "proved")


@pytest.mark.parametrize(
    ("layer", "goid", "state", "found"),
    [
        (Layer.RUNTIME, 0, "", 0),
        (Layer.RUNNING, 18, "running", 0),
        (Layer.RUNNING, 18, "runnable", 0),
        (Layer.RUNNING, 18, "syscall", 1),
        (Layer.RUNNING, 1, "running", 1),
        (Layer.PARKED, 18, "waiting", 1),
    ],
)
def test_what_the_runtime_or_a_goroutine_at_work_holds_is_left_alone(
    layer: Layer, goid: int, state: str, found: int
) -> None:
    row = Row(128 * KB, 10, 10, 10)
    for kind, code in ((WindowKind.SLICE, "GR101"), (WindowKind.STRING, "GR102")):
        assert len(find(code, one_place(row, kind=kind, layer=layer, goid=goid, state=state).heap())) == found


def test_small_arrays_are_reported_when_there_are_very_many_and_they_were_cut_for_certain() -> None:
    row = Row(512, 100, 5, 412)
    assert find("GR101", one_place(*[row] * 2000).heap()) == []
    assert [f.count for f in find("GR101", one_place(*[row] * 2100).heap())] == [2100]
    assert find("GR101", one_place(*[Row(512, 0, 5, 512)] * 2100).heap()) == []


def test_two_holders_and_two_fields_are_separate_findings() -> None:
    maker = Maker()
    row = Row(128 * KB, 10, 10, 10)
    first, second = maker.holder("main.a"), maker.holder("main.b")
    maker.windows(first, [row])
    maker.windows(second, [row])
    maker.windows(second, [row], type=BUFFER, word=0)
    assert sorted(f.holder for f in find("GR101", maker.heap())) == ["main.a", "main.b", "main.b"]


def test_what_two_globals_share_belongs_to_both() -> None:
    maker = Maker()
    left, right = maker.holder("main.left"), maker.holder("main.right")
    maker.windows(left, [Row(128 * KB, 10, 10, 10)])
    maker.build.roots.append((right, len(maker.build.sizes) - 2, ""))
    (finding,) = find("GR101", maker.heap())
    assert (finding.holder, finding.also_from) == ("main.left and main.right", ())


def test_goroutines_of_one_function_are_one_finding() -> None:
    maker = Maker()
    for goid in range(20, 40):
        node = maker.holder(f"goroutine {goid} [chan receive] main.worker", Layer.PARKED, goid)
        maker.windows(node, [Row(8 * KB, 10, 10, 10)])
    (finding,) = find("GR101", maker.heap())
    assert finding.count == 20


def test_a_variable_is_a_place() -> None:
    maker = Maker()
    maker.variable(maker.holder("main.part"), "", Row(128 * KB, 10, 10, 118 * KB))
    (finding,) = find("GR101", maker.heap())
    assert finding.holder == "main.part"


def test_strings_are_told_from_slices() -> None:
    heap = one_place(Row(128 * KB, 0, 10, 10), kind=WindowKind.STRING).heap()
    assert find("GR101", heap) == []
    (finding,) = find("GR102", heap)
    assert (finding.hidden_bytes, finding.severity) == (128 * KB - 10, "leak")


def test_fields_that_together_show_half_of_their_text_are_healthy() -> None:
    assert find("GR102", one_place(Row(256 * KB, 0, 129 * KB, 129 * KB), kind=WindowKind.STRING).heap()) == []
    assert (
        len(find("GR102", one_place(Row(256 * KB, 0, 127 * KB, 127 * KB), kind=WindowKind.STRING).heap()))
        == 1
    )


@pytest.mark.parametrize(
    ("entries", "slots", "size", "found"),
    [
        (100, 16384, 300 * KB, 1),
        (0, 16384, 300 * KB, 1),
        (4095, 16384, 300 * KB, 1),
        (4096, 16384, 300 * KB, 0),  # a quarter full
        (100, 2048, 60 * KB, 0),  # too small to matter
    ],
)
def test_a_table_with_room_for_many_more_is_reported(entries: int, slots: int, size: int, found: int) -> None:
    maker = Maker()
    maker.map(maker.holder("main.jobs"), entries=entries, slots=slots, size=size, needed=KB)
    findings = find("GR103", maker.heap())
    assert [f.saving_bytes for f in findings] == [size + 48 - KB] * found


def test_a_sparse_table_is_not_proved_to_be_waste() -> None:
    maker = Maker()
    maker.map(maker.holder("main.lookup"), entries=500, slots=262144, size=4 * MB, needed=8 * KB)
    (finding,) = find("GR103", maker.heap())
    assert (finding.severity, finding.confidence.level) == ("waste", "likely")
    assert "500 entries in 262,144 slots" in finding.confidence.reason
    assert "hint" in finding.confidence.reason
    assert "filled again" in finding.confidence.reason
    assert finding.confidence.decide
    assert "largest time" not in finding.title


def test_many_small_tables_of_one_place_are_reported_together() -> None:
    maker = Maker()
    node = maker.holder("main.shards")
    for _ in range(40):
        maker.map(node, entries=1, slots=128, size=3 * KB, needed=KB)
    (finding,) = find("GR103", maker.heap())
    assert (finding.count, finding.severity) == (40, "waste")


def test_a_map_with_more_than_half_of_the_heap_is_an_observation() -> None:
    maker = Maker()
    maker.map(maker.holder("main.cache"), entries=90, slots=128, size=4 * KB, needed=4 * KB, holds=6 * MB)
    maker.map(maker.holder("main.other"), entries=90, slots=128, size=4 * KB, needed=4 * KB, holds=5 * MB)
    (finding,) = find("GR104", maker.heap())
    assert (finding.holder, finding.severity, finding.saving_bytes) == ("main.cache", "observation", 0)
    assert finding.retained_bytes == 6 * MB + 4 * KB + 48
    assert finding.confidence.level == "undecided"
    assert "second snapshot" in (finding.confidence.decide or "")


@pytest.mark.parametrize(("first", "second"), [(5, 6), (6, 7), (3, 0)])
def test_a_heap_that_no_map_dominates_gives_nothing(first: int, second: int) -> None:
    maker = Maker()
    maker.map(maker.holder("main.cache"), entries=90, slots=128, size=KB, needed=KB, holds=first * MB)
    node = maker.holder("main.list")
    maker.variable(node, "", Row(max(second, 1) * MB, 0, max(second, 1) * MB, max(second, 1) * MB))
    assert find("GR104", maker.heap()) == []


def test_an_empty_heap_gives_nothing() -> None:
    for code in ("GR101", "GR102", "GR103", "GR104"):
        assert find(code, Maker().heap()) == []
