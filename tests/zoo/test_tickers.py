"""Tickers that nobody can stop any more are proved, in a program that has no other timers and so no type for
them."""

from __future__ import annotations

import pytest

import goretain
from tests.support.golang import go_program, running

#: The timer inside time.Ticker; a runtime.timeTimer, of whatever kind the timer is.
_BYTES = {"1.21.13": 200, "1.22.10": 200, "1.23.9": 248, "1.24.11": 248}


@pytest.mark.parametrize(
    "version", ["1.21.13", pytest.param("1.22.10", marks=pytest.mark.long), "1.23.9",
                pytest.param("1.24.11", marks=pytest.mark.long)]
)  # fmt: skip
def test_tickers_alone_are_proved_with_their_bytes(version: str) -> None:
    with running(go_program("tickers", version), ["5000"]) as target:
        snapshot = goretain.open(target.pid)
    (finding,) = snapshot.findings()
    assert (finding.code, finding.count, finding.confidence.level) == ("GR111", 5000, "proved")
    assert finding.saving_bytes == 5000 * _BYTES[version]
    assert "ticker" in finding.fix
