"""How fast tags are built, and with how much memory: ``mallard bench tags``.

Every timed step runs in a process of its own, so that its peak memory is its own.
"""

import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, time, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.events import EVENT_SCHEMA, EVENT_TYPES
from features.contracts.home import Home
from features.contracts.progress import step
from features.engine import EventTables, TagStore, build_slices, build_tags, known_events, tag_schema
from features.lake import Lake
from features.sources import load_source
from features.tags import catalogue, spec_hash
from training.bench.measure import Cost, Meter
from training.bench.provenance import code_version, machine
from training.bench.tags_in_pandas import PANDAS_READS, PANDAS_TAGS, pandas_tags

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

#: One user in so many is given to pandas.
SAMPLE: Final = 100
_PIECE: Final = 122_880  # rows


def bench_tags(mall: Path, work: Path | None = None) -> dict[str, Any]:
    """Measure builds of every tag on a simulated mall (the folder that ``mallard simulate`` wrote).

    The events that arrived before the last midnight are taken into a lake and built in full; then the rest arrives,
    late rows among it, and the next day is built. Beside it a bare scan of the same files by DuckDB, and twenty of
    the tags in pandas on one user in :data:`SAMPLE`, whose values must be those of the build.

    The lake is made in ``work`` (a temporary folder by default); one that is there from an earlier run is used again,
    and is not changed by the builds.
    """
    with tempfile.TemporaryDirectory() as aside:
        base = _home(work or Path(aside))
        night = _last_midnight(mall)
        if Lake(base).is_empty:
            with step("taking the mall in"):
                _alone(_take_in, base, mall, night)
        with tempfile.TemporaryDirectory(dir=base.root.parent) as folder:
            home = _home(Path(folder))
            shutil.copytree(base.lake, home.lake, copy_function=os.link)  # files of a lake never change
            return _measure(home, mall, night)


def _measure(home: Home, mall: Path, night: datetime) -> dict[str, Any]:
    events, scan = _alone(_scan, home)
    users, full = _alone(_build, home, night)
    with step("the last day arrives"):
        new, arrival = _alone(_arrive, home, mall, night)
    _, day = _alone(_build, home, night + timedelta(days=1))
    files, sample = _alone(_sample, home, night)
    few, pandas = _alone(_pandas, *files, night)
    differing, check = _alone(_differing, home, few, night)
    tags = len(catalogue())
    rate = users * tags / full.seconds
    rate_of_pandas = len(few) * len(PANDAS_TAGS) / pandas.seconds
    return {
        "name": "tags",
        "users": users,
        "tags": tags,
        "events": events,
        "new_events": new,
        "commit": code_version(),
        "machine": machine(),
        "rows": [
            _row("bare scan of the files (DuckDB)", scan),
            _row("full build", full, times_the_scan=full.seconds / scan.seconds, values_per_second=rate),
            _row("arrival of the last day", arrival, times_the_scan=arrival.seconds / scan.seconds),
            _row("the day after it", day, times_the_scan=day.seconds / scan.seconds),
            _row(f"sample of {len(few):,} users for pandas", sample, times_the_scan=sample.seconds / scan.seconds),
            _row(f"{len(PANDAS_TAGS)} tags of {len(few):,} users in pandas", pandas, values_per_second=rate_of_pandas),
            _row("their values compared", check),
        ],
        "times_pandas": rate / rate_of_pandas,
        "values_that_differ_from_pandas": differing,
    }


