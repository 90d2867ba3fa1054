"""A sync.Map without a limit is named on every Go version, be it two maps inside or a trie of hashes."""

from __future__ import annotations

import pytest

import goretain
from tests.support.golang import VERSIONS, go_program, running

_SHORT = (VERSIONS[0], VERSIONS[-1])


@pytest.mark.parametrize(
    "version", [pytest.param(v, marks=[] if v in _SHORT else pytest.mark.long) for v in VERSIONS]
)
def test_a_sync_map_that_holds_most_is_named(version: str) -> None:
    with running(go_program("synced", version)) as target:
        (finding,) = goretain.open(target.pid).findings()
    assert (finding.code, finding.count, finding.saving_bytes) == ("GR104", 1, 0)
    assert finding.holder.startswith("main.sessions")
    assert " in 8,192 entries" in finding.confidence.reason
    assert finding.retained_bytes is not None
    assert finding.retained_bytes > 8192 * 1024
