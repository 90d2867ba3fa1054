"""A crash core as systemd-coredump keeps it: compressed, and read once it is unpacked as the error says."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import goretain
from goretain.model.errors import UsageError
from tests.support.golang import go_program

GORETAIN = [sys.executable, "-m", "goretain.cli.main"]
PATTERN = Path("/proc/sys/kernel/core_pattern").read_text().strip()
VERSION = "1.26.6"


def crash(folder: Path) -> tuple[Path, int]:
    """The core of a program that was ended as a watchdog ends one, and its PID."""
    limit = resource.getrlimit(resource.RLIMIT_CORE)[1]
    process = subprocess.Popen(
        [go_program("exact", VERSION), "quiet"],
        env={"GOTRACEBACK": "crash"},
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (limit, limit)),  # noqa: PLW1509
    )
    assert process.stderr is not None
    while process.stderr.readline() != "READY\n":
        assert process.poll() is None
    process.send_signal(signal.SIGABRT)
    process.communicate(timeout=60)
    (core,) = folder.glob("core*")
    return core, process.pid


@pytest.mark.skipif(PATTERN.startswith(("|", "/")), reason=f"cores go elsewhere: core_pattern is {PATTERN}")
@pytest.mark.skipif(shutil.which("zstd") is None, reason="needs zstd")
def test_a_compressed_core_is_unpacked_by_the_command_that_the_error_names(tmp_path: Path) -> None:
    core, pid = crash(tmp_path)
    packed = tmp_path / f"core.exact.0.{pid}.zst"
    subprocess.run(["zstd", "-q", "-1", "--rm", core, "-o", packed], check=True)
    done = subprocess.run([*GORETAIN, "why", packed], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is compressed with zstd" in done.stderr
    assert "coredumpctl dump" in done.stderr
    command = re.search(r"\(umask 077; .*? > core\)", done.stderr)
    assert command is not None
    subprocess.run(["sh", "-c", command[0]], cwd=tmp_path, check=True)
    assert (tmp_path / "core").stat().st_mode & 0o777 == 0o600
    done = subprocess.run(
        [*GORETAIN, "why", "core", "--json"], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
    )  # fmt: skip
    look = json.loads(done.stdout)["look"]
    assert (look["source"], look["pid"]) == ("core", pid)


@pytest.mark.parametrize("method", ["zstd", "lz4", "xz", "gzip"])
def test_every_compression_of_systemd_and_logrotate_is_recognised(tmp_path: Path, method: str) -> None:
    if shutil.which(method) is None:
        pytest.skip(f"needs {method}")
    packed = tmp_path / "a core"
    with packed.open("wb") as file:
        subprocess.run([method, "-c"], input=b"\x7fELF", stdout=file, check=True)
    with pytest.raises(UsageError, match=f"is compressed with {method}") as caught:
        goretain.open(packed)
    assert f"{method} -dc '{packed}' > core" in caught.value.hint
