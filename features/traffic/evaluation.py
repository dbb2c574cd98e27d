"""Precision and recall of the marks where the truth is known: in a simulated mall."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.errors import MissingStateError, UnreadableSourceError
from features.contracts.knowledge import RULE
from features.lake import Lake

KIND: Final = "kind"
ALL: Final = "all"

_SCORES: Final = """
WITH marked AS (SELECT DISTINCT event_id FROM marks),
kinds AS (
    SELECT kind, count(*) AS fake, count(*) FILTER (marked.event_id IS NOT NULL) AS hit
    FROM truth LEFT JOIN marked USING (event_id) GROUP BY kind
),
rules AS (
    SELECT rule, count(*) AS n, count(*) FILTER (truth.event_id IS NOT NULL) AS hit
    FROM marks LEFT JOIN truth USING (event_id) GROUP BY rule
)
SELECT 'kind' AS what, kind AS name, CAST(NULL AS BIGINT) AS marked, fake, hit FROM kinds
UNION ALL SELECT 'rule', rule, n, NULL, hit FROM rules
UNION ALL SELECT 'all', 'all', (SELECT count(*) FROM marked), (SELECT count(*) FROM truth),
    (SELECT count(*) FROM truth SEMI JOIN marked USING (event_id))
ORDER BY what, name
"""


@dataclass(frozen=True)
class Score:
    """One line of the comparison. A kind of fraud has no precision (marks name rules, not kinds), a rule no recall."""

    what: str
    """``kind`` of planted fraud, ``rule`` or ``all``."""
    name: str
    marked: int | None
    """Events that are marked."""
    fake: int | None
    """Events that are fake."""
    hit: int
    """Events that are both."""

    @property
    def precision(self) -> float | None:
        """Share of marked events that are fake."""
        return self.hit / self.marked if self.marked else None

    @property
    def recall(self) -> float | None:
        """Share of fake events that are marked."""
        return self.hit / self.fake if self.fake else None


def evaluate(lake: Lake, truth: Path) -> list[Score]:
    """Compare the marks of ``lake`` with a Parquet file of fake events (``event_id``, ``kind``).

    Raises :class:`UnreadableSourceError` for a file that is none, and :class:`MissingStateError` before any judgement.
    """
    if not lake.flag_days():
        raise MissingStateError("no day was judged yet: mallard traffic mark")
    fakes = _read(truth)
    with duckdb.connect() as connection:
        connection.register("truth", fakes)
        names = [c.EVENT_ID, RULE]
        marks = [pq.ParquetFile(file).read(columns=names) for file in lake.flag_files()]
        empty = pa.schema([(name, pa.string()) for name in names]).empty_table()
        connection.register("marks", pa.concat_tables([empty, *(table.cast(empty.schema) for table in marks)]))
        rows = connection.sql(_SCORES).fetchall()
    return [Score(*row) for row in rows]


def _read(truth: Path) -> pa.Table:
    try:
        file = pq.ParquetFile(truth)
        missing = {c.EVENT_ID, KIND} - set(file.schema_arrow.names)
        if missing:
            raise UnreadableSourceError(f"{truth}: no column {', '.join(sorted(missing))}")
        return file.read(columns=[c.EVENT_ID, KIND])
    except FileNotFoundError:
        raise UnreadableSourceError(f"{truth}: no such file; a simulated mall has truth/fraud.parquet") from None
    except (OSError, pa.ArrowInvalid) as error:
        raise UnreadableSourceError(f"{truth}: not a Parquet file: {error}") from error
