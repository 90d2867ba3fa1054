"""The system calls that Python's ``os`` lacks: ptrace, process_vm_readv, anonymous mmap, capset, openat2.

Numbers and structs are those of Linux on amd64 (ptrace(2), sys/user.h, process_vm_readv(2), madvise(2),
capset(2), openat2(2)). Imports numpy and ctypes.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat

import numpy as np
from numpy.typing import NDArray

PTRACE_GETREGS = 12
PTRACE_DETACH = 17
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
PTRACE_EVENT_STOP = 128
WALL = 0x40000000
MADV_DONTNEED = 4
MADV_HUGEPAGE = 14
MADV_POPULATE_WRITE = 23
_PROT_READ_WRITE = 3
_MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x2 | 0x20 | 0x4000
_MREMAP_MAYMOVE = 1
IOV_MAX = 1024

REGISTERS = (
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi",
    "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs",
)  # fmt: skip

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long
_libc.process_vm_readv.argtypes = [
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.c_void_p,
    ctypes.c_ulong,
]
_libc.process_vm_readv.argtypes += [ctypes.c_ulong]
_libc.process_vm_readv.restype = ctypes.c_ssize_t
_libc.mmap.argtypes = [
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_long,
]
_libc.mmap.restype = ctypes.c_void_p
_libc.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int]
_libc.mremap.restype = ctypes.c_void_p
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.capget.argtypes = _libc.capset.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
_libc.syscall.restype = ctypes.c_long
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_SYS_OPENAT2 = 437
_RESOLVE_NO_MAGICLINKS, _RESOLVE_IN_ROOT = 0x02, 0x10
_FAILED = ctypes.c_void_p(-1).value


def _raise(what: str) -> None:
    code = ctypes.get_errno()
    raise OSError(code, f"{what}: {os.strerror(code)}")


def ptrace(request: int, tid: int, data: int = 0) -> None:
    """One ptrace request without an address. Raises OSError (ProcessLookupError, PermissionError)."""
    if _libc.ptrace(request, tid, None, data) < 0:
        _raise("ptrace")


def registers(tid: int) -> dict[str, int]:
    """user_regs_struct of a stopped thread. Raises OSError."""
    block = (ctypes.c_uint64 * len(REGISTERS))()
    ptrace(PTRACE_GETREGS, tid, ctypes.addressof(block))
    return dict(zip(REGISTERS, block, strict=True))


def process_vm_readv(pid: int, local: NDArray[np.int64], remote: NDArray[np.int64]) -> int:
    """Read remote ranges into local ones: both int64[k, 2] of (address, size), C-contiguous, k <= IOV_MAX.

    Returns the bytes read: fewer than asked for when a page is not readable. Raises OSError.
    """
    n = _libc.process_vm_readv(pid, local.ctypes.data, len(local), remote.ctypes.data, len(remote), 0)
    if n < 0:
        _raise("process_vm_readv")
    return int(n)


def peek(pid: int, address: int, size: int) -> bytes:
    """Up to size bytes of another process, fewer where the next page may not be read. Raises OSError."""
    ours = np.empty(size, np.uint8)
    local, remote = np.array([[ours.ctypes.data, size]], np.int64), np.array([[address, size]], np.int64)
    return ours[: process_vm_readv(pid, local, remote)].tobytes()


def reserve(size: int) -> int:
    """Address of size bytes of new anonymous memory that costs nothing until touched. Raises OSError."""
    address = _libc.mmap(None, size, _PROT_READ_WRITE, _MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0)
    if address == _FAILED or address is None:
        _raise("mmap")
    return int(address)


def resize(address: int, old: int, new: int) -> int:
    """Grow or shrink a reservation, perhaps elsewhere; pages keep their content. Raises OSError."""
    moved = _libc.mremap(address, old, new, _MREMAP_MAYMOVE)
    if moved == _FAILED or moved is None:
        _raise("mremap")
    return int(moved)


def unmap(address: int, size: int) -> None:
    """Give a reservation back."""
    _libc.munmap(address, size)


def advise(address: int, size: int, advice: int) -> bool:
    """madvise; False where the kernel does not know this advice (it is only an optimisation)."""
    return bool(_libc.madvise(address, size, advice) == 0)


def view(address: int, size: int) -> memoryview:
    """Our own memory at address as a writable view; the caller keeps it mapped."""
    return memoryview((ctypes.c_uint8 * size).from_address(address)).cast("B")


def capget(header: ctypes.Array[ctypes.c_uint32], data: ctypes.Array[ctypes.c_uint32]) -> None:
    """Fill data with the capability sets of this thread. Raises OSError."""
    if _libc.capget(header, data) < 0:
        _raise("capget")


def capset(header: ctypes.Array[ctypes.c_uint32], data: ctypes.Array[ctypes.c_uint32]) -> None:
    """Set the capability sets of this thread. Raises OSError."""
    if _libc.capset(header, data) < 0:
        _raise("capset")


def open_below(root: int, path: str) -> int:
    """Open a regular file for reading with the directory descriptor root as the root of its path.

    Links cannot lead out of it (RESOLVE_IN_ROOT). Before Linux 5.6, or where the call is filtered, every
    link on the way is refused instead. Raises OSError.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    how = (ctypes.c_uint64 * 3)(flags, 0, _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
    arguments = (ctypes.c_char_p(os.fsencode(path)), ctypes.byref(how), ctypes.c_size_t(24))
    fd = _libc.syscall(ctypes.c_long(_SYS_OPENAT2), ctypes.c_int(root), *arguments)
    if fd < 0 and ctypes.get_errno() in (errno.ENOSYS, errno.EPERM):
        fd = _open_without_links(root, path, flags)
    elif fd < 0:
        _raise(path)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, f"{path} is no regular file")
    return int(fd)


def _open_without_links(root: int, path: str, flags: int) -> int:
    *folders, name = [part for part in path.split("/") if part not in ("", ".")] or ["."]
    if ".." in folders:
        raise OSError(errno.EINVAL, f"{path} leads upwards")
    at = os.dup(root)
    try:
        for folder in folders:
            inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = inner
        return os.open(name, flags | os.O_NOFOLLOW, dir_fd=at)
    finally:
        os.close(at)
