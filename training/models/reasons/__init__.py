"""Why a user's risk is what it is, in words, in English and Chinese.

Tags that a marketer would name together are one *concept*: what they add to the risk counts together, and the tag
among them that says it best speaks, with the value of a second one where that tells more. :mod:`.concepts` groups and
picks, :mod:`.phrases` has the forms of a sentence, and the tables say which tag takes which form. Where a simple rule
answers because no model could be fitted, :mod:`.on_little_data` says what was missing.
"""

from training.models.reasons.concepts import (
    CHINESE,
    MOST_REASONS,
    Reason,
    beside,
    concept,
    concepts_of,
    nothing_said,
    say,
    stem,
    strongest,
)
from training.models.reasons.phrases import Both

__all__ = [
    "CHINESE",
    "MOST_REASONS",
    "Both",
    "Reason",
    "beside",
    "concept",
    "concepts_of",
    "nothing_said",
    "say",
    "stem",
    "strongest",
]
