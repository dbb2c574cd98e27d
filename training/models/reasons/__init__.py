"""Why a user's risk is what it is, in words, in English and Chinese.

Tags that a marketer would name together are one *concept*: what they add to the risk counts together, and the tag
among them that says it best speaks, with the value of a second one where that tells more. :mod:`.concepts` groups and
picks, :mod:`.phrases` has the forms of a sentence, and the tables say which tag takes which form.
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

__all__ = [
    "CHINESE",
    "MOST_REASONS",
    "Reason",
    "beside",
    "concept",
    "concepts_of",
    "nothing_said",
    "say",
    "stem",
    "strongest",
]
