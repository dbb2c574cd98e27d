"""Features of the rhythm in which a user buys an item: how regular it is, how recent, whether it grows or fades."""

from training.models import compiled_rhythm
from training.models.compiled_rhythm import RHYTHM_NAMES
from training.models.ragged import zero_slots
from training.models.ranker_question import Columns, Question


def of_rhythm(q: Question) -> Columns:
    """How the user bought this very item, purchase by purchase."""
    if not q.timed:
        return Columns.nothing(len(q.pool.row))
    h, items = q.histories, len(q.statistics.buyers)
    values = compiled_rhythm.rhythm(
        *(h.indptr, h.item, h.kind, h.quantity, q.age, q.step, q.candidate_starts, q.pool.item, zero_slots(items))
    )
    return Columns(RHYTHM_NAMES, values)
