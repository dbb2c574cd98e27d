"""A lake, and marks as a dictionary."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts.home import Home
from features.contracts.knowledge import FLAG_SCHEMA
from features.lake import Lake
from tests.features.traffic.mall import NOW, Mall, table

NewLake = Callable[[], Lake]


@pytest.fixture
def new_lake(tmp_path: Path) -> NewLake:
    """Makes empty lakes."""
    names = iter(range(100))

    def make() -> Lake:
        root = tmp_path / f"mall{next(names)}"
        return Lake(Home(root=root, configs=root, mlruns=root))

    return make


@pytest.fixture
def lake(new_lake: NewLake) -> Lake:
    return new_lake()


def fill(lake: Lake, mall: Mall, batch: str = "all") -> Lake:
    """All events of ``mall`` in one batch."""
    lake.append_events(table(mall.rows), batch_id=batch, now=NOW)
    return lake


def marks_of(lake: Lake) -> pa.Table:
    """Everything that is marked, by event and rule."""
    tables = [pq.ParquetFile(file).read() for file in lake.flag_files()]
    rows = pa.concat_tables([FLAG_SCHEMA.empty_table(), *tables])
    return rows.sort_by([("event_id", "ascending"), ("rule", "ascending")])


def marked_by(lake: Lake) -> dict[str, set[str]]:
    """Rule -> ids of marked events."""
    found: dict[str, set[str]] = {}
    for row in marks_of(lake).to_pylist():
        found.setdefault(row["rule"], set()).add(row["event_id"])
    return found


def flagged_at(lake: Lake) -> dict[str, datetime]:
    """Event -> when it was first marked."""
    return {row["event_id"]: row["flagged_at"] for row in reversed(marks_of(lake).sort_by("flagged_at").to_pylist())}
