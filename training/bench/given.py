"""Reading the true pairs of a given split."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.errors import UnreadableSourceError
from features.lake import read_table
from features.sources import SourceSpec, open_source
from training.bench.config import GivenSplitSpec

_PAIR = (c.USER_ID, c.ITEM_ID)


def read_pairs(
    spec: GivenSplitSpec, interactions: SourceSpec, base: Path, now: datetime
) -> tuple[list[str], list[str]]:
    """User and item ids of the test file, pair by pair.

    Its columns are called as ``spec.columns`` says, else ``user_id`` and ``item_id``, else as in the interactions. A
    ``.txt`` file holds lines ``user item item ...``. Raises :class:`UnreadableSourceError` when a pair cannot be read.
    """
    problem: UnreadableSourceError | None = None
    for source in _readings(spec, interactions):
        try:
            return _read(source, base, now)
        except UnreadableSourceError as error:
            problem = problem or error
    assert problem is not None  # there is always a first reading
    raise problem


def _readings(spec: GivenSplitSpec, interactions: SourceSpec) -> Iterator[SourceSpec]:
    if spec.test.removesuffix(".gz").endswith(".txt"):
        yield SourceSpec(sequences=spec.test)
        return
    canonical = {name: name for name in _PAIR}
    yield SourceSpec(path=spec.test, columns={**canonical, **spec.columns})
    if not spec.columns:
        yield SourceSpec(path=spec.test, columns={**canonical, **{n: interactions.columns.get(n, n) for n in _PAIR}})


def _read(source: SourceSpec, base: Path, now: datetime) -> tuple[list[str], list[str]]:
    loaded = read_table(open_source(source, base), now=now, timed=False)
    users, items = loaded.events[c.USER_ID], loaded.events[c.ITEM_ID]
    missing = int(pc.sum(pc.or_(pc.is_null(users), pc.is_null(items))).as_py() or 0)
    if loaded.report.rejected or missing:
        raise UnreadableSourceError(
            f"{base / (source.path or source.sequences or '')}: {loaded.report.rejected + missing} rows of the test "
            "file are no pair of a user and an item"
        )
    return users.to_pylist(), items.to_pylist()
