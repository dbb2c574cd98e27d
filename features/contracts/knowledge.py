"""What is learnt about events after they were written: whose they are, and which of them are fake.

Both come with the moment from which they were known. A build as of T uses what was known at T, so that a merge or a
mark of today changes no value of yesterday.
"""

from typing import Final

import pyarrow as pa

from features.contracts import columns as c
from features.contracts.events import TIMESTAMP

#: What an event names: ``user_id``, or ``anonymous_id`` where it has no user.
ID_KIND: Final = "id_kind"
RAW_ID: Final = "raw_id"
USER: Final = "user"
ANONYMOUS: Final = "anonymous"

KNOWN_FROM: Final = "known_from"
KNOWN_UNTIL: Final = "known_until"
OCCURRED_FROM: Final = "occurred_from"
OCCURRED_UNTIL: Final = "occurred_until"

#: Whose events an id stands for. A row speaks of the id's events that occurred in ``[occurred_from, occurred_until)``,
#: and holds for builds as of ``[known_from, known_until)``; the rows of one id do not overlap in both. An id that was
#: always and only itself has no row. ``user_id`` of null: nobody's (an anonymous id before its login).
ALIAS_SCHEMA: Final = pa.schema(
    [
        pa.field(ID_KIND, pa.string(), nullable=False),  # USER or ANONYMOUS
        pa.field(RAW_ID, pa.string(), nullable=False),  # as the event has it
        pa.field(c.USER_ID, pa.string()),  # the user it counts for
        pa.field(KNOWN_FROM, TIMESTAMP),  # null: always
        pa.field(KNOWN_UNTIL, TIMESTAMP),  # null: to this day
        pa.field(OCCURRED_FROM, TIMESTAMP),  # null: from the first
        pa.field(OCCURRED_UNTIL, TIMESTAMP),  # null: without end
    ]
)

RULE: Final = "rule"
SCORE: Final = "score"
FLAGGED_AT: Final = "flagged_at"

#: Events held to be fake. They stay in the lake, and count until ``flagged_at`` only.
FLAG_SCHEMA: Final = pa.schema(
    [
        pa.field(c.EVENT_ID, pa.string(), nullable=False),
        pa.field(c.OCCURRED_AT, TIMESTAMP, nullable=False),
        pa.field(RULE, pa.string(), nullable=False),  # the rule, or "isolation_forest"
        pa.field(SCORE, pa.float64()),  # 0 .. 1, higher is more suspicious
        pa.field(FLAGGED_AT, TIMESTAMP, nullable=False),  # end of the UTC day whose events gave it away
    ]
)
