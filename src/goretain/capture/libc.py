"""The system calls that Python's ``os`` lacks: ptrace, process_vm_readv, anonymous mmap with madvise.

Numbers and structs are those of Linux on amd64 (ptrace(2), sys/user.h, process_vm_readv(2), madvise(2)).
Imports numpy and ctypes.
"""

from __future__ import annotations

import ctypes
import os

import numpy as np
from numpy.typing import NDArray

PTRACE_GETREGS = 12
PTRACE_DETACH = 17
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
PTRACE_EVENT_STOP = 128
WALL = 0x40000000
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
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
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