def _alone(work: Callable[Arguments, Result], *args: Arguments.args, **named: Arguments.kwargs) -> tuple[Result, Cost]:
    """The result of ``work`` in a fresh process, and what it cost."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_metered, work, args, named).result()


def _metered(work: Callable[..., Result], args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Result, Cost]:
    with Meter() as meter:
        result = work(*args, **named)
    return result, meter.cost


def _home(root: Path) -> Home:
    return Home(root=root, configs=Path("configs"), mlruns=root / "mlruns")


def _last_midnight(mall: Path) -> datetime:
    """The midnight before the last event."""
    last = max((mall / "events").glob("*.parquet"))
    moment: datetime = pc.max(pq.read_table(last, columns=[c.OCCURRED_AT])[c.OCCURRED_AT]).as_py()
    return datetime.combine(moment.date(), time.min, tzinfo=UTC)


def _take_in(home: Home, mall: Path, night: datetime) -> None:
    """Ingest what arrived before ``night``."""
    part = home.root / "first"
    (part / "events").mkdir(parents=True)
    for name in ("items.parquet", "users.parquet", "source.yaml"):
        (part / name).symlink_to((mall / name).resolve())
    for file in sorted((mall / "events").glob("*.parquet")):
        early = (rows.filter(_arrived(rows, night)) for rows in _rows(file))
        _write(part / "events" / file.name, (rows for rows in early if rows.num_rows))
    Lake(home).ingest(load_source(part / "source.yaml"), now=night)
    shutil.rmtree(part)


def _arrive(home: Home, mall: Path, night: datetime) -> int:
    """Append what arrived after ``night``, which is held at once."""
    late = [
        rows.filter(pc.invert(_arrived(rows, night)))
        for file in sorted((mall / "events").glob("*.parquet"))
        for rows in _rows(file)
    ]
    return Lake(home).append_events(pa.concat_tables(late), batch_id="last-day", now=night)


def _rows(file: Path) -> Iterator[pa.Table]:
    """The rows of ``file`` in pieces: a day of a large mall is not held at once."""
    with pq.ParquetFile(file) as opened:
        for batch in opened.iter_batches(_PIECE):
            yield pa.table(batch)


def _write(file: Path, pieces: Iterator[pa.Table]) -> None:
    """Write ``pieces``; no file when there are none."""
    first = next(pieces, None)
    if first is None:
        return
    with pq.ParquetWriter(file, first.schema) as writer:
        for piece in chain([first], pieces):
            writer.write_table(piece)


def _arrived(rows: pa.Table, night: datetime) -> pa.ChunkedArray:
    return pc.less(pc.coalesce(rows[c.RECEIVED_AT], rows[c.OCCURRED_AT]), pa.scalar(night))


def _scan(home: Home) -> int:
    """Read every column of every event file."""
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.read_parquet([str(file) for file in Lake(home).event_files()]).create_view("events")
        counts = ", ".join(["count(*)", *(f"count({name})" for name in EVENT_SCHEMA.names)])
        rows = connection.sql(f"SELECT {counts} FROM events").fetchall()  # noqa: S608 - names of the contract
    return int(rows[0][0])


def _build(home: Home, as_of: datetime) -> int:
    """Fold what is new, build every tag and keep the table, as ``mallard tags build`` does."""
    slices = build_slices(EventTables.from_lake(Lake(home)), as_of)
    return TagStore(home).write(slices, as_of, spec_hash(), tag_schema(catalogue())).users


def _sample(home: Home, night: datetime) -> tuple[Path, Path]:
    """Events before ``night`` of one user in :data:`SAMPLE`, and the catalogue, as files."""
    users = TagStore(home).read([])[c.USER_ID]
    chosen = users.take(np.arange(0, len(users), SAMPLE)).combine_chunks()
    events, items = home.root / "sample.parquet", home.root / "items.parquet"
    pq.write_table(known_events(Lake(home), PANDAS_READS, EVENT_TYPES, night, users=chosen), events)
    pq.write_table(Lake(home).read_items(), items)
    return events, items


def _pandas(events: Path, items: Path, as_of: datetime) -> pd.DataFrame:
    return pandas_tags(pd.read_parquet(events), pd.read_parquet(items), as_of.replace(tzinfo=None))


def _differing(home: Home, expected: pd.DataFrame, as_of: datetime) -> int:
    """Values of pandas that are not those of a build of the same users."""
    built = build_tags(EventTables.from_lake(Lake(home)), as_of, PANDAS_TAGS, list(expected.index))
    found = built.to_pandas().set_index(c.USER_ID).reindex(expected.index)
    wrong = 0
    for name in PANDAS_TAGS:
        if built.schema.field(name).type == pa.string():
            same = (found[name] == expected[name]) | (found[name].isna() & expected[name].isna())
            wrong += int((~same).sum())
        else:
            wrong += int(
                (~np.isclose(found[name].astype(float), expected[name].astype(float), atol=1e-5, equal_nan=True)).sum()
            )
    return wrong


def _row(name: str, cost: Cost, **more: float) -> dict[str, Any]:
    return {"model": name, "seconds": cost.seconds, "peak_mb": cost.peak_mb, **more}
