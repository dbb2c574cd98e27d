"""Where several workers add their numbers up: a folder in memory that ends with the server."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.api.metrics import MULTIPROCESS_FOLDER

_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder made in it is private and has a name that nobody can foresee
_PREFIX = "mallard-metrics-"
_LOCK = "lock"


@contextmanager
def shared_between_workers() -> Iterator[Path]:
    """Let the workers that this process starts within the block add their numbers up; gives the folder they do it in.

    It lies in memory where the system has a place for that: workers write by maps of its files, and a mapped write
    to a full disk kills the process (SIGBUS), reads and all.
    """
    memory = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    if memory is not None:
        _sweep(memory)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=memory) as name:
        folder = Path(name)
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.environ[MULTIPROCESS_FOLDER] = name
            try:
                yield folder
            finally:
                os.environ.pop(MULTIPROCESS_FOLDER, None)


def _sweep(memory: Path) -> None:
    """Remove what servers left that were killed: the kernel drops the lock of a process that ends."""
    for left in memory.glob(f"{_PREFIX}*/{_LOCK}"):
        try:
            with left.open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left.parent)
        except OSError:
            continue  # it is in use, somebody else's, or somebody else has just removed it
