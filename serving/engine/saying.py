"""Which sentence stands beside each item of several answers at once."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from serving.engine.live_model import LiveModel
from serving.engine.question import Question
from serving.engine.reasons import SEEN, habit_with, names_an_item, reason_for
from serving.rules import Text
from training.interactions import Histories


class Said(NamedTuple):
    """What is said of one item."""

    source: str  # the candidate source that spoke loudest for it
    reason: Text


def said_of(
    live: LiveModel, histories: Histories, questions: Sequence[Question], found: Sequence[Mapping[int, int]]
) -> list[dict[int, Said]]:
    """Per question what is said of each item that was ``found`` for it, by item.

    ``found`` gives the place of the item's source in the recommender's ``source_names``. The user's own habit comes
    first, then that he had the item, then what the source saw: sources are asked for the item that speaks for theirs
    only where it will be named, and all questions of a batch together, since the answer of a source costs most.
    """
    names, starts, events = live.recommender.source_names, histories.indptr.tolist(), histories.item.tolist()
    said: list[dict[int, Said]] = []
    unsaid: list[tuple[int, int, int]] = []  # row, item, source
    for row, (question, items) in enumerate(zip(questions, found, strict=True)):
        had, own = set(events[starts[row] : starts[row + 1]]), {}
        for item, source in items.items():
            reason = habit_with(item, question.context.bought, question.as_of)
            if reason is None and item in had:
                reason = SEEN
            if reason is None and names_an_item(names[source]):
                unsaid.append((row, item, source))
            else:
                own[item] = Said(names[source], reason or reason_for(names[source], item, -1, live))
        said.append(own)
    if unsaid:
        asked = np.array(unsaid, dtype=np.int32).T.copy()
        for (row, item, source), because in zip(
            unsaid, live.recommender.because(histories, *asked).tolist(), strict=True
        ):
            said[row][item] = Said(names[source], reason_for(names[source], item, because, live))
    return said
