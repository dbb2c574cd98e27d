"""Events of one day as the rules read them: a table ``rows`` in DuckDB, and ``commerce``, the orders of several days.

``rows`` (what users did; what the mall did to them is left out)::

    event_id  VARCHAR
    kind      VARCHAR  event type
    actor     VARCHAR  the user, or '?' and the anonymous id
    us        BIGINT   microseconds since 1970, UTC
    seen      DATE     the UTC day at whose end the event had happened and been received
    clock     BIGINT   resolution of the log's times, microseconds
    device    VARCHAR  of the event, else the one device of the actor that day; null: unknown
    session   VARCHAR
    item      VARCHAR
    order_key VARCHAR  order id; null: none
    dwell     DOUBLE   seconds on the page; dwell events only

Nothing here or in the rules looks across two values of ``seen`` of one day, but for sums that only grow
(:mod:`features.traffic.rule`): what is found does not depend on when one looks.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from features.contracts import columns as c
from features.contracts import properties as p
from features.contracts.events import MALL_INITIATED, EventType

COMMERCE: Final = (EventType.ORDER, EventType.PURCHASE, EventType.REFUND)

#: Orders, purchases and refunds of the days around the one that is judged, as in ``rows``, with their ``day``.
_COMMERCE_TABLE: Final = """
CREATE TEMP TABLE commerce (
    day DATE, event_id VARCHAR, kind VARCHAR, actor VARCHAR, us BIGINT, seen DATE, device VARCHAR, item VARCHAR,
    order_key VARCHAR
)
"""
_KEEP_COMMERCE: Final = """
INSERT INTO commerce
SELECT $day, event_id, kind, actor, us, seen, device, item, order_key
FROM rows WHERE list_contains($commerce, kind)
"""
#: The coarsest of these units in which nearly all times of a channel are whole.
_CLOCKS: Final = """
CREATE OR REPLACE TEMP TABLE clocks AS
SELECT channel, seen, CASE
    WHEN count(*) FILTER (us % 60000000 = 0) < 0.9 * count(*) THEN
        CASE WHEN count(*) FILTER (us % 1000000 = 0) < 0.9 * count(*) THEN 1 ELSE 1000000 END
    WHEN count(*) FILTER (us % 3600000000 = 0) < 0.9 * count(*) THEN 60000000
    WHEN count(*) FILTER (us % 86400000000 = 0) < 0.9 * count(*) THEN 3600000000
    ELSE 86400000000 END AS clock
FROM typed GROUP BY ALL
"""
_DEVICES: Final = """
CREATE OR REPLACE TEMP TABLE devices AS
SELECT actor, seen, min(device) AS sole FROM typed WHERE device IS NOT NULL
GROUP BY ALL HAVING min(device) = max(device)
"""
_ROWS: Final = """
CREATE OR REPLACE TEMP TABLE rows AS
SELECT event_id, kind, actor, us, seen, clock, coalesce(device, sole) AS device, session, item, order_key, dwell
FROM typed JOIN clocks USING (channel, seen)
LEFT JOIN devices USING (actor, seen)
"""


class DayRows:
    """One DuckDB connection that holds a day at a time, and the orders of the days around it."""

    def __init__(self, spill: Path) -> None:
        self.connection = duckdb.connect(config={"memory_limit": "3GB", "temp_directory": str(spill)})
        self.connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
        self.connection.execute(_COMMERCE_TABLE)

    def load(self, files: Iterable[Path]) -> None:
        """Fill ``rows`` from the event files of one day."""
        self._fill(files, None)

    def load_buyers(self, files: Iterable[Path]) -> None:
        """Fill ``rows`` with what actors with an order or a refund did on one day."""
        self._fill(files, f"{c.EVENT_TYPE} IN ({_texts(COMMERCE)})")

    def load_actors_of(self, files: Iterable[Path], marks: pa.Table) -> None:
        """Fill ``rows`` with what the actors of the events of ``marks`` did on one day."""
        self.connection.register("marks", marks.select(["event_id"]))
        self._fill(files, f"{c.EVENT_ID} IN (FROM marks)")

    def _fill(self, files: Iterable[Path], whose: str | None) -> None:
        """``whose``: only actors with an event for which this holds."""
        raw = self.connection.read_parquet([str(file) for file in files], union_by_name=True)
        deeds = raw.filter(f"{c.EVENT_TYPE} NOT IN ({_texts(MALL_INITIATED)}) AND {_ACTOR} IS NOT NULL")
        if whose is not None:
            wanted = raw.filter(whose).project(f"{_ACTOR} AS wanted").distinct()
            deeds = deeds.set_alias("deeds").join(wanted.set_alias("wanted"), f"{_ACTOR} = wanted", how="semi")
        deeds.project(_TYPED).create_view("typed_view", replace=True)
        self.connection.execute("CREATE OR REPLACE TEMP TABLE typed AS FROM typed_view")
        for statement in (_CLOCKS, _DEVICES, _ROWS):
            self.connection.execute(statement)
        self.connection.execute("DROP TABLE typed")

    def keep_commerce(self, day: date) -> None:
        """Add the orders and refunds of the loaded day to ``commerce``."""
        self.connection.execute(_KEEP_COMMERCE, {"day": day, "commerce": [str(kind) for kind in COMMERCE]})

    def forget_commerce(self, before: date) -> None:
        """Drop orders and refunds of days before this one."""
        self.connection.execute("DELETE FROM commerce WHERE day < $day", {"day": before})

    def close(self) -> None:
        self.connection.close()


def _texts(kinds: Iterable[EventType]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


def _property(key: str) -> str:
    """SQL for one property as text; the search spares most rows the parsing."""
    return f"CASE WHEN contains({c.PROPERTIES}, '\"{key}\"') THEN json_extract_string({c.PROPERTIES}, '$.{key}') END"


_ACTOR: Final = f"coalesce({c.USER_ID}, '?' || {c.ANONYMOUS_ID})"
_DWELL: Final = (
    f"CASE WHEN {c.EVENT_TYPE} = '{EventType.DWELL}' THEN try_cast({_property(p.DWELL_SECONDS)} AS DOUBLE) END"
)
_TYPED: Final = f"""
    {c.EVENT_ID} AS event_id,
    {c.EVENT_TYPE} AS kind,
    {_ACTOR} AS actor,
    epoch_us({c.OCCURRED_AT}) AS us,
    CAST(greatest({c.OCCURRED_AT}, {c.RECEIVED_AT}) AS DATE) AS seen,
    coalesce({c.CHANNEL}, '') AS channel,
    {_property(p.DEVICE)} AS device,
    {c.SESSION_ID} AS session,
    {c.ITEM_ID} AS item,
    {c.ORDER_ID} AS order_key,
    {_DWELL} AS dwell
"""
