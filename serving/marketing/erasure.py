"""Erased users out of risk snapshots: at once for every reader by a mask, then out of the files.

The mask, ``erased.json``, holds numbers of rows and names nobody. It stays when the rows have gone, so that a worker
that has the old files open goes on hiding them until it opens the new ones.
"""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fcntl import LOCK_EX, flock
from pathlib import Path

import numpy as np
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.home import Home
from features.lake.commits import flush
from features.lake.leftovers import sweep
from features.lake.rewriting import one_of
from serving.marketing.snapshot import (
    churn_folder,
    erased_rows,
    file_names,
    read_info,
    row_numbers,
    write_files,
)


class SnapshotErasure:
    """The risk snapshots of a home."""

    def __init__(self, home: Home) -> None:
        self._root = churn_folder(home)

    def count(self, users: Collection[str]) -> dict[str, int]:
        """Rows of ``users`` in the files of each snapshot that has any, hidden or not."""
        found = {folder.name: len(_numbers(folder, users)) for folder in self._folders()}
        return {f"snapshots/churn/{name}": rows for name, rows in found.items() if rows}

    def mask(self, users: Collection[str]) -> None:
        """Hide ``users`` from every reader that asks from now on."""
        with self._locked():
            for folder in self._folders():
                numbers = _numbers(folder, users)
                if numbers:
                    whole = sorted({*erased_rows(folder), *numbers})
                    _replace(folder / "erased.json", json.dumps(whole))

    def purge(self, users: Collection[str]) -> None:
        """Put files without the hidden rows in the place of those that hold them."""
        sweep(self._root)
        self.mask(users)
        with self._locked():
            for folder in self._folders():
                _compact(folder)

    def files(self, snapshots: Collection[str]) -> dict[str, dict[str, str]]:
        """Names and SHA-256 of the files of ``snapshots``, as :meth:`count` names them, where they still are."""
        folders = {f"snapshots/churn/{folder.name}": folder for folder in self._folders()}
        return {name: read_info(folders[name]).files for name in snapshots if name in folders}

    def _folders(self) -> list[Path]:
        return sorted(file.parent for file in self._root.glob("[0-9]*/manifest.json"))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / ".erasing").open("a") as stream:
            flock(stream, LOCK_EX)
            yield


def _numbers(folder: Path, users: Collection[str]) -> list[int]:
    info = read_info(folder)
    with pa.memory_map(str(folder / file_names(info.version)[0])) as source:
        his = one_of(pa.ipc.open_file(source).read_all()[c.USER_ID], list(users))
    found: list[int] = row_numbers(info)[his].tolist()
    return found


def _compact(folder: Path) -> None:
    info = read_info(folder)
    hidden = set(erased_rows(folder)) - set(info.removed)
    if hidden:
        numbers = row_numbers(info)
        keep = ~np.isin(numbers, np.array(sorted(hidden), dtype=np.int32))
        with pa.memory_map(str(folder / file_names(info.version)[0])) as source:
            rows = pa.ipc.open_file(source).read_all().filter(pa.array(keep)).combine_chunks()
        version = info.version + 1
        files = write_files(folder, rows, version=version, number=numbers[keep])
        for name in files:
            flush(folder / name)
        removed = sorted({*info.removed, *hidden})
        info = replace(info, version=version, count=len(rows), files=files, removed=removed)
        _replace(folder / "manifest.json", json.dumps(vars(info), indent=1))
    for file in folder.iterdir():
        if file.name not in {*info.files, "manifest.json", "erased.json"}:
            file.unlink()


def _replace(file: Path, text: str) -> None:
    aside = file.with_name(f".{file.name}")
    aside.write_text(text, encoding="utf-8")
    flush(aside)
    aside.replace(file)
    flush(file.parent)
