"""Folders in which something is made: named after the process that makes it, so that what a crash left is known."""

import os
import re
from pathlib import Path
from shutil import rmtree
from typing import Final

_ASIDE: Final = re.compile(r"\..+\.(\d+)")


def aside(target: Path) -> Path:
    """Where ``target`` is made by this process, beside its place."""
    return target.with_name(f".{target.name}.{os.getpid()}")


def sweep(folder: Path) -> None:
    """Remove what processes that have ended left aside in ``folder``."""
    for left in folder.glob(".*"):
        found = _ASIDE.fullmatch(left.name)
        if found and left.is_dir() and not _lives(int(found[1])):
            rmtree(left)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True
