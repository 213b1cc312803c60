"""Memory that a training step frees is kept for the next step, instead of going back to the system.

TensorFlow allocates and frees the same arrays in every step. In its own threads, where `fit` and loops in a graph run,
the C library of Linux (glibc) hands them back to the system at once and asks for them again, and the system fills each
page with zeros, which for small models can take as long as the arithmetic. The process does not shrink afterwards. Each
thread would keep memory of its own (an arena), and all of it would add up: there are as many arenas as cores.
"""

import contextlib
import ctypes
import os
import platform

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -2, -3, -8  # malloc.h
MEBIBYTE = 2**20


def keep_freed_memory() -> bool:
    """Tell glibc to keep what is freed; True if it was told. See mallopt(3).

    Nothing is done, and False returned, on other systems, or where a MALLOC_ variable has settled it.
    """
    if platform.libc_ver()[0] != "glibc" or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        settings = {M_MMAP_THRESHOLD: 32 * MEBIBYTE, M_TRIM_THRESHOLD: 1024 * MEBIBYTE, M_TOP_PAD: 64 * MEBIBYTE}
        settings |= {M_ARENA_MAX: max(2, os.cpu_count() or 2)}
        return all([mallopt(name, value) == 1 for name, value in settings.items()])
    return False
