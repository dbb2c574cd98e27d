"""Small files that tests read."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from features.contracts.events import EVENT_SCHEMA
from features.lake import LoadedSource, read_table
from features.sources import ItemsSpec, SourceSpec, open_source

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = "user_id,item_id,occurred_at,event_type,quantity,amount\n"


def csv_rows(count: int) -> list[str]:
    return [f"u{i % 50},i{i % 7},2025-01-{1 + i % 28:02d},view,{i % 3},{i / 10}\n" for i in range(count)]


def csv_file(folder: Path, text: str, name: str = "events.csv") -> Path:
    return byte_file(folder, text.encode(), name)


def byte_file(folder: Path, content: bytes, name: str = "events.csv") -> Path:
    file = folder / name
    file.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return file


def read(folder: Path, path: str = "events.csv", *, timed: bool = True, **spec: object) -> LoadedSource:
    return read_table(open_source(SourceSpec.model_validate({"path": path, **spec}), folder), now=NOW, timed=timed)


def items(folder: Path, path: str, columns: dict[str, str] | None = None) -> pa.Table:
    spec = ItemsSpec(path=path, columns=columns or {})
    found = open_source(SourceSpec(path="events.csv"), folder, spec).items()
    assert found is not None
    return found


__all__ = ["EVENT_SCHEMA", "HEADER", "NOW", "byte_file", "csv_file", "csv_rows", "items", "read"]
