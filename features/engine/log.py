"""Where events come from: a table in memory, or the lake, day by day."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from features.contracts.errors import MissingStateError
from features.engine.relations import Relations


class LakeFiles(Protocol):
    """What is needed of a lake."""

    @property
    def partials(self) -> Path:
        """The folder of the kept folds."""

    def event_files(self) -> list[Path]: ...

    def flag_files(self) -> list[Path]: ...

    def read_aliases(self) -> pa.Table: ...

    def admitted_aliases(self, aliases: pa.Table) -> pa.Table:
        """``aliases`` that were read before, without ids that were erased since."""

    def read_items(self) -> pa.Table: ...

    def read_users(self) -> pa.Table: ...


class EventLog(Protocol):
    """Raw events, as they were handed in."""

    def add_to(self, relations: Relations, name: str, days: Iterable[date] | None = None) -> bool:
        """Let ``name`` stand for the events of these UTC days (all by default), or more; false when there are none."""


class ArrowLog:
    """Events in memory."""

    def __init__(self, events: pa.Table) -> None:
        if not events.num_rows:
            raise MissingStateError("there are no events to build tags from")
        self._events = events

    def add_to(self, relations: Relations, name: str, days: Iterable[date] | None = None) -> bool:
        """All of them: they are at hand."""
        relations.add(name, self._events)
        return True


class LakeLog:
    """Events in the files of a lake, which are named by their day."""

    def __init__(self, lake: LakeFiles) -> None:
        self.days = files_by_day(lake.event_files())
        if not self.days:
            raise MissingStateError("the lake holds no events: run `mallard ingest` or `mallard sample` first")

    def add_to(self, relations: Relations, name: str, days: Iterable[date] | None = None) -> bool:
        """The files of these days."""
        wanted = self.days if days is None else [day for day in days if day in self.days]
        files = [str(file) for day in sorted(wanted) for file in self.days[day]]
        if files:
            relations.add_parquet(name, files)
        return bool(files)


def files_by_day(files: Iterable[Path]) -> dict[date, list[Path]]:
    """Files of a date-partitioned table by the day that their folder names (``date=2025-01-31``)."""
    days: dict[date, list[Path]] = defaultdict(list)
    for file in files:
        days[date.fromisoformat(file.parent.name.removeprefix("date="))].append(file)
    return dict(days)
