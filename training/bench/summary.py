"""What the rows of a recommendation benchmark come to, for ``result.json``, for a training run and for the report."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.bench.rows import Row, best_rival, compare, standings
from training.bench.slices import NO_GROUPS, Groups, slices
from training.evaluation.fold import Fold
from training.interactions import Histories


def summarise(
    rows: Sequence[Row], metric: str, fold: Fold, histories: Histories, more: Groups = NO_GROUPS
) -> dict[str, Any]:
    """The rows, the first of which is the pipeline, and every comparison between them.

    ``paired`` is the deciding comparison with the best baseline or single source, ``found`` the same by recall,
    ``comparisons`` that with every row; ``standings`` are for a leaderboard. ``more`` are groups of users to stand
    beside the usual slices.
    """
    pipeline, rival = rows[0], best_rival(rows, metric)
    unknown = fold.truth.item >= len(fold.train.items)
    return {
        "test_users": len(fold.users),
        "rows": [row.as_json() for row in rows],
        "paired": compare(pipeline, rival, metric),
        "found": compare(pipeline, rival, f"recall@{metric.rsplit('@', 1)[1]}"),
        "comparisons": [compare(pipeline, row, metric) for row in rows[1:]],
        "standings": standings(rows, rival, metric),
        "slices": slices(pipeline, rival, metric, fold, histories, more),
        "truth": {"pairs": len(fold.truth.item), "of_unknown_items": int(np.count_nonzero(unknown))},
    }
