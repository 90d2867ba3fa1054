"""``goretain profile`` on a running program: by URL and by file, one and two, beside go tool pprof."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from goretain.cli import main
from goretain.model.units import iec
from tests.support import profiles
from tests.support.golang import VERSIONS, go_program, running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A running program and a folder with its heap before and after it grew, and its goroutines."""
    folder = tmp_path_factory.mktemp("profiles")
    with running(go_program("profiled", VERSIONS[-1])) as target:
        ((url,),) = target.facts["url"]
        for name, path in (
            ("before", "heap?gc=1"),
            ("again", "heap"),
            ("after", "heap?gc=1"),
            ("count", "goroutine"),
            ("stands", "goroutine?debug=2"),
            ("waited", "block"),
        ):
            if name == "after":
                profiles.fetched(target, "/grow")
            (folder / name).write_bytes(profiles.fetched(target, f"/debug/pprof/{path}"))
        yield url, folder


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert main.run(["profile", *map(str, arguments)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_it_says_what_is_allocated_what_stays_and_how_sure(
    service: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    url, folder = service
    page = run(capsys, f"{url}/debug/pprof/heap", folder / "count")
    stays, allocated = page.partition("What is allocated")[::2]
    assert "one in 512.0 KiB" in page
    assert "main.keep main.go:" in stays
    assert "bytes.growSlice" in stays.partition("main.filled")[0]
    assert "main.churn" not in stays
    assert "main.churn" in allocated
    few = json.loads(run(capsys, "--json", folder / "before"))["heap"]["unclaimed_sites"]
    assert ("too few samples to claim anything" in run(capsys, folder / "before")) == (few > 0)
    assert "12  main.wait main.go:" in page
    assert "<- main.worker  {kind=worker}" in page


def test_a_small_profile_needs_nothing_compiled(service: Any) -> None:
    _, folder = service
    program = f"import sys; from goretain.cli import main; main.run(['profile', {str(folder / 'before')!r}])"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; sys.exit('numba' in sys.modules)"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_its_figures_are_those_of_pprof(service: Any, capsys: pytest.CaptureFixture[str]) -> None:
    _, folder = service
    report = json.loads(run(capsys, "--json", "--top", "1000", folder / "before"))
    assert report["schema"] == "goretain/profile/1"
    for kind, rows, field in (
        ("inuse_space", "in_use", "in_use_bytes"), ("alloc_objects", "allocated", "allocated_objects"),
    ):  # fmt: skip
        flat: Counter[str] = Counter()
        for row in report["heap"][rows]:
            flat[row["place"]["function"]] += row[field]
        of_pprof = {name: amount for name, (amount, _) in profiles.top(folder / "before", kind).items()}
        assert +flat == +Counter(of_pprof)
        assert report["heap"]["total"][field] == sum(of_pprof.values())


def test_many_profiles_are_added_up_as_pprof_adds_them(
    service: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    _, folder = service
    files = [folder / "before", folder / "after"] * 5
    report = json.loads(run(capsys, "--json", "--top", "1000", *files, folder / "count"))
    flat: Counter[str] = Counter()
    for row in report["heap"]["in_use"]:
        flat[row["place"]["function"]] += row["in_use_bytes"]
    of_pprof = profiles.top(files[0], "inuse_space", *files[1:])
    assert +flat == +Counter({name: amount for name, (amount, _) in of_pprof.items()})
    assert (len(report["files"]), report["goroutines"]["rows"][0]["count"]) == (11, 12)
    assert report["files"][0] == report["files"][2]
    assert "1 more file: --json" in run(capsys, *files, folder / "count")


def test_a_difference_is_that_of_pprof_and_says_what_is_noise(
    service: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    _, folder = service
    report = json.loads(run(capsys, "--json", "--diff", "--top", "1000", folder / "before", folder / "after"))
    assert report["schema"] == "goretain/profile-diff/1"
    assert report["same_process"] is True
    change: Counter[str] = Counter()
    for row in report["sites"]:
        change[row["place"]["function"]] += row["in_use_change"]
    base = f"-diff_base={folder / 'before'}"
    of_pprof = profiles.top(folder / "after", "inuse_space", base)
    assert {name: size for name, size in change.items() if size} == {
        name: flat for name, (flat, _) in of_pprof.items() if flat
    }
    grown, dropped = (
        next(row for row in report["sites"] if row["place"]["function"] == name)
        for name in ("main.grow", "main.main")
    )
    assert grown["noise"] is dropped["noise"] is False
    assert abs(grown["in_use_change"] - (16 << 20)) < 5 * grown["error"]
    assert abs(dropped["in_use_change"] + (8 << 20)) < 5 * dropped["error"]
    page = run(capsys, "--diff", folder / "before", folder / "after")
    assert "main.keep" not in page
    assert "main.grow main.go:" in page
    assert "same garbage collection" in run(capsys, "--diff", folder / "before", folder / "again")
    assert "as many at every place" in run(capsys, "--diff", folder / "count", folder / "count")


def test_a_difference_in_the_wrong_order_is_of_one_process_too(
    service: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its figures are those of the right order with the other sign, its errors the same, and it says so."""
    _, folder = service
    right, wrong = (
        json.loads(run(capsys, "--json", "--diff", folder / a, folder / b))
        for a, b in (("before", "after"), ("after", "before"))
    )
    assert wrong["same_process"] is True
    assert [-row["in_use_change"] for row in wrong["sites"]] == [
        row["in_use_change"] for row in right["sites"]
    ]
    assert [row["error"] for row in wrong["sites"]] == [row["error"] for row in right["sites"]]
    assert wrong["total"]["allocated_change"] == -right["total"]["allocated_change"] < 0
    page = run(capsys, "--diff", folder / "after", folder / "before")
    assert "it is older than the first" in page
    assert f"allocated  {iec(right['total']['allocated_change'])} between the two" in page


def test_a_dump_is_compared_with_a_profile_by_place(service: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A profile knows no wait reasons: what waits where it waited has not changed."""
    _, folder = service
    for order in (("count", "stands"), ("stands", "count")):
        page = run(capsys, "--diff", *(folder / name for name in order))
        assert "main.wait" not in page
        assert "compared by place" in page


def test_profiles_of_another_kind_are_subtracted_as_pprof_does(
    service: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    url, folder = service
    (folder / "later").write_bytes(profiles.fetched_url(f"{url}/debug/pprof/block"))
    report = json.loads(run(capsys, "--json", "--diff", "--top", "1000", folder / "waited", folder / "later"))
    change: Counter[str] = Counter()
    for row in report["values"]["rows"]:
        change[row["place"]["function"]] += row["values"][1]
    of_pprof = profiles.top(folder / "later", "delay", f"-diff_base={folder / 'waited'}")
    assert change
    assert change == {name: flat for name, (flat, _) in of_pprof.items() if flat}
    assert "main.contend" not in run(capsys, "--diff", folder / "waited", folder / "later")


def test_differences_taken_by_the_server_are_not_taken_for_what_is_in_use(
    service: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    url, folder = service
    (folder / "delta").write_bytes(profiles.fetched_url(f"{url}/debug/pprof/heap?seconds=1"))
    page = run(capsys, folder / "delta")
    assert "it is a difference of two (?seconds=N)" in page
    assert "What changed in use" in page
    assert "since the start" not in page
    heap = json.loads(run(capsys, "--json", folder / "delta"))["heap"]
    assert {row["survival"] for row in [heap["total"], *heap["in_use"]]} == {None}
    assert main.run(["profile", "--diff", str(folder / "before"), str(folder / "delta")]) == 2
    assert "fetch both without ?seconds" in capsys.readouterr().err
    assert main.run(["profile", "--diff", str(folder / "before"), str(folder / "count")]) == 2
    assert "two profiles of one kind, or goroutines twice" in capsys.readouterr().err


@pytest.mark.parametrize(
    "version",
    [
        pytest.param(version, marks=() if version in (VERSIONS[0], VERSIONS[-1]) else pytest.mark.long)
        for version in VERSIONS
    ],
)
def test_beside_every_site_stands_who_holds_it(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As many sampled objects are found in memory as the profile has samples, each with its variable."""
    with running(go_program("profiled", version)) as target:
        ((url,),) = target.facts["url"]
        address = f"{url}/debug/pprof/heap?gc=1"
        report = json.loads(run(capsys, "--json", "--heap", str(target.pid), address))
    assert report["joined"]["pid"] == target.pid
    held = {
        "main.keep": "main.kept", "main.link": "main.records", "main.newPair[go.shape.int]": "main.pairs",
        "main.filled": "main.buffers",
    }  # fmt: skip
    rows = {row["own"]["function"]: row for row in report["heap"]["in_use"] if row["own"]}
    for site, variable in held.items():
        assert [held["holders"] for held in rows[site]["held_by"]] == [[variable]], site
        (only,) = rows[site]["held_by"]
        assert only["samples"] == rows[site]["in_use_samples"]
        assert only["chain"]["root"] == variable
