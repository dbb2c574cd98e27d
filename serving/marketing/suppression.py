"""Who must not be contacted any more, laid over rows of a snapshot, which itself never changes."""

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from serving.marketing.columns import SUPPRESSED, SUPPRESSION_REASON

#: Why a user is suppressed who refuses marketing.
NO_CONSENT = "no_marketing_consent"


def suppress(rows: pa.Table, refused: Collection[str]) -> pa.Table:
    """``rows`` (n,) of a list with the users of ``refused`` suppressed; a reason that stands already is kept."""
    if not refused:
        return rows
    said = pc.is_in(rows[c.USER_ID], pa.array(list(refused), pa.string()))
    reason = pc.if_else(said, pc.coalesce(rows[SUPPRESSION_REASON], pa.scalar(NO_CONSENT)), rows[SUPPRESSION_REASON])
    laid_over = {
        c.CONSENT_MARKETING: pc.if_else(said, False, rows[c.CONSENT_MARKETING]),
        SUPPRESSED: pc.or_(rows[SUPPRESSED], said),
        SUPPRESSION_REASON: reason,
    }
    for name, values in laid_over.items():
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, rows.schema.field(place), values)
    return rows
