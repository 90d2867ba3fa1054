"""What the RSS of a process is made of, asked of its page tables when it runs again.

Outside of the pause, because to walk a gigabyte of page tables takes milliseconds and no answer hangs on
them. One walk, so that the parts add up to their sum even while they change. A page counts by the rules of
/proc/PID/smaps (vm_normal_page, smaps_account in the kernel's fs/proc/task_mmu.c): the page of zeros and the
pages of devices do not. Imports ``capture`` and numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from goretain.capture import procfs
from goretain.capture.frozen import pagemap
from goretain.capture.image import Mapping
from goretain.capture.ranges import I64, as_ranges, intersect, normalise, total
from goretain.capture.residency import Residency

_SHARED_MEMORY = ("/dev/zero", "/memfd:", "/SYSV", "/dev/shm/", "[anon_shmem")
#: Not counted in RSS: huge pages of hugetlbfs, and what the kernel shows of itself.
_NOT_COUNTED = ("/anon_hugepage", "/dev/hugepages/", "[vvar", "[vsyscall")


def measure(descriptor: int, mapped: list[Mapping], program: str) -> Residency | None:
    """The resident memory of a process; None when it cannot be told.

    Args:
        descriptor: of /proc/PID/pagemap, -1 where that may not be read.
        mapped: its mappings as they are now.
        program: path of its executable.
    """
    counted = [m for m in mapped if not m.path.startswith(_NOT_COUNTED)]
    own = _ranges(counted, procfs.is_anonymous)
    shared = _ranges(counted, _is_shared_memory)
    backed = [m for m in counted if not procfs.is_anonymous(m) and not _is_shared_memory(m)]
    is_program = [m.path.removesuffix(" (deleted)") == program for m in backed]
    code = _ranges([m for m, it in zip(backed, is_program, strict=True) if it])
    files = _ranges([m for m, it in zip(backed, is_program, strict=True) if not it])
    private = _ranges(backed, lambda m: m.flags[3] == "p")
    try:
        if descriptor < 0:
            return None
        found = pagemap.categories(descriptor, _ranges(counted))
    except OSError:
        return None
    kind = found[:, 2]
    present = kind & (pagemap.PRESENT | pagemap.ZERO) == pagemap.PRESENT
    # In memory of its own a page "of a file" is the huge page of zeros.
    of_file = present & (kind & pagemap.FILE != 0)
    alone, pages = _chosen(found, present & ~of_file), _chosen(found, of_file)
    return Residency(
        anonymous=normalise(np.concatenate((intersect(alone, own), intersect(alone, private)))),
        program=total(intersect(pages, code)),
        files=total(intersect(pages, files)),
        shared=total(intersect(pages, shared)),
        swapped=total(intersect(_chosen(found, kind & pagemap.SWAPPED != 0), _ranges(counted))),
    )


def _is_shared_memory(mapping: Mapping) -> bool:
    return not procfs.is_anonymous(mapping) and mapping.path.startswith(_SHARED_MEMORY)


def _ranges(mapped: Iterable[Mapping], wanted: Callable[[Mapping], bool] | None = None) -> I64:
    return normalise(as_ranges((m.start, m.end) for m in mapped if wanted is None or wanted(m)))


def _chosen(found: I64, rows: NDArray[np.bool_]) -> I64:
    return normalise(found[rows, :2])
