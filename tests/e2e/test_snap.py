"""``goretain snap`` on real programs: light, whole or not at all, the same report wherever it is opened."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import goretain
from goretain.capture.imagefile.reader import read_image
from goretain.golang.read import read_heap
from goretain.model.errors import UsageError
from goretain.model.places import user_cache
from goretain.snapshot import Columns
from tests.support.corewriter import write_core
from tests.support.golang import VERSIONS, Target, go_program, running
from tests.support.heaps import image_of
from tests.support.images import image_bytes
from tests.support.threads import states, tracers

GORETAIN = [sys.executable, "-m", "goretain.cli.main"]
OLDEST, NEWEST = VERSIONS[0], VERSIONS[-1]
FORMATS: tuple[list[str], ...] = ([], ["--json"], ["--markdown"], ["--with-data"])


def run(*arguments: object, cwd: Path | None = None, cache: Path | None = None) -> bytes:
    """Stdout of a command that has to succeed."""
    environment = os.environ | ({} if cache is None else {"XDG_CACHE_HOME": str(cache)})
    done = subprocess.run(
        [*GORETAIN, *map(str, arguments)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture(scope="module")
def planted() -> Iterator[Target]:
    with running(go_program("planted", NEWEST)) as target:
        yield target


BUILDS = [
    pytest.param("planted", NEWEST, (), False, id="plain"),
    pytest.param("planted", NEWEST, ("-buildmode=pie",), False, id="pie"),
    pytest.param("cgoroots", NEWEST, (), True, id="cgo"),
    pytest.param("planted", NEWEST, ("-ldflags=-s -w",), False, id="stripped"),
    pytest.param("planted", OLDEST, (), False, id="oldest"),
    pytest.param("planted", OLDEST, ("-ldflags=-s -w",), False, id="oldest-stripped"),
    *(
        pytest.param("planted", version, flags, False, marks=pytest.mark.long)
        for version in VERSIONS[1:-1]
        for flags in ((), ("-ldflags=-s -w",), ("-buildmode=pie",))
    ),
]


@pytest.mark.parametrize(("program", "version", "flags", "cgo"), BUILDS)
def test_the_file_is_read_as_the_captured_memory_is(
    program: str, version: str, flags: tuple[str, ...], cgo: bool, tmp_path: Path
) -> None:
    """The snapshot from the file equals the one from memory, in every column and table."""
    with running(go_program(program, version, flags=flags, cgo=cgo)) as target:
        image = image_of(target.pid)
    (tmp_path / "a").write_bytes(image_bytes(image))
    spot, there = read_heap(image, with_data=True), read_heap(read_image(tmp_path / "a"), with_data=True)
    for name in Columns.names():
        assert np.array_equal(getattr(spot.columns, name), getattr(there.columns, name)), name
    for table in ("meta", "types", "roots", "goroutines", "strings", "entry_keys"):
        assert getattr(spot, table) == getattr(there, table), table


@pytest.mark.parametrize(
    ("version", "flags"),
    [
        pytest.param(NEWEST, (), id="plain"),
        pytest.param(NEWEST, ("-ldflags=-s -w",), id="stripped"),
        # What its closures capture is in the machine code only.
        pytest.param(OLDEST, (), id="oldest"),
    ],
)
def test_the_report_elsewhere_is_that_of_the_spot_byte_for_byte(
    version: str, flags: tuple[str, ...], tmp_path: Path
) -> None:
    spot, elsewhere = tmp_path / "spot", tmp_path / "elsewhere"
    spot.mkdir()
    elsewhere.mkdir()
    binary = shutil.copy(go_program("planted", version, flags=flags), spot / "app")
    with running(Path(binary)) as target:
        run("snap", target.pid, "-o", "app.image", "-q", cwd=spot)
    there = [run("why", "app.image", *form, cwd=spot) for form in FORMATS]
    Path(binary).unlink()
    (spot / "app.image").rename(elsewhere / "app.image")
    # Another user's cache, that of machine code aside: to fill that takes a minute.
    shutil.copytree(user_cache() / "kernels", tmp_path / "cache" / "goretain" / "kernels")
    assert there == [
        run("why", "app.image", *form, cwd=elsewhere, cache=tmp_path / "cache") for form in FORMATS
    ]
    assert b"main." in there[0]


@pytest.mark.parametrize("kind", ["-static", "-static-pie"])
def test_a_full_image_of_a_static_program_can_be_read(kind: str, tmp_path: Path) -> None:
    """Linked by the system's linker, its read-only segments end at no multiple of 8."""
    flags = [f"-ldflags=-linkmode external -extldflags '{kind}'"]
    if kind == "-static-pie":
        flags.append("-buildmode=pie")
    with running(go_program("cgoroots", NEWEST, flags=flags, cgo=True)) as target:
        os.kill(target.pid, signal.SIGSTOP)  # so that nothing is allocated in between
        run("snap", target.pid, "-o", tmp_path / "full", "--full", "-q")
        lean = image_of(target.pid)
        os.kill(target.pid, signal.SIGCONT)
    full = read_image(tmp_path / "full")
    assert not (full.starts & 7).any()
    assert not (lean.starts & 7).any()
    there, here = (read_heap(image).columns for image in (full, lean))
    assert np.array_equal(there.object_address, here.object_address)
    assert np.array_equal(there.object_type, here.object_type)


