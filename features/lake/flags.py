"""Marks of fake traffic: per UTC day one file, replaced as a whole when the day is judged anew.

::

    lake/flags/date=YYYY-MM-DD/<content>.parquet   FLAG_SCHEMA, sorted by event and rule, of the events of that day

Files are named after their content: a day whose marks did not change keeps its file. Those that no newer commit names
stay for readers that opened them, as the old item tables do.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.errors import InputError
from features.contracts.knowledge import FLAG_SCHEMA, RULE
from features.lake.commits import Commit, FlagDay, flush


@dataclass(frozen=True)
class Judgement:
    """What is to be kept of a day."""

    day: date
    marks: pa.Table | None  # (n,) FLAG_SCHEMA, one row per event and rule; None: as they were
    basis: Mapping[str, str]  # see FlagDay


def flag_days(commits: Iterable[Commit]) -> dict[date, FlagDay]:
    """The newest judgement of every day that was judged, by day."""
    newest = {found.day: found for commit in commits for found in commit.flags}
    return dict(sorted(newest.items()))


def stage(judgement: Judgement, before: FlagDay | None, folder: Path) -> FlagDay:
    """Write the marks of a day below ``folder``.

    Raises :class:`InputError` when an event is not of the day, or marked twice by one rule.
    """
    day, basis = judgement.day, dict(judgement.basis)
    if judgement.marks is None:
        if before is None:
            raise InputError(f"flags of {day}: nothing to keep, the day was never judged")
        return before.model_copy(update={"basis": basis})
    marks = judgement.marks.select(FLAG_SCHEMA.names).cast(FLAG_SCHEMA)
    marks = marks.sort_by([(c.EVENT_ID, "ascending"), (RULE, "ascending")])
    if not len(marks):
        return FlagDay(day=day, path=None, rows=0, basis=basis)
    _check(marks, day)
    aside = folder / f"{day}.parquet"
    pq.write_table(marks, aside, compression="zstd")
    content = hashlib.sha256(aside.read_bytes()).hexdigest()[:16]
    path = f"date={day}/{content}.parquet"
    (folder / path).parent.mkdir()
    aside.rename(folder / path)
    return FlagDay(day=day, path=path, rows=len(marks), basis=basis)


def publish(staged: Iterable[FlagDay], folder: Path, target: Path) -> None:
    """Move the files that were staged in ``folder`` below ``target``."""
    for file in staged:
        if file.path is not None and (folder / file.path).exists():
            (target / file.path).parent.mkdir(parents=True, exist_ok=True)
            flush(folder / file.path)
            (folder / file.path).replace(target / file.path)


def sweep(commits: Iterable[Commit], target: Path) -> None:
    """Remove files below ``target`` that a crash left without a commit. Call under the lock."""
    known = {target / flag.path for commit in commits for flag in commit.flags if flag.path is not None}
    for file in target.glob("date=*/*.parquet"):
        if file not in known:
            file.unlink()


def commit_key(number: int, days: Iterable[FlagDay]) -> str:
    """The key of a commit of flags: judging twice, to and fro, makes two commits."""
    whole = hashlib.sha256()
    for day in days:
        whole.update(day.model_dump_json().encode())
    return f"flags-{number}-{whole.hexdigest()}"


def _check(marks: pa.Table, day: date) -> None:
    strangers = pc.sum(pc.not_equal(pc.cast(marks.column(c.OCCURRED_AT), pa.date32(), safe=False), pa.scalar(day)))
    if strangers.as_py():
        raise InputError(f"flags of {day}: {strangers.as_py()} of the marked events occurred on another day")
    if marks.group_by([c.EVENT_ID, RULE]).aggregate([]).num_rows != marks.num_rows:
        raise InputError(f"flags of {day}: an event is marked twice by one rule")
