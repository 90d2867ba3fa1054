"""The file of a watch: what is written is read, and what is no such file is refused."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from goretain.model.errors import CorruptFile
from goretain.profile.goroutines import Where
from goretain.profile.growth.history import Look, history_of
from goretain.profile.sites.sampling import Amounts
from goretain.profile.sites.site import Site, SiteAmounts
from goretain.profile.sources.served import _host
from goretain.profile.watch.moments import Moment
from goretain.profile.watch.pacing import Pacing, started_with
from goretain.profile.watch.record import Record
from goretain.snapshot import Frame


def site(name: str) -> Site:
    return Site(Frame(f"main.{name}", "/src/main.go", 3), None)


def moment(at: float, figures: dict[str, int], goroutines: int | None = None) -> Moment:
    """A look with sites that have allocated so many objects of 8 bytes, half of which are in use."""
    objects = np.array(list(figures.values()), np.int64)
    allocated, in_use = (Amounts(n, 8 * n, n + 1, None) for n in (objects, objects // 2))
    look = Look(at, 512, SiteAmounts(tuple(map(site, figures)), allocated, in_use))
    where = Where(
        Frame("main.wait", "/src/main.go", 9), None, "main.worker", Frame("main.main"), "chan receive"
    )
    return Moment(look, goroutines=None if goroutines is None else Counter({where: goroutines}))


def test_every_look_is_read_as_it_was(tmp_path: Path) -> None:
    """Sites that stay as they are, appear, and are gone with the process; two targets, two openings."""
    looks = [
        moment(1, {"a": 2, "b": 4}, 7),
        moment(2, {"a": 2, "b": 6, "c": 8}, 8),
        moment(3, {"c": 2}),
        moment(4, {"c": 2, "a": 10}, 0),
    ]
    path: dict[Site, tuple[Frame, ...]] = {site("a"): (Frame("main.a"), Frame("main.main"))}
    for half in (looks[:2], looks[2:]):
        with Record(tmp_path / "w") as record:
            for one in half:
                record.add("target", one, path)
                record.add("other", moment(one.look.taken_at, {"b": 9}), path)
                record.write()
            record.fail("target", 5.0, "nobody listens")
            record.write()
            record.add("target", moment(6, {"z": 1}), path)  # not written: as if killed here
    with Record(tmp_path / "w") as record:
        assert record.targets == ("target", "other")
        kept = record.read("target")
        other = record.read("other")
    assert [one.look.taken_at for one in kept.moments] == [1, 2, 3, 4]
    assert kept.failed == [(5.0, "nobody listens")] * 2
    assert kept.paths[site("a")] == path[site("a")]
    for one, expected in zip(kept.moments, looks, strict=True):
        found, meant = one.look.amounts, expected.look.amounts
        order = [found.sites.index(each) for each in meant.sites]
        assert len(found.sites) == len(order)
        for ours, theirs in ((found.allocated, meant.allocated), (found.in_use, meant.in_use)):
            assert ours.objects[order].tolist() == theirs.objects.tolist()
            assert ours.bytes[order].tolist() == theirs.bytes.tolist()
        assert one.goroutines == (expected.goroutines or None)
    assert [one.look.amounts.allocated.objects.tolist() for one in other.moments] == [[9]] * 4
    assert (tmp_path / "w").stat().st_mode & 0o777 == 0o600


def test_what_is_told_by_the_number_of_collections() -> None:
    """Looks at an idle program say the same and count; those at one collection do not."""

    def look(at: float, collections: int | None) -> Look:
        return replace(moment(at, {"a": 2}).look, collections=collections)

    for numbers, runs, repeated in (
        ([1, 2, 3], [3], 0),
        ([1, 1, 2], [2], 1),
        ([5, 6, 1, 2], [2, 2], 0),
        ([None, None, None], [1], 2),  # as of profiles in protobuf: what is the same may be one collection
    ):
        history = history_of([look(at, number) for at, number in enumerate(numbers)])
        assert [len(run) for run in history.runs] == runs
        assert history.repeated == repeated


def test_settings_of_the_garbage_collector(tmp_path: Path) -> None:
    """Kept as they were at every look; those of the environment are read as the runtime reads them."""
    settings = [
        Pacing(gogc=50, memory_limit=None, measured=True),
        Pacing(gogc=-1, memory_limit=1 << 30, measured=False),
        None,
    ]
    with Record(tmp_path / "w") as record:
        for at, setting in enumerate(settings):
            record.add("target", replace(moment(at, {"a": 2}), pacing=setting), {})
        record.write()
    with Record(tmp_path / "w") as record:
        assert [one.pacing for one in record.read("target").moments] == settings
    for environment, expected in (
        ({}, (100, None)),
        ({"GOGC": "off", "GOMEMLIMIT": "1GiB"}, (-1, 1 << 30)),
        ({"GOGC": "25", "GOMEMLIMIT": "off"}, (25, None)),
        ({"GOGC": "many", "GOMEMLIMIT": "4096"}, (100, 4096)),
    ):
        # It speaks first: a process that has just begun may have no environment yet.
        command = ["/bin/sh", "-c", "echo; read line"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            found = started_with(process.pid)
            process.communicate()
        assert found is not None
        assert (found.gogc, found.memory_limit, found.measured) == (*expected, False)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "mine")) as database:
        database.execute("CREATE TABLE accounts (id INTEGER)")
    with pytest.raises(CorruptFile, match="not of a watch"):
        Record(tmp_path / "mine")
    Record(tmp_path / "later").close()
    with duckdb.connect(str(tmp_path / "later")) as database:
        database.execute("UPDATE goretain_watch SET version = 99")
    with pytest.raises(CorruptFile, match="version 99"):
        Record(tmp_path / "later")


def test_addresses_of_the_kernel_are_those_of_urls() -> None:
    assert _host(bytes.fromhex("0100007F")) == "127.0.0.1"
    assert _host(bytes.fromhex("00000000")) == "127.0.0.1"
    assert _host(bytes(16)) == "localhost"
    assert _host(bytes.fromhex("00000000000000000000000001000000")) == "[::1]"
