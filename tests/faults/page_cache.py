"""Which bytes of a file are on the disk, and which only in memory: what a power cut would leave of it.

The kernel says so for any range: cachestat(2), since Linux 6.5, counts the pages that are *dirty* (written, not yet on their
way) or under *writeback* (on their way, not there yet). Killing a process does not make this difference visible, since the
kernel keeps what it wrote; fsync is exactly what turns dirty pages into clean ones.
"""

import ctypes
import mmap
import os
import sys
import tempfile
from pathlib import Path

CACHESTAT = 451  # the number of the system call, the same on every architecture


def unsynced_from(path: Path) -> int:
    """The offset of the first byte in a page that is not on disk; the file's size when all of it is."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        clean, dirty = (
            0,
            -(-size // mmap.PAGESIZE),
        )  # pages: all before `clean` are on disk, some before `dirty` are not
        if not _unsynced_pages(file.fileno(), 0, size):
            return size
        while dirty - clean > 1:
            middle = (clean + dirty) // 2
            if _unsynced_pages(file.fileno(), 0, middle * mmap.PAGESIZE):
                dirty = middle
            else:
                clean = middle
    return clean * mmap.PAGESIZE


def kept_at_most(path: Path) -> int:
    """How much of a file that only grows can be on disk, at best: of the first unsynced page perhaps all of it, as an
    earlier fsync found it, and of the pages behind it nothing."""
    return min(unsynced_from(path) + mmap.PAGESIZE, path.stat().st_size)


def sees_unsynced() -> bool:
    """Whether the kernel tells, and temporary files are on a disk at all (a tmpfs has no dirty pages)."""
    if sys.platform != "linux":
        return False
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"not yet")
        file.flush()
        try:
            return unsynced_from(Path(file.name)) == 0
        except OSError:
            return False


def _unsynced_pages(descriptor: int, start: int, end: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    span = (ctypes.c_uint64 * 2)(start, end - start)
    counted = (ctypes.c_uint64 * 5)()  # pages in the cache, dirty, under writeback, evicted, recently evicted
    if libc.syscall(CACHESTAT, descriptor, ctypes.byref(span), ctypes.byref(counted), 0):
        raise OSError(ctypes.get_errno(), "cachestat")
    return counted[1] + counted[2]
