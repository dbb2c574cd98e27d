"""Tables on disk the way a lake lays them out, with every knob that a build depends on in the hands of a test."""

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.knowledge import ALIAS_SCHEMA
from tests.features import mall


@dataclass
class Files:
    """A lake as far as event tables look at one."""

    folder: Path
    aliases: pa.Table = field(default_factory=ALIAS_SCHEMA.empty_table)

    @property
    def partials(self) -> Path:
        return self.folder / "partials"

    def event_files(self) -> list[Path]:
        return sorted((self.folder / "events").glob("date=*/*.parquet"))

    def flag_files(self) -> list[Path]:
        return sorted((self.folder / "flags").glob("date=*/*.parquet"))

    def read_aliases(self) -> pa.Table:
        return self.aliases

    def admitted_aliases(self, aliases: pa.Table) -> pa.Table:
        return aliases

    def read_items(self) -> pa.Table:
        return mall.items()

    def read_users(self) -> pa.Table:
        return mall.users()

    def add(self, events: pa.Table, name: str) -> None:
        """A file ``name`` per day of the events."""
        self._write("events", events, name)

    def flag(self, flags: pa.Table, name: str) -> None:
        """A file ``name`` per day of the flagged events."""
        self._write("flags", flags, name)

    def _write(self, kind: str, rows: pa.Table, name: str) -> None:
        days = pc.strftime(rows[c.OCCURRED_AT], "%Y-%m-%d")
        for day in pc.unique(days).to_pylist():
            folder = self.folder / kind / f"date={day}"
            folder.mkdir(parents=True, exist_ok=True)
            pq.write_table(rows.filter(pc.equal(days, day)), folder / f"{name}.parquet")
