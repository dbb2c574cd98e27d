"""Lists that a person was shown, out of the log of served lists.

A line names nobody; the events of the one who saw it carry its ``request_id``. Workers append to the newest file all
the time, so a line is overwritten with blanks where it stands, and no byte of another moves.
"""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

import orjson

from features.contracts import columns as c
from features.lake.commits import flush


def count_served(folder: Path, requests: Collection[str]) -> int:
    """How many of the answers ``requests`` are in the log."""
    return sum(1 for _ in _lines(folder, frozenset(requests)))


def forget_served(folder: Path, requests: Collection[str]) -> None:
    """Blank out the answers ``requests``."""
    touched = set()
    for file, start, length in _lines(folder, frozenset(requests)):
        handle = os.open(file, os.O_WRONLY)
        try:
            os.pwrite(handle, b" " * length, start)
        finally:
            os.close(handle)
        touched.add(file)
    for file in touched:
        flush(file)


def _lines(folder: Path, requests: frozenset[str]) -> Iterator[tuple[Path, int, int]]:
    """File, first byte and length without the line's end of each of those answers."""
    for file in sorted(folder.glob("*.jsonl")) if requests else ():
        start = 0
        with file.open("rb") as stream:
            for line in stream:
                if line.strip() and line.endswith(b"\n") and orjson.loads(line)[c.REQUEST_ID] in requests:
                    yield file, start, len(line) - 1
                start += len(line)
