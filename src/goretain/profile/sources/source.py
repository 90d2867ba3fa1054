"""The bytes of a profile: of a file, a pipe or a URL, unpacked if they are gzipped.

Bounded in size and time: a server that sends nothing, or without end, is given up. Imports ``model`` and the
standard library; what speaks HTTP when a URL is asked for.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from goretain.model.errors import CorruptFile, GoretainError, UsageError
from goretain.model.opening import open_named
from goretain.model.units import iec

#: Bytes of a profile, packed or not. The largest that were seen have some ten million.
MOST_BYTES = 1 << 27
#: Gzip members of one file: ``cat`` makes two of two profiles.
_MOST_PARTS = 16
#: Seconds that a server may say nothing, and take in all. ``?seconds=N`` makes it say nothing for so long.
SILENCE, PATIENCE = 30.0, 120.0
_WINDOW = 1 << 20
_GZIP = b"\x1f\x8b"
_SECONDS = re.compile(r"[?&]seconds=(\d{1,6})(?:&|$)")
_PASSWORD = re.compile(r"(?<=://)[^/@\s]*@")


class Unreachable(GoretainError):
    """A URL gave no profile."""


@dataclass(frozen=True, slots=True)
class Source:
    """What was read.

    Attributes:
        name: as the user named it, without a password.
        data: unpacked.
    """

    name: str
    data: bytes


def is_url(target: str) -> bool:
    """Whether a profile is to be fetched."""
    return target.startswith(("http://", "https://"))


def without_password(target: str) -> str:
    """A path or URL as it is shown."""
    return _PASSWORD.sub("", target)


def read_source(
    target: str, *, silence: float = SILENCE, patience: float = PATIENCE, most: int = MOST_BYTES
) -> Source:
    """The bytes behind a path, ``-`` (standard input) or a URL.

    Args:
        silence, patience: seconds that a server may say nothing, and take in all.
        most: bytes, packed and unpacked.

    Raises:
        UsageError: there is no such file. Unreachable: the URL gives nothing.
        CorruptFile: it is larger than ``most``, or its packing is damaged.
    """
    name = without_password(target)
    if is_url(target):
        packed = _fetch(target, name, silence, patience, most)
    elif target == "-":
        packed = _taken(sys.stdin.buffer.read, name, most)
    else:
        packed = _read_file(target, most)
    return Source(name, unpacked(packed, name, most))


def unpacked(packed: bytes, name: str, most: int = MOST_BYTES) -> bytes:
    """The bytes inside gzip's packing, of which there may be several in a row; else the bytes themselves.

    Raises:
        CorruptFile: damaged, or more than ``most`` bytes.
    """
    if packed[:2] != _GZIP:
        return packed
    from isal import isal_zlib  # twice as fast as zlib, which is a third of what a fleet of profiles takes

    broken = cast("type[Exception]", isal_zlib.error)
    parts: list[bytes] = []
    room, left = most + 1, packed
    while left[:2] == _GZIP:
        offset = len(packed) - len(left)
        unpacker = isal_zlib.decompressobj(wbits=31)
        try:
            parts.append(unpacker.decompress(left, room))
        except broken as wrong:
            raise CorruptFile(name, offset, f"gzip: {wrong}", hint="fetch it again") from None
        room -= len(parts[-1])
        if room <= 0:
            raise _too_large(name, most)
        if not unpacker.eof:
            reason = "gzip: the end is missing"
            raise CorruptFile(name, len(packed), reason, hint="it was cut off: fetch it again")
        left = unpacker.unused_data
        if len(parts) >= _MOST_PARTS and left:
            raise CorruptFile(name, len(packed) - len(left), f"gzip: more than {_MOST_PARTS} parts")
    return b"".join(parts)


def _too_large(name: str, most: int) -> CorruptFile:
    return CorruptFile(name, None, f"more than {iec(most)} of profile", hint="is it a profile?")


def _read_file(path: str, most: int) -> bytes:
    descriptor = open_named(path)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UsageError(f"{path} is a directory", hint="name the files in it")
    with os.fdopen(descriptor, "rb") as file:
        os.set_blocking(descriptor, True)  # opened so that a pipe without a writer could not hold us
        size = os.fstat(descriptor).st_size
        whole = file.read(size + 1) if 0 < size <= most else b""  # once, where it is known how large it is
        return whole if len(whole) == size > 0 else whole + _taken(file.read, path, most - len(whole))


def _taken(
    read: Callable[[int], bytes], name: str, most: int, check: Callable[[], None] | None = None
) -> bytes:
    parts: list[bytes] = []
    left = most
    while part := read(_WINDOW):
        parts.append(part)
        left -= len(part)
        if left < 0:
            raise _too_large(name, most)
        if check is not None:
            check()
    return b"".join(parts)


def _fetch(url: str, name: str, silence: float, patience: float, most: int) -> bytes:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError

    asked = _SECONDS.search(url)
    extra = float(asked[1]) if asked else 0.0
    deadline = time.monotonic() + patience + extra

    def check() -> None:
        if time.monotonic() > deadline:
            raise Unreachable(
                f"{name} did not end within {patience + extra:.0f} s", hint="fetch it with curl"
            )

    try:
        with _opened(url, silence + extra) as answer:
            return _taken(answer.read1, name, most, check)
    except HTTPError as refused:
        text = refused.read(200).decode("utf-8", "replace").strip().partition("\n")[0]
        refused.close()
        why = str(refused.reason).partition("\n")[0]  # of redirections in a circle it has three lines
        said = f"{name} answered {refused.code} {why}" + (f": {text}" if text else "")
        raise Unreachable(said, hint=_advice(refused.code)) from None
    except TimeoutError:
        hint = "is the process stopped, or busy with another profile?"
        raise Unreachable(f"{name} said nothing for {silence + extra:.0f} s", hint=hint) from None
    except (URLError, HTTPException, OSError, ValueError) as failed:
        reason = getattr(failed, "reason", None) or failed
        if isinstance(reason, TimeoutError):
            reason = f"no connection within {silence + extra:.0f} s"
        raise Unreachable(f"{name} cannot be fetched: {reason}", hint=_mend(reason)) from None


def _opened(url: str, silence: float) -> Any:
    """The open answer; unlike urlopen's, a redirection leads to http and https alone, never to a file."""
    from base64 import b64encode
    from urllib import request
    from urllib.parse import unquote, urlsplit

    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPRedirectHandler,
        request.HTTPErrorProcessor,
        request.HTTPDefaultErrorHandler,
    ):
        opener.add_handler(handler())
    headers = {"User-Agent": "goretain"}
    parts = urlsplit(url)
    if parts.username is not None:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {b64encode(secret.encode()).decode()}"
    return opener.open(request.Request(_PASSWORD.sub("", url), headers=headers), timeout=silence)


def _mend(reason: object) -> str:
    from ssl import SSLCertVerificationError, SSLError

    if isinstance(reason, SSLCertVerificationError):
        return "who signed its certificate is not known here: set SSL_CERT_FILE=ca.pem, or fetch it with curl"
    return "does it serve http, not https?" if isinstance(reason, SSLError) else "check host and port"


def _advice(code: int) -> str:
    if code == 404:
        return "net/http/pprof serves /debug/pprof/heap, .../allocs, .../goroutine; is it imported?"
    if code in (401, 403):
        return "fetch it with curl and the right credentials, and give the file"
    return ""