def test_an_image_of_a_core_tells_what_the_core_tells(planted: Target, tmp_path: Path) -> None:
    write_core(image_of(planted.pid), tmp_path / "core")
    binary = ["--binary", planted.binary]
    run("snap", tmp_path / "core", *binary, "-o", tmp_path / "a.image", "-q")
    of_core = json.loads(run("why", tmp_path / "core", *binary, "--json"))
    of_image = json.loads(run("why", tmp_path / "a.image", "--json"))
    for report in (of_core, of_image):
        report["look"].pop("target")
    assert of_core == of_image


def test_images_can_be_compared_and_opened_from_python(planted: Target, tmp_path: Path) -> None:
    for name in "ab":
        taken = goretain.snap(planted.pid, tmp_path / name)
        assert taken.bytes == (tmp_path / name).stat().st_size
        assert taken.facts.pause_ns
    report = json.loads(run("diff", tmp_path / "a", tmp_path / "b", "--json"))
    assert report["schema"].startswith("goretain/diff/")
    assert goretain.open(tmp_path / "a").meta.pid == planted.pid


LIGHT = """
import resource, sys
site = set(sys.modules)  # what an installation imports into every Python
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() >> 20
from goretain.cli import light, main
from goretain.api import images
seen = []
images.snap(sys.argv[1], sys.argv[2], on_plan=lambda planned: seen.append(resident()))
assert main.run(["snap", sys.argv[1], "-o", sys.argv[2], "-q", *sys.argv[3:]]) == 0
import sysconfig
bought = sysconfig.get_path("purelib")
ours = {name: getattr(sys.modules[name], "__file__", "") or "" for name in sys.modules.keys() - site}
foreign = {name.partition(".")[0] for name, file in ours.items() if file.startswith(bought)}
print(*seen, *sorted(foreign - {"goretain"}))
"""


@pytest.mark.parametrize(
    ("flags", "beside"),
    [((), False), (("-ldflags=-s -w",), False), (("-ldflags=-s -w",), True)],
    ids=["plain", "stripped", "stripped, with --binary"],
)
def test_the_way_of_snap_is_light(flags: tuple[str, ...], beside: bool, tmp_path: Path) -> None:
    """At most 60 MB until all is planned, and nothing that is not ours but numpy."""
    with running(go_program("planted", NEWEST, flags=flags)) as target:
        words = [sys.executable, "-c", LIGHT, str(target.pid), str(tmp_path / "a.image")]
        words += ["--binary", str(go_program("planted", NEWEST))] if beside else []
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    resident, *foreign = done.stdout.split()
    assert foreign == ["numpy"]
    assert int(resident) < 60


