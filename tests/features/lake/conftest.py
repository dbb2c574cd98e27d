"""A lake in an empty home and the means to fill it."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts.home import Home
from features.lake import Lake
from features.quality import QualityReport
from features.sources import ItemsSpec, SourceSpec, open_source
from tests.features.sources.rows import NOW

Ingest = Callable[..., QualityReport]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    root = tmp_path / "var"
    return Home(root=root, configs=tmp_path / "configs", mlruns=tmp_path / "mlruns")


@pytest.fixture
def lake(home: Home) -> Lake:
    return Lake(home)


@pytest.fixture
def ingest(lake: Lake, tmp_path: Path) -> Ingest:
    """``ingest("events.csv", "user_id,...")`` writes the file and ingests it."""

    def run(name: str, text: str, *, items: str | None = None, **options: bool) -> QualityReport:
        (tmp_path / name).write_text(text, encoding="utf-8")
        spec = None
        if items is not None:
            (tmp_path / "items.csv").write_text(items, encoding="utf-8")
            spec = ItemsSpec(path="items.csv")
        return lake.ingest(open_source(SourceSpec(path=name), tmp_path, spec), now=NOW, **options)

    return run


def events_of(lake: Lake) -> pa.Table:
    """Everything readers can see."""
    return pa.concat_tables([pq.ParquetFile(file).read() for file in lake.event_files()])
