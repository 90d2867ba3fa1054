"""The demo: a small Go service that leaks in four ways, and what goretain says of it while it serves.

    python examples/demo/run.py [--go VERSION] [--rounds N]

Builds ``service/`` with the Go on PATH or one that it fetches, starts it on a loopback port, puts it under
load, asks ``goretain why`` twice and ``goretain diff`` once, and ends it. It writes only to a
temporary directory.
"""

from __future__ import annotations

import argparse
import http.client
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from goretain.model.errors import GoretainError
from goretain.toolchain import find_toolchain

#: Profiles that a round asks for.
_USERS = 160
_SERVICE = Path(__file__).resolve().parent / "service"


def main() -> int:
    """Run the demo; the exit status is the first one of a command that failed, else 0."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="goretain-demo-") as scratch:
        go = find_toolchain(options.go, progress=_say)
        heading(f"A Go service with four leaks, built with Go {go.version}")
        binary = go.build(_SERVICE, Path(scratch) / "shop")
        _say("of its files uploads.go, search.go, jobs.go and profiles.go leak, healthy.go does not")
        with service(binary) as (pid, port):
            return _show(pid, port, Path(scratch), options.rounds)


def _show(pid: int, port: int, scratch: Path, rounds: int) -> int:
    """Load, look, load, look, compare."""
    first, second = str(scratch / "first.snapshot"), str(scratch / "second.snapshot")
    for number, path in enumerate((first, second), start=1):
        heading(f"Load, part {number}")
        _say(load(port, part=number, rounds=rounds))
        heading(f"goretain why {pid}")
        status = goretain("why", str(pid), "--save", path, "--top", "4")
        if status:
            return status
    heading("goretain diff first second")
    return goretain("diff", first, second, "--top", "4")


def load(port: int, *, part: int, rounds: int) -> str:
    """Put the service under load over one kept-alive connection; what was sent, as a sentence."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body, query = bytes(64 << 10), b"retention " + b"and other words " * 512
    for item in range(part * rounds, (part + 1) * rounds):
        _request(connection, "POST", f"/upload?file={item}", body)
        _request(connection, "POST", "/search", query)
        for page in range(4 * item, 4 * item + 4):
            _request(connection, "GET", f"/page?path=/items/{page % 700}")
        for user in range(_USERS * item, _USERS * (item + 1)):
            _request(connection, "GET", f"/profile?user={user}")
    _request(connection, "POST", "/import?n=100000")
    connection.close()
    sent = f"{rounds} uploads of 64 KiB, {rounds} searches, {4 * rounds} pages, {_USERS * rounds} new users"
    return f"{sent}, one import of 100000 jobs"


def _request(connection: http.client.HTTPConnection, method: str, path: str, body: bytes = b"") -> None:
    connection.request(method, path, body)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise SystemExit(f"{method} {path}: {answer.status} {answer.reason}")


@contextmanager
def service(binary: Path) -> Iterator[tuple[int, int]]:
    """The service's PID and port; it ends with the block, and with us if we are killed."""
    process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        word, _, port = process.stdout.readline().partition(" ")
        if word != "READY":
            raise SystemExit("the service did not start")
        yield process.pid, int(port)
    finally:
        process.kill()
        process.communicate()


def goretain(*arguments: str) -> int:
    """Run a goretain command with our terminal as its own; its exit status."""
    command = Path(sys.executable).with_name("goretain")
    return subprocess.run([command, *arguments], check=False).returncode


def heading(text: str) -> None:
    """A line that stands out in a terminal and in a log."""
    print(f"\n\033[1m=== {text}\033[0m" if sys.stdout.isatty() else f"\n=== {text}", flush=True)


def _say(text: str) -> None:
    print(text, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="show goretain on a leaking Go service")
    parser.add_argument(
        "--go", metavar="VERSION", help="Go version to build with (default: PATH's, else fetched)"
    )
    parser.add_argument("--rounds", type=int, default=100, help="size of the load (default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except GoretainError as error:
        sys.exit(f"error: {error.message}\nhint: {error.hint}")
