"""``goretain watch`` on running services: restarts of either side, several targets, one file."""

from __future__ import annotations

import json
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from goretain import api
from goretain.cli import main
from goretain.profile.watch.pacing import Pacing
from goretain.profile.watch.record import Record
from tests.support import profiles
from tests.support.golang import VERSIONS, Target, go_program, running


def url(target: Target) -> str:
    ((address,),) = target.facts["url"]
    return address


def ticking(*targets: Target) -> Any:
    """Instead of waiting for the next look, let the targets work."""

    def sleep(_: float) -> None:
        for target in targets:
            profiles.fetched(target, "/tick")

    return sleep


def test_two_targets_and_what_they_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By URL and by PID; half of the looks are of a second watch into the same file."""
    file = tmp_path / "both.watch"
    binary = go_program("paced", VERSIONS[-1])
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(running(binary, ["-stuck"], env={"GOGC": "50", "GOMEMLIMIT": "1GiB"}))
            for _ in range(2)
        )
        names = [f"{url(first)}/debug/pprof/heap", str(second.pid)]
        for _ in range(2):
            report = api.watch_profiles(names, file, seconds=1e9, every=1e8, sleep=ticking(first, second))
        assert [target.name for target in report.targets] == names
        for target in report.targets:
            assert target.looks == 22
            assert target.failed == 0
            assert target.growth is not None
            assert [run.profiles for run in target.growth.runs] == [22]
            assert {row.place.function: row.path for row in target.growth.settles}["main.entry"]
            assert target.memory is not None
            assert target.memory.last.gc_count - target.memory.first.gc_count >= 21
            assert target.goroutine_count[-1] - target.goroutine_count[0] >= 50
            assert target.goroutines is not None
            stuck = target.goroutines[0]
            assert stuck.place is not None
            assert (stuck.place.function, stuck.state, stuck.counts[-1]) == ("main.stuck", "chan receive", 66)
            assert stuck.created_at is not None
            assert stuck.created_at.function == "main.moment"
        by_pid = report.targets[1].memory
        assert by_pid is not None
        assert by_pid.resident is not None
        assert by_pid.pacing == Pacing(gogc=50, memory_limit=1 << 30, measured=True)
        assert report.targets[0].growth is not None
        assert report.targets[0].growth.limit_now_bytes is None
        assert report.targets[1].growth is not None
        taken = report.targets[1].growth.limit_now_bytes
        assert taken is not None
        assert taken > report.targets[1].growth.in_use_bytes[-1]
        limits = [target.growth and target.growth.limit_bytes for target in report.targets]
        assert limits == [None, 1 << 30]
        assert main.run(["watch", "-o", str(file), "--fail-on", "grows"]) == 1
        capsys.readouterr()
        assert main.run(["watch", "-o", str(file)]) == 0
        page = " ".join(capsys.readouterr().out.split())
        assert "main.session main.go:" in page
        assert "GOGC=50, GOMEMLIMIT=1.0 GiB" in page
        assert "RSS" in page
    with Record(file) as record:
        kept = record.read(names[0])
    assert len(kept.moments) == 22
    session = [site for site in kept.paths if site.allocates.function == "main.session"]
    inuse = [
        int(moment.look.amounts.in_use.objects[moment.look.amounts.sites.index(session[0])])
        for moment in kept.moments
    ]
    assert inuse == [100 * (tick + 1) for tick in range(22)]


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
def test_what_a_program_set_itself_is_told(
    tmp_path: Path, version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not what its environment says; and it is told later too, when the process is gone."""
    file = tmp_path / "set.watch"
    for flags, expected in (
        ((), Pacing(gogc=20, memory_limit=300_000_000, measured=True)),
        (("-ldflags=-s -w",), Pacing(gogc=50, memory_limit=None, measured=False)),
    ):
        binary = go_program("paced", version, flags=flags)
        with running(binary, ["-limit", "300000000", "-percent", "20"], env={"GOGC": "50"}) as target:
            api.watch_profiles([str(target.pid)], file, seconds=1e8, every=1e8, sleep=ticking(target))
        report = api.watch_profiles([], file).targets[-1]
        assert report.memory is not None
        assert report.memory.pacing == expected
        assert report.growth is not None
        assert report.growth.limit_bytes == expected.memory_limit
    assert main.run(["watch", "-o", str(file)]) == 0
    page = " ".join(capsys.readouterr().out.split())
    assert "; GOGC=20, GOMEMLIMIT=286.1 MiB" in page
    assert "; started with GOGC=50, no GOMEMLIMIT" in page


