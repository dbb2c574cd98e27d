"""Memory that was needed to load something and is free again: back to the system, which other workers share.

The allocators keep it for the next time. A worker reads tables of the lake when it starts and when they change, and
answers with a fraction of what that took.
"""

import ctypes
import sys

import pyarrow as pa


def give_back() -> None:
    """Return what is free. Takes milliseconds."""
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        # A function of glibc; another C library may lack it.
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