def test_it_says_what_it_does_and_that_the_file_is_sensitive(planted: Target, tmp_path: Path) -> None:
    done = subprocess.run(
        [*GORETAIN, "snap", str(planted.pid), "-o", tmp_path / "a"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
    plan, copied, saved, notice = done.stderr.splitlines()
    assert plan.startswith("plan: copy ")
    assert re.search(r", stopped (for|\d times, )", copied)
    assert f"saved to {tmp_path / 'a'}: " in saved
    assert notice.startswith("sensitive: ")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_target_runs_on_while_the_image_is_written(tmp_path: Path) -> None:
    binary = go_program("heartbeat", NEWEST, cgo=True)
    with running(binary, [str(tmp_path / "score")]) as target:
        words = [*GORETAIN, "snap", str(target.pid), "-o", "-", "-q"]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            first = process.stdout.read(4096)  # the pipe is full now, and the rest is not written
            before = beats(tmp_path / "score")
            time.sleep(0.5)
            assert process.poll() is None
            after = beats(tmp_path / "score")
            rest = process.stdout.read()
        assert process.returncode == 0
    assert after > before + 20
    (tmp_path / "a").write_bytes(first + rest)
    assert read_image(tmp_path / "a").facts.pid == target.pid


def beats(score: Path) -> int:
    return int(struct.unpack_from("<Q", score.read_bytes())[0])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_file_is_whole_or_not_there_when_it_is_ended_in_the_middle(
    planted: Target, tmp_path: Path, number: signal.Signals
) -> None:
    words = [*GORETAIN, "snap", str(planted.pid), "-o", str(tmp_path / "a.image"), "--full"]
    for _ in range(10):
        (tmp_path / "a.image").write_text("from before")
        with subprocess.Popen(words, stderr=subprocess.PIPE) as process:
            while process.poll() is None and not writes_into(process.pid, tmp_path):
                time.sleep(0.0005)
            process.send_signal(number)
            process.wait(timeout=60)
        left = (tmp_path / "a.image").read_bytes()
        if left == b"from before":  # else it was through before the signal came
            break
    # Python itself ends by the signal (which is 130 for a shell too) where Ctrl-C strikes in an exec of
    # source text, as dataclasses make their methods, however it is handled: _Py_UnhandledKeyboardInterrupt.
    assert process.returncode in ((130, -number) if number == signal.SIGINT else (-number,))
    assert (tmp_path / "a.image").read_text() == "from before"
    if number != signal.SIGKILL or has_unnamed_files(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["a.image"]
    assert tracers(planted.pid) == {0}
    assert not states(planted.pid) & {"t", "T"}


def writes_into(pid: int, folder: Path) -> bool:
    """Whether a process has a file of that folder open: one that has no name yet, or a temporary one."""
    beginnings = (f"{folder}/#", f"{folder}/.goretain.")
    with suppress(OSError):  # it closed a file meanwhile, or ended
        return any(str(link.readlink()).startswith(beginnings) for link in Path(f"/proc/{pid}/fd").iterdir())
    return False


def has_unnamed_files(folder: Path) -> bool:
    try:
        os.close(os.open(folder, os.O_WRONLY | os.O_TMPFILE, 0o600))
    except OSError:
        return False
    return True


def test_a_disk_that_is_full_leaves_nothing(planted: Target, tmp_path: Path) -> None:
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 10, 256 << 10))

    words = [*GORETAIN, "snap", str(planted.pid), "-o", str(tmp_path / "a.image"), "--force", "-q"]
    done = subprocess.run(words, preexec_fn=little_room, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "error: " in done.stderr
    assert "hint: " in done.stderr
    assert not list(tmp_path.iterdir())


def test_standard_output_that_is_a_file_of_ours_is_taken_from_the_others(
    planted: Target, tmp_path: Path
) -> None:
    (tmp_path / "a").touch(mode=0o644)
    with (tmp_path / "a").open("wb") as file:
        words = [*GORETAIN, "snap", str(planted.pid), "-o", "-"]
        done = subprocess.run(words, stdout=file, stderr=subprocess.PIPE, text=True, check=True)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert "only you may read it (0600)" in done.stderr
    piped = subprocess.run(words, capture_output=True, check=True)
    assert b"0600" not in piped.stderr
    assert b"umask 077" in piped.stderr
    assert all(len(line) <= 80 for line in done.stderr.splitlines() if "sensitive" in line)


def test_no_standard_output_is_an_error(planted: Target) -> None:
    words = [*GORETAIN, "snap", str(planted.pid), "-o", "-"]
    shell = ["sh", "-c", '"$@" >&-', "sh", *words]
    done = subprocess.run(shell, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "standard output is closed" in done.stderr
    assert "saved" not in done.stderr


def test_a_pipe_that_is_closed_is_an_error(planted: Target) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = [*GORETAIN, "snap", str(planted.pid), "-o", "-", "-q"]
    done = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (2, "error: the output could not be written: Broken pipe\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["snap"], "Missing"),
        (["snap", "1"], "Missing option"),
        (["snap", "4194304999", "-o", "x"], "no process has PID"),
        (["snap", "1", "-o", "/nowhere/at/all"], "no such directory"),
        (["snap", "{image}", "-o", "x"], "is an image already"),
        (["snap", "{snapshot}", "-o", "x"], "is a saved snapshot, not a core"),
        (["snap", "{dump}", "-o", "x"], "is a heap dump, not a core"),
        (["why", "-"], "is not read from a pipe"),
        (["why", "{pipe}"], "is not a regular file"),
        (["why", "{image}", "--full"], "holds what it holds"),
    ],
)
def test_what_does_not_fit_is_said_and_is_2(
    words: list[str], message: str, planted: Target, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    if "{image}" in words:
        goretain.snap(planted.pid, tmp_path / "image")
    if "{snapshot}" in words:
        goretain.open(planted.pid).save(tmp_path / "snapshot")
    (tmp_path / "dump").write_bytes(b"go1.7 heap dump\n")
    files = {name: tmp_path / name for name in ("image", "snapshot", "dump", "pipe")}
    words = [word.format(**files) for word in words]
    done = subprocess.run([*GORETAIN, *words], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_help_is_that_of_every_command() -> None:
    for words in (["snap", "--help"], ["snap", "1", "-h"]):
        done = subprocess.run(
            [*GORETAIN, *words],
            env=os.environ | {"COLUMNS": "80"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0
        assert "--no-debuginfo" in done.stdout
        assert all(len(line) <= 80 for line in done.stdout.splitlines())
    listed = subprocess.run([*GORETAIN, "--help"], capture_output=True, text=True, check=False).stdout
    assert "snap " in listed


def test_a_stripped_image_takes_names_from_an_unstripped_build_or_carries_them(tmp_path: Path) -> None:
    twin = go_program("planted", NEWEST)
    with running(go_program("planted", NEWEST, flags=["-ldflags=-s -w"])) as target:
        run("snap", target.pid, "-o", tmp_path / "bare", "-q")
        run("snap", target.pid, "-o", tmp_path / "with", "--binary", twin, "-q")
        run("snap", target.pid, "-o", tmp_path / "left out", "--binary", twin, "--no-debuginfo", "-q")
    folder = tmp_path / "debug"
    folder.mkdir()
    shutil.copy(twin, folder / "planted")
    bare, carried, left_out = (holders(tmp_path / name) for name in ("bare", "with", "left out"))
    later = holders(tmp_path / "bare", "--binary", twin)
    there = holders(tmp_path / "bare", "--debug-dir", folder)
    assert later == there == carried
    assert any(name.startswith("main.") for name in later)
    assert bare == left_out
    assert not any(name.startswith("main.") for name in bare)


def holders(*words: object) -> list[str]:
    return [row["name"] for row in json.loads(run("why", *words, "--json"))["holders"]]


def test_an_image_with_debug_information_needs_no_other(planted: Target, tmp_path: Path) -> None:
    goretain.snap(planted.pid, tmp_path / "a")
    with pytest.raises(UsageError, match="debug information of its own"):
        goretain.open(tmp_path / "a", binary=planted.binary)
