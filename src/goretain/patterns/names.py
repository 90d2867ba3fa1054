"""What of a chain is stable across runs and builds, so that a finding can be recognised again.

Imports ``model`` only.
"""

from __future__ import annotations

import re

from goretain.model.findings import Chain, fingerprint

_GOROUTINE = re.compile(r"^goroutine \d+ \[[^\]]*\]")
_INDEX = re.compile(r"\[[^\]]*\]")
_SIZES = re.compile(r"\s*\((?:len|cap)[^)]*\)")


def stable_name(text: str) -> str:
    """A root or link without what differs between two runs: goroutine ids, indexes, keys, lengths."""
    return _SIZES.sub("", _INDEX.sub("[]", _GOROUTINE.sub("goroutine", text)))


def fingerprint_of(pattern: str, chain: Chain) -> str:
    """Fingerprint of a pattern's finding at a chain; equal for equal names."""
    return fingerprint(pattern, stable_name(chain.root), *(stable_name(link) for link in chain.links))
