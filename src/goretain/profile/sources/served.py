"""Where a process serves its profiles: by the address that a user gives, or by what the process listens on.

Imports ``model``, the standard library and this room.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from goretain.model.errors import GoretainError, NoSuchProcess, PermissionDenied, UsageError
from goretain.model.pids import is_pid
from goretain.profile.sources.source import is_url, read_source

#: Where net/http/pprof serves.
PROFILES = "/debug/pprof"
_SOCKET = re.compile(r"socket:\[(\d+)\]")
#: State of a listening socket in /proc/net/tcp (include/net/tcp_states.h, TCP_LISTEN).
_LISTEN = "0A"
#: Seconds that a listener may take to say whether it serves profiles.
_PATIENCE = 3.0


def profiles_at(target: str) -> str:
    """The address under which net/http/pprof serves, such as ``http://localhost:6060/debug/pprof``.

    Args:
        target: that address, one of a profile below it, one of the server, or the PID of a process that
            listens on TCP.

    Raises:
        UsageError: it is neither address nor PID, or the process serves no profiles.
        NoSuchProcess, PermissionDenied: of a PID.
    """
    if is_url(target):
        address = target.partition("?")[0]
        before, found, _ = address.partition(PROFILES)
        return before + found if found else address.rstrip("/") + PROFILES
    if not is_pid(target):
        raise UsageError(f"{target!r} is neither a URL nor a PID", hint="http://localhost:6060, or 4242")
    for host, port in _listeners(int(target)):
        address = f"http://{host}:{port}{PROFILES}"
        with suppress(GoretainError):
            page = read_source(f"{address}/cmdline", silence=_PATIENCE, patience=_PATIENCE, most=1 << 16)
            if page.data.partition(b"\0")[0] == _first_argument(int(target)):
                return address
    raise UsageError(
        f"process {target} serves no profiles (net/http/pprof) on a TCP port that can be reached from here",
        hint=f"give the URL, or look into its memory: goretain diff {target} --every 30s --count 6",
    )


def _first_argument(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0]


def _listeners(pid: int) -> Iterator[tuple[str, int]]:
    """Addresses, as a URL has them, and ports that a process listens on."""
    try:
        links = _links(pid)
    except PermissionError:
        raise PermissionDenied(
            f"the files of process {pid} may not be looked at", hint="be its user, or give the URL"
        ) from None
    except FileNotFoundError:
        raise NoSuchProcess(pid) from None
    sockets = {match[1] for link in links if (match := _SOCKET.fullmatch(link))}
    for table in ("tcp", "tcp6"):
        with suppress(FileNotFoundError):
            for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTEN and fields[9] in sockets:
                    address, _, port = fields[1].partition(":")
                    yield _host(bytes.fromhex(address)), int(port, 16)


def _links(pid: int) -> list[str]:
    """What the open files are; those that are closed meanwhile are left out."""
    links = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            links.append(str(path.readlink()))
    return links


def _host(raw: bytes) -> str:
    """An address of /proc/net/tcp, words in the order of the machine; those that mean any are this host."""
    words = struct.unpack(f"<{len(raw) // 4}I", raw)
    packed = struct.pack(f">{len(words)}I", *words)
    if not any(packed):
        return "127.0.0.1" if len(packed) == 4 else "localhost"
    if len(packed) == 4:
        return socket.inet_ntop(socket.AF_INET, packed)
    return f"[{socket.inet_ntop(socket.AF_INET6, packed)}]"
