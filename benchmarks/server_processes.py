"""Which processes a running server is made of."""

import subprocess
from pathlib import Path


def children(process: int) -> list[int]:
    """The processes that ``process`` started and that live."""
    found = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def loaders(server: int) -> list[int]:
    """The process of a server that its workers are forked from; none while there is none."""
    return [child for child in children(server) if b"forkserver" in Path(f"/proc/{child}/cmdline").read_bytes()]


def workers(server: int) -> list[int]:
    """Those of a server of several workers that answer."""
    return [worker for loader in loaders(server) for worker in children(loader)]
