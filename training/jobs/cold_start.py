"""Groups of users whose start only the lake knows of."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.ids import UNKNOWN, IdMap
from features.contracts.knowledge import ANONYMOUS, ID_KIND, KNOWN_FROM, KNOWN_UNTIL
from training.interactions import Bool, Int32

MERGED = "merged at login"


def merged_at_login(aliases: pa.Table, users: IdMap, asked: Int32, moment: datetime) -> Bool:
    """(q,) whether visits without login counted for the user at ``moment`` (aware).

    ``aliases`` are the lake's (``ALIAS_SCHEMA``); ``asked`` (q,) are indices of ``users``, -1 for a stranger.
    """
    now = pa.scalar(moment, aliases.schema.field(KNOWN_FROM).type)
    known = pc.fill_null(pc.less_equal(aliases[KNOWN_FROM], now), True)
    still = pc.fill_null(pc.greater(aliases[KNOWN_UNTIL], now), True)
    rows = aliases.filter(pc.and_(pc.and_(known, still), pc.equal(aliases[ID_KIND], ANONYMOUS)))
    owners = users.indices(rows[c.USER_ID].drop_null().unique().to_pylist())
    return np.asarray(np.isin(asked, owners[owners != UNKNOWN]))