def test_a_target_that_is_started_anew_and_one_that_is_gone(tmp_path: Path) -> None:
    """A new process at the old address begins a new run; while nobody listens looks fail and are told."""
    file = tmp_path / "anew.watch"
    binary = go_program("paced", VERSIONS[-1])
    with running(binary) as target:
        address = url(target)
        api.watch_profiles([address], file, seconds=4e8, every=1e8, sleep=ticking(target))
    port = address.rpartition(":")[2]
    report = api.watch_profiles([address], file, seconds=1e8, every=1e8, sleep=lambda _: None)
    assert report.targets[0].failed == 2
    assert "cannot be fetched" in report.targets[0].failure
    with running(binary, ["-port", port]) as target:
        report = api.watch_profiles([address], file, seconds=2e8, every=1e8, sleep=ticking(target))
    growth = report.targets[0].growth
    assert growth is not None
    assert [run.profiles for run in growth.runs] == [5, 3]


@contextmanager
def in_front_of(target: Target, looks: int) -> Iterator[tuple[str, threading.Event]]:
    """A server that passes requests on; the event: so many looks have begun, so the one before is written."""
    begun, heaps = threading.Event(), []

    class Front(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heaps.extend([self.path] if "/heap" in self.path else [])
            if len(heaps) >= looks:
                begun.set()
            data = profiles.fetched(target, self.path)
            self.send_response(200)
            self.end_headers()
            with suppress(BrokenPipeError):
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", begun
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_target_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    """While one says nothing the other gets its looks; nor does Ctrl-C wait, and it says nothing else."""
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        running(go_program("paced", VERSIONS[-1])) as target,
        in_front_of(target, 4) as (address, begun),
    ):
        targets = [f"http://127.0.0.1:{mute.getsockname()[1]}", address]
        command = [sys.executable, "-m", "goretain.cli.main", "watch", *targets, "--json"]
        watching = subprocess.Popen(
            [*command, "-o", str(tmp_path / "mute.watch"), "--every", "20ms", "--for", "1h"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert begun.wait(60)
            watching.send_signal(signal.SIGINT)
            out, err = watching.communicate(timeout=60)
        finally:
            watching.kill()
            watching.wait()
    assert (watching.returncode, err.strip()) == (130, "interrupted")
    found = {one["name"]: (one["looks"], one["failure"]) for one in json.loads(out)["targets"]}
    assert found[targets[0]] == (0, "it had not answered when the watch ended")
    assert found[targets[1]][0] >= 3


def test_a_full_disk_ends_it_with_what_there_is(tmp_path: Path) -> None:
    """As a limit of the file's size makes it."""
    file = tmp_path / "full.watch"
    with running(go_program("paced", VERSIONS[-1])) as target:
        command = [sys.executable, "-m", "goretain.cli.main", "watch", url(target), "-o", str(file)]
        watched = subprocess.run(
            [*command, "--every", "10ms", "--for", "10m"],
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000)),
            capture_output=True,
            text=True,
            check=False,
        )
    assert watched.returncode == 2
    assert f"cannot be written: {file}" in watched.stderr
    assert "profiles, " in watched.stdout
    with Record(file) as record:
        assert len(record.read(record.targets[0]).moments) > 3


def test_killed_it_loses_at_most_the_look_it_was_writing(tmp_path: Path) -> None:
    file = tmp_path / "killed.watch"
    with running(go_program("paced", VERSIONS[-1])) as target, in_front_of(target, 4) as (address, begun):
        command = [sys.executable, "-m", "goretain.cli.main", "watch", address, "-o", str(file)]
        watching = subprocess.Popen([*command, "--every", "100ms"])
        try:
            assert begun.wait(60)
        finally:
            watching.kill()
            watching.wait()
        # what is not yet in the file is beside it, and names functions too
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
        with Record(file) as record:
            kept = len(record.read(address).moments)
        assert kept >= 3
        report = api.watch_profiles([address], file, seconds=1e8, every=1e8, sleep=ticking(target))
        assert report.targets[0].looks == kept + 2


def test_what_it_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["watch", "-o", str(tmp_path / "none")]) == 2
    assert "nothing to watch" in capsys.readouterr().err
    assert main.run(["watch", "somewhere", "-o", str(tmp_path / "none")]) == 2
    assert "neither a URL nor a PID" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    begun = time.monotonic()
    assert main.run(["watch", f"http://127.0.0.1:{port}", "-o", str(tmp_path / "nobody")]) == 2
    assert "Connection refused" in capsys.readouterr().err
    assert time.monotonic() - begun < 600  # not the half hour that it would have watched
    assert main.run(["watch", "http://127.0.0.1:9", "-o", str(tmp_path / "missing" / "file")]) == 2
    assert "there is no such directory" in capsys.readouterr().err
    with running(go_program("tiny", VERSIONS[-1])) as target:
        assert main.run(["watch", str(target.pid), "-o", str(tmp_path / "none")]) == 2
        assert "serves no profiles" in capsys.readouterr().err
    (tmp_path / "text").write_text("no database")
    with running(go_program("paced", VERSIONS[-1])) as target:
        assert main.run(["watch", url(target), "-o", str(tmp_path / "text"), "--json"]) == 2
    assert str(tmp_path / "text") in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
