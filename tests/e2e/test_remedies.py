"""The remedies compiled, vetted, formatted and stressed, and copied by the command.

All of them are one Go package, so that one ``go test`` runs them. By default that is a short run on the
newest Go. The long matrix does ten million operations in each stress test on every version, and with the race
detector on the oldest and the newest; it fuzzes, and spoils the remedies to see that their tests notice.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.golang import VERSIONS, toolchain
from tests.support.remedies import go, write_module

ROOT = Path(__file__).resolve().parents[2]
GORETAIN = [sys.executable, "-m", "goretain.cli.main"]

#: What is spoilt: file, text, what stands in its place, and the tests that must notice.
SPOILT = (
    ("shrinking_map.go", "\t\tm.move()\n", "", "ShrinkingMapGivesItsTableBack"),
    ("shrinking_map.go", "if m.moves != moves {", "if m.moves < moves {", "ShrinkingMapRangeWhileDeleting"),
    (
        "shrinking_map.go",
        "m.peak = entries, len(entries)",
        "m.peak = entries, m.peak",
        "ShrinkingMapMovesSeldom",
    ),
    (
        "map_ref.go",
        "m.mu.Lock()\n\tdefer m.mu.Unlock()\n\told, ok",
        "m.mu.RLock()\n\tdefer m.mu.RUnlock()\n\told, ok",
        "MapRefLosesNoUpdate",
    ),
    ("managed_map.go", "\tbond.keys.Delete(key)\n", "", "ManagedMapKeepsWhatWasStoredAgain"),
    ("managed_map.go", "\t\tbond.stop()\n", "", "ManagedMapReplacedEntriesLeaveTheContext"),
    ("managed_map.go", "&& entry.bond.ctx.Err() != nil", "&& false", "ManagedMapEntriesEndWithTheirContext"),
    ("sharded_map.go", "\tshard.next = to\n", "", "ShardedMap"),
    ("sharded_map.go", "1 << bits.Len(uint(shards-1))", "shards | 0<<bits.Len(0)", "ShardedMap"),
    ("bounded_cache.go", "\tc.bytes -= node.bytes\n", "", "BoundedCache|FuzzBoundedCache"),
    (
        "bounded_cache.go",
        "unsafe.Sizeof(node)*9/8 + 6*slot",
        "unsafe.Sizeof(node) + slot",
        "BoundedCacheHoldsNoMoreThanMaxBytes",
    ),
    ("bounded_cache.go", "\tnode.unlink()\n\tnode.linkAfter(&c.ring)\n", "", "BoundedCacheDrops"),
    ("bounded_cache.go", "c.full() || c.expired(node)", "c.full()", "BoundedCacheExpires"),
    ("map_pool.go", "\tclear(m)\n", "", "MapPoolGivesEmptyMaps"),
    ("map_pool.go", "|| len(m) > most", "", "MapPoolLetsLargeMapsGo"),
    ("buffer_pool.go", "|| b.Cap() > most", "", "BufferPoolLetsLargeBuffersGo"),
    ("buffer_pool.go", "\tb.Reset()\n", "", "BufferPoolGivesEmptyBuffers"),
    ("clone_helpers.go", "\tcase []any:\n\t\treturn CloneSliceFunc(node, CloneTree)\n", "", "FuzzCloneTree"),
    ("clone_helpers.go", "copied[i] = clone(element)", "copied[i] = element", "ClonesLetTheWholeGo"),
    ("immutable_map.go", "= clone(value)", "= value", "ImmutableMapIsAsDeepAsItSays"),
    ("request_context.go", "return k.With(to, value)", "return k.With(from, value)", "ContextKeyCarries"),
    ("map_view.go", "return maps.Clone(v.entries)", "maps.Clone(v.entries)\n\treturn v.entries", "MapView"),
    ("must_collect.go", '\t\ttb.Fatalf("the %s is', '\t\ttb.Logf("the %s is', "MustCollectFindsWhatIsHeld"),
    ("must_not_grow.go", "first > grownBytes && second", "false && second", "MustNotGrowFindsALeak"),
    ("must_not_grow.go", "first > grownBytes && second", "first > grownBytes || second", "MustNotGrowPasses"),
    ("must_not_grow.go", "first > 0 && second > 0", "false", "MustNotGrowFindsALeak"),
)


def passes(version: str, folder: Path, *arguments: str, timeout: float = 600.0) -> None:
    done = go(version, folder, "test", "-count=1", *arguments, ".", timeout=timeout)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_remedies_pass_their_tests(tmp_path: Path) -> None:
    module = write_module(tmp_path / "remedies")
    gofmt = toolchain(VERSIONS[-1]).goroot / "bin" / "gofmt"
    done = subprocess.run([gofmt, "-l", module], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    passes(VERSIONS[-1], module, "-short", "-vet=all")


def test_a_copy_compiles_where_it_was_copied_to(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module shop\n\ngo 1.21\n")
    place = tmp_path / "cache"
    command = [*GORETAIN, "remedy", "add", "map-ref", "--dir", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.count("  written") == 2
    again = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    report = json.loads(again.stdout)
    assert (report["schema"], report["package"]) == ("goretain/remedy-add/1", "cache")
    assert {file["outcome"] for file in report["files"]} == {"unchanged"}
    done_go = go(VERSIONS[0], tmp_path, "build", "./...")
    assert done_go.returncode == 0, done_go.stderr
    (place / "map_ref.go").write_text("package cache\n")
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "is there and differs" in refused.stderr


def test_remedies_are_listed_and_shown() -> None:
    listed = subprocess.run(
        [*GORETAIN, "remedy", "list", "--for", "gr112"], capture_output=True, text=True, check=True
    )
    assert [line.split()[0] for line in listed.stdout.splitlines() if "GR" in line] == ["map-ref"]
    shown = subprocess.run(
        [*GORETAIN, "remedy", "show", "map-ref"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith("# A typed map with a lock\n")
    assert "\n- mends GR103, GR112, GR124: `goretain rule GR103`\n" in shown.stdout
    assert "\n- stands on shrinking-map, which is copied with it\n" in shown.stdout
    source = subprocess.run(
        [*GORETAIN, "remedy", "show", "map-ref", "--source"], capture_output=True, text=True, check=True
    )
    assert source.stdout.startswith("package remedies\n")
    as_json = subprocess.run(
        [*GORETAIN, "remedy", "show", "map-ref", "--json"], capture_output=True, text=True, check=True
    )
    (row,) = json.loads(as_json.stdout)["remedies"]
    assert source.stdout == row["files"][0]["text"]
    mended = subprocess.run([*GORETAIN, "rule", "GR112"], capture_output=True, text=True, check=True)
    assert mended.stdout.endswith("\n## Go source to copy\n- `goretain remedy show map-ref`\n")
    none = subprocess.run(
        [*GORETAIN, "remedy", "list", "--for", "GR999"], capture_output=True, text=True, check=False
    )
    assert none.returncode == 2
    assert "no remedy is for 'GR999'" in none.stderr


def test_the_page_says_how_many_are_spoilt() -> None:
    page = (ROOT / "docs" / "remedies.md").read_text("utf-8")
    assert f"spoilt in one place at a time, {len(SPOILT)} in all" in page


@pytest.mark.long
def test_ten_million_operations_lose_nothing(go_version: str, tmp_path: Path) -> None:
    module = write_module(tmp_path / "remedies")
    done = go(go_version, module, "vet", ".")
    assert done.returncode == 0, done.stderr
    gofmt = toolchain(go_version).goroot / "bin" / "gofmt"
    assert subprocess.run([gofmt, "-l", module], capture_output=True, text=True, check=True).stdout == ""
    passes(go_version, module, "-timeout=10m")


@pytest.mark.long
@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
def test_the_race_detector_finds_nothing(version: str, tmp_path: Path) -> None:
    module = write_module(tmp_path / "remedies")
    passes(version, module, "-race", "-timeout=20m", timeout=1300)


@pytest.mark.long
@pytest.mark.parametrize("fuzz", ["ShrinkingMap", "BoundedCache", "CloneTree"])
def test_fuzzing_finds_nothing(fuzz: str, tmp_path: Path) -> None:
    module = write_module(tmp_path / "remedies")
    passes(VERSIONS[-1], module, "-run=^$", f"-fuzz=^Fuzz{fuzz}$", "-fuzztime=20000x")


@pytest.mark.long
def test_a_spoilt_remedy_fails_its_tests(tmp_path: Path) -> None:
    unnoticed = []
    for at, (file, old, new, tests) in enumerate(SPOILT):

        def spoil(name: str, text: str, file: str = file, old: str = old, new: str = new) -> str:
            if name != file:
                return text
            assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
            return text.replace(old, new)

        module = write_module(tmp_path / str(at), spoil)
        done = go(VERSIONS[-1], module, "test", "-vet=off", "-timeout=1m", f"-run={tests}", ".")
        said = done.stdout + done.stderr
        if "--- FAIL" not in said and "fatal error: " not in said and "panic: " not in said:
            unnoticed.append((file, old, said[-2000:]))
    assert unnoticed == []
