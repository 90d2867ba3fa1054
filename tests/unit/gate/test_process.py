"""What is said of a test binary that does not start."""

from __future__ import annotations

from pathlib import Path

import pytest

from goretain.gate.build import Built, Package
from goretain.gate.process import Settings, execute
from goretain.model.errors import ToolchainError


def test_where_no_programs_may_run_the_place_is_told(tmp_path: Path) -> None:
    # as below a TMPDIR that is mounted noexec
    binary = tmp_path / "tests"
    binary.write_bytes(b"")
    built = Built(Package("example.com/shop", tmp_path, "shop", ()), binary, "go1.26")
    with pytest.raises(ToolchainError, match=r"example\.com/shop, .*: Permission denied") as failed:
        execute(built, [], Settings())
    assert "TMPDIR" in failed.value.hint
