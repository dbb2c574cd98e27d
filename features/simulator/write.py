"""Files of a mall: written aside part by part, put together, and renamed when everything stands."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.errors import InputError
from features.contracts.events import EVENT_SCHEMA
from features.simulator.catalogue import Catalogue
from features.simulator.randomness import Float32
from features.simulator.world import VERSION, World

_PARTS: Final = "parts"
_DICTIONARY: Final = [
    n for n in EVENT_SCHEMA.names if n not in (c.EVENT_ID, c.PROPERTIES, c.OCCURRED_AT, c.RECEIVED_AT)
]
#: Tables written by blocks, and where they belong in the finished mall.
_TABLES: Final = {
    "registered": "users.parquet",
    "users": "truth/users.parquet",
    "churn": "truth/churn.parquet",
    "fraud": "truth/fraud.parquet",
    "identities": "truth/identities.parquet",
}
_SOURCE: Final = """\
# A simulated mall. Take it in with: mallard ingest {file}
name: {name}
interactions:
  path: events/*.parquet
items:
  path: items.parquet
users:
  path: users.parquet
"""


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` that becomes ``out`` when the block ends well, and is removed when it does not.

    Raises :class:`InputError` when ``out`` is there already and not an empty folder, or cannot be made.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: is there already; name a folder that does not exist, or remove it first")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".partial", dir=out.parent))
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error}") from error
    try:
        for name in ("events", "truth", _PARTS):
            (folder / name).mkdir()
        yield folder
        shutil.rmtree(folder / _PARTS)
        folder.chmod(0o755)  # mkdtemp keeps others out
        if out.exists():
            out.rmdir()
        folder.rename(out)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def write_events(folder: Path, day: date, block: int, rows: pa.Table) -> None:
    """The events of one day and block, sorted by account and time; nothing for a day without any."""
    if len(rows):
        path = folder / "events" / f"{day.isoformat()}-{block:04d}.parquet"
        pq.write_table(rows, path, compression="zstd", use_dictionary=_DICTIONARY)


class PartWriter:
    """The tables and arrays of one block, as parts of the whole ones."""

    def __init__(self, folder: Path, block: int) -> None:
        self._folder, self._block = folder / _PARTS, block
        self._writers: dict[str, pq.ParquetWriter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for writer in self._writers.values():
            writer.close()

    def write(self, table: str, rows: pa.Table) -> None:
        """Add ``rows`` to the block's part of ``table``."""
        if table not in self._writers:
            path = self._folder / f"{table}-{self._block:06d}.parquet"
            self._writers[table] = pq.ParquetWriter(path, rows.schema, compression="zstd")
        if len(rows):
            self._writers[table].write_table(rows)

    def array(self, name: str, values: Float32) -> None:
        """The block's rows of array ``name``."""
        np.save(self._folder / f"{name}-{self._block:06d}.npy", values)


def finish(folder: Path, name: str, world: World, catalogue: Catalogue) -> None:
    """Put the parts together and write what belongs to the whole mall."""
    for table, path in _TABLES.items():
        _join(sorted((folder / _PARTS).glob(f"{table}-*.parquet")), folder / path)
    _stack(sorted((folder / _PARTS).glob("user_factors-*.npy")), folder / "truth" / "user_factors.npy", world)
    np.save(folder / "truth" / "item_factors.npy", catalogue.factors)
    pq.write_table(catalogue.to_table(world), folder / "items.parquet", compression="zstd")
    document = {"version": VERSION, "world": world.model_dump(mode="json")}
    (folder / "truth" / "world.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    source = _SOURCE.format(name=json.dumps(name, ensure_ascii=False), file="source.yaml")
    (folder / "source.yaml").write_text(source, encoding="utf-8")


def _join(parts: list[Path], whole: Path) -> None:
    with pq.ParquetWriter(whole, pq.read_schema(parts[0]), compression="zstd") as writer:
        for part in parts:
            with pq.ParquetFile(part) as file:
                for batch in file.iter_batches():
                    writer.write_batch(batch)


def _stack(parts: list[Path], whole: Path, world: World) -> None:
    width = np.load(parts[0], mmap_mode="r").shape[1]
    array = np.lib.format.open_memmap(whole, mode="w+", dtype=np.float32, shape=(world.users, width))
    at = 0
    for part in parts:
        rows = np.load(part)
        array[at : at + len(rows)] = rows
        at += len(rows)
    array.flush()
