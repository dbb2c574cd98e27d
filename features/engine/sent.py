"""Messages of the mall with the campaign and the probability they were sent with: what effects are learnt from."""

from datetime import UTC, datetime
from typing import Final

import ibis
import pyarrow as pa

from features.contracts import columns as c
from features.contracts import properties as p
from features.contracts.events import EventType
from features.engine.duck import DuckRelations
from features.engine.history import known_events
from features.engine.log import LakeFiles, LakeLog
from features.engine.relations import relation
from features.tags.spec.sql import to_sql

_RAW: Final = "raw_events"


def messages_sent(lake: LakeFiles, as_of: datetime) -> pa.Table:
    """``user_id``, ``occurred_at`` (UTC), ``campaign_id`` and ``propensity`` of every message before ``as_of``.

    Under the users they count for, as was known at ``as_of``. Null where a message names no campaign, or no
    probability.
    """
    sent = known_events(lake, [c.EVENT_ID, c.USER_ID, c.OCCURRED_AT], [EventType.MESSAGE_SENT], as_of)
    engine = DuckRelations()
    LakeLog(lake).add_to(engine, _RAW)
    raw = relation(engine, _RAW)
    end = as_of.astimezone(UTC).replace(tzinfo=None)
    raw = raw.filter(raw[c.EVENT_TYPE] == EventType.MESSAGE_SENT.value, raw[c.OCCURRED_AT].cast("timestamp") < end)
    told = raw[c.PROPERTIES]
    number = r"[0-9]{1,15}(?:[.][0-9]{1,15})?(?:[eE]-?[0-9]{1,2})?"
    raw = raw.select(
        **{
            c.EVENT_ID: raw[c.EVENT_ID],
            p.CAMPAIGN: told.re_extract(rf'"{p.CAMPAIGN}"\s*:\s*"([^"\\]*)"', 1).nullif(""),
            p.PROPENSITY: told.re_extract(rf'"{p.PROPENSITY}"\s*:\s*({number})\s*[,}}]', 1)
            .nullif("")
            .try_cast("float64"),
        }
    )
    engine.add("sent", sent)
    rows = relation(engine, "sent")
    joined = rows.left_join(raw, c.EVENT_ID).filter(rows[c.USER_ID].notnull())
    joined = joined.select(c.USER_ID, c.OCCURRED_AT, p.CAMPAIGN, p.PROPENSITY).order_by(c.OCCURRED_AT, c.USER_ID)
    return engine.rows(to_sql(ibis.expr.types.Table(joined.op()), engine.dialect))
