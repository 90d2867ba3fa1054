"""What of a chain is stable across runs and builds, so that a finding can be recognised again.

Imports ``model`` only.
"""

from __future__ import annotations

import re

from goretain.model.findings import Chain, fingerprint

_GOROUTINE = re.compile(r"^goroutine \d+ \[[^\]]*\]")
_INDEX = re.compile(r"\[[^\]]*\]")
_SIZES = re.compile(r"\s*\((?:len|cap)[^)]*\)")
_TIMES = re.compile(r"×\d+")  # of a link that is followed several times: .next×13


def stable_name(text: str) -> str:
    """A root or link without what differs between two runs: goroutine ids, indexes, lengths, repeats."""
    return _TIMES.sub("", _SIZES.sub("", _INDEX.sub("[]", _GOROUTINE.sub("goroutine", text))))


def fingerprint_of(pattern: str, chain: Chain) -> str:
    """Fingerprint of a pattern's finding at a chain; equal for equal names."""
    names = [stable_name(chain.root)]
    for link in chain.links:
        name = stable_name(link)
        # A list is as long as it is today: .next.next.next is .next.
        if name != names[-1]:
            names.append(name)
    return fingerprint(pattern, *names)
