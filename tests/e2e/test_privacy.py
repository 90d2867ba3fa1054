"""What leaves the machine: a program plants markers everywhere; what goretain writes is searched for them.

The places that an image holds are those that docs/privacy.md lists: the test reads the table there.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from goretain.model.places import user_cache
from tests.support.golang import VERSIONS, go_program, running
from tests.support.imageblocks import parsed

ROOT = Path(__file__).resolve().parents[2]
GORETAIN = [sys.executable, "-m", "goretain.cli.main"]
ARGUMENT, ENVIRONMENT = "ARGUMENTMARKERXYZWV", "ENVIRONMENTMARKERXYZWV"
STRIPPED = "-ldflags=-s -w"


@dataclass(frozen=True)
class Planted:
    """A running program, its markers by place, and a user's home and cache that only these tests use."""

    pid: int
    markers: Mapping[str, bytes]
    home: Path

    def found(self, data: bytes) -> set[str]:
        """Places whose marker occurs in data, as it is or as UTF-16."""
        return {
            place
            for place, marker in self.markers.items()
            if marker in data or marker.decode().encode("utf-16-le") in data
        }

    def run(self, *arguments: object, code: int = 0) -> bytes:
        """Everything that a command prints."""
        words = [*GORETAIN, *map(str, arguments)]
        cache = {"XDG_CACHE_HOME": str(self.home / "cache"), "TMPDIR": str(self.home / "tmp")}
        done = subprocess.run(
            words, env={**os.environ, **cache}, capture_output=True, check=False, timeout=240
        )
        assert done.returncode == code, done.stderr.decode()
        return done.stdout + done.stderr


@pytest.fixture(scope="module", params=[(VERSIONS[0], ()), (VERSIONS[-1], ()), (VERSIONS[-1], (STRIPPED,))])
def planted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    version, flags = request.param
    home = tmp_path_factory.mktemp("home")
    (home / "tmp").mkdir()
    (home / "cache" / "goretain").mkdir(parents=True)
    # Compiled kernels are shared with all tests: they are made of goretain's own source.
    (home / "cache" / "goretain" / "kernels").symlink_to(user_cache() / "kernels")
    binary = go_program("secrets", version, flags=flags)
    with running(binary, [ARGUMENT], env={"SECRET": ENVIRONMENT}) as target:
        markers = {place: bytes.fromhex(text) for place, text in target.facts["planted"]}
        markers |= {"argument": ARGUMENT.encode(), "environment": ENVIRONMENT.encode()}
        yield Planted(target.pid, markers, home)


@pytest.fixture(scope="module")
def snapshot(planted: Planted) -> Path:
    saved = planted.home / "saved.goretain"
    planted.run("why", planted.pid, "--save", saved)
    return saved


@pytest.fixture(scope="module")
def image(planted: Planted) -> Path:
    taken = planted.home / "taken.image"
    planted.run("snap", planted.pid, "-o", taken)
    return taken


def contents(image: Path) -> bytes:
    """All that an image holds, unpacked."""
    return b"".join(content for _, _, content in parsed(image.read_bytes()))


def promised(name: str) -> set[str]:
    """The places in the lines of docs/privacy.md that begin with a name in bold."""
    text = (ROOT / "docs" / "privacy.md").read_text()
    (line,) = re.findall(rf"^\| \*\*{name}\*\* \| (.+) \|$", text, re.MULTILINE)
    return set(re.findall(r"`([a-z0-9-]+)`", line))


@pytest.mark.parametrize("form", [(), ("--json",), ("--markdown",), ("--min-bytes", "1", "--top", "500")])
def test_no_report_shows_contents(planted: Planted, form: tuple[str, ...]) -> None:
    assert planted.found(planted.run("why", planted.pid, *form)) == set()


def test_a_saved_snapshot_holds_no_contents(planted: Planted, snapshot: Path) -> None:
    assert planted.found(snapshot.read_bytes()) == set()
    assert stat.S_IMODE(snapshot.stat().st_mode) == 0o600


def test_neither_does_what_is_made_of_it(planted: Planted, snapshot: Path) -> None:
    shown = planted.run("why", snapshot, "--json", "--top", "500") + planted.run("diff", snapshot, snapshot)
    assert planted.found(shown) == set()


def test_with_data_adds_the_text_of_map_keys_and_nothing_else(planted: Planted) -> None:
    saved = planted.home / "data.goretain"
    shown = planted.run("why", planted.pid, "--with-data", "--save", saved)
    assert b"user data" in shown
    assert planted.found(saved.read_bytes()) == promised("snapshot --with-data")


def test_an_image_holds_what_the_docs_say_and_says_that_it_is_sensitive(
    planted: Planted, image: Path
) -> None:
    assert planted.found(contents(image)) == promised("image")
    assert stat.S_IMODE(image.stat().st_mode) == 0o600
    assert b"sensitive" in planted.run("snap", planted.pid, "-o", planted.home / "again.image")


def test_the_report_of_an_image_shows_no_contents(planted: Planted, image: Path) -> None:
    saved = planted.home / "of-image.goretain"
    shown = planted.run("why", image, "--json", "--top", "500", "--save", saved)
    assert planted.found(shown + saved.read_bytes()) == set()


def test_the_places_that_the_docs_list_are_all_there_are(planted: Planted) -> None:
    assert promised("image") | promised("not in an image") == set(planted.markers)
    assert not promised("image") & promised("not in an image")


def test_errors_and_tracebacks_show_no_contents(planted: Planted, image: Path) -> None:
    damaged = planted.home / "damaged.image"
    raw = image.read_bytes()
    damaged.write_bytes(raw[: len(raw) // 2] + b"\0\0\0\0" + raw[len(raw) // 2 + 4 :])
    assert planted.found(planted.run("why", damaged, "--debug", code=2)) == set()


def test_caches_and_temporary_files_hold_no_contents(planted: Planted, snapshot: Path, image: Path) -> None:
    planted.run("why", image)
    left = [p for folder in ("cache", "tmp") for p in (planted.home / folder).rglob("*") if p.is_file()]
    assert {place for path in left for place in planted.found(path.read_bytes())} == set()
