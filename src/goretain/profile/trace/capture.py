"""Asks a running program for an execution trace. Imports ``model`` and ``profile.sources``."""

from __future__ import annotations

import math
from urllib.parse import urlsplit, urlunsplit

from goretain.model.errors import UsageError
from goretain.profile.sources.served import PROFILES
from goretain.profile.sources.source import Source, is_url, read_source

#: Bytes of a trace; a busy program writes some ten million a second.
MOST_BYTES = 1 << 30
#: The longest that a program is asked to trace itself.
_LONGEST = 3600


def capture(address: str, seconds: float) -> Source:
    """A trace of so many seconds, rounded up to whole ones, from a program that serves net/http/pprof.

    Args:
        address: where it serves: ``http://localhost:6060``, or of the handler itself.

    Raises:
        UsageError: no address of a server. Unreachable: it gives no trace.
    """
    if not is_url(address):
        raise UsageError(f"{address} is no URL", hint="--from http://localhost:6060")
    if not 0 < seconds <= _LONGEST:
        raise UsageError("a trace lasts for up to an hour", hint="--for 5s")
    return read_source(trace_url(address, math.ceil(seconds)), most=MOST_BYTES)


def trace_url(address: str, seconds: int) -> str:
    """The URL of a trace of so many seconds."""
    parts = urlsplit(address)
    path = parts.path if parts.path.rstrip("/") not in ("", PROFILES) else f"{PROFILES}/trace"
    return urlunsplit((parts.scheme, parts.netloc, path, f"seconds={seconds}", ""))
