"""Searches settings of the ranker on the older validation folds; the newest, which decides who ranks, has no say in it.

Half of the users of the older folds teach a ranker, the other half say when boosting stops, and one half of the users
of the newer fold judges it; then the halves change places. A trial that is behind on the first half of the judges is
given up before the second ranker is grown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.contracts.progress import step
from training.evaluation.ranking import Float64
from training.interactions import Bool, Int64
from training.models.ragged import best_of_rows, row_starts
from training.models.ranker import Examples, Ranker, RankerConfig
from training.pipelines.recommend_config import RecommendConfig
from training.pipelines.recommend_folds import PLACES, Explored
from training.pipelines.tuning import Studies, fingerprint_of

#: Groups of users by which each half of the judges compares trials.
_PARTS = 20
#: Standard errors by which settings must lead the usual ones: the best of many trials leads by some chance.
_LEAD = 2.0
_FEWEST_USERS = 2 * _PARTS


def search_ranker(
    folds: Sequence[Explored], config: RecommendConfig, *, seconds: float, studies: Studies | None = None
) -> tuple[RankerConfig, dict[str, float]]:
    """The ranker's best settings and the NDCG@10 of everything tried, over users with a hit among their candidates.

    ``folds`` are shortlisted, newest first, the deciding one left out. Without two of them, with too few users, or
    where nothing leads the settings of ``config`` certainly, these stay.
    """
    usual = config.ranker
    if len(folds) < 2 or not config.ranker_search or seconds <= 0:
        return usual, {}
    taught = [fold.examples(config.max_pairs // config.folds, config.seed) for fold in folds[1:]]
    judges = folds[0].examples(config.search_users * config.shortlist, config.seed, whole=True)
    known = [examples for examples in taught if examples is not None]
    if judges is None or not known or len(judges.groups) < _FEWEST_USERS:
        return usual, {}
    past = Examples.join(known)
    if len(past.groups) < _FEWEST_USERS:
        return usual, {}
    trial = _Trial(usual, _halves(past, config.seed), _halves(judges, config.seed))
    studies = studies or Studies()
    with step("trying settings of the ranker"):
        tuned = studies.tune(
            "ranker",
            config.ranker_search,
            usual.model_dump(mode="json"),
            trial.scores,
            fingerprint=fingerprint_of(past, judges, usual.model_dump(mode="json"), PLACES),
            deadline=studies.clock() + seconds,
            seed=config.seed,
            lead=_LEAD,
        )
    return usual.model_copy(update=tuned.settings), tuned.marks


@dataclass(frozen=True)
class _Trial:
    """Scores settings of the ranker part by part."""

    usual: RankerConfig
    past: tuple[Examples, Examples]
    judges: tuple[Examples, Examples]

    def scores(self, values: dict[str, Any]) -> Iterator[float]:
        """Mean NDCG@10 on one part of the judges after the other."""
        config = self.usual.model_copy(update=values)
        for teachers, stoppers, judges in zip(self.past, reversed(self.past), self.judges, strict=True):
            ranker, _ = Ranker.fit_validated(teachers, stoppers, config)
            values_of_users = judge_examples(judges, ranker.predict(judges.names, judges.features))
            yield from (float(part.mean()) for part in np.array_split(values_of_users, _PARTS))


def judge_examples(examples: Examples, score: Float64) -> Float64:
    """(g,) NDCG@10 of each group in the order of ``score`` (c,), the ideal being all of its hits at the top."""
    indptr = np.concatenate([[0], np.cumsum(examples.groups)]).astype(np.int64)
    place, counts = best_of_rows(indptr, np.arange(len(score), dtype=np.int32), score, PLACES)
    row = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    rank = np.arange(len(row)) - row_starts(row, len(counts))[:-1][row]
    discount = 1 / np.log2(np.arange(2, PLACES + 2))
    gained = np.bincount(row, weights=examples.hit[place] * discount[rank], minlength=len(counts))
    hits = np.add.reduceat(examples.hit, indptr[:-1]).astype(np.int64)
    values: Float64 = gained / np.cumsum(discount)[np.clip(hits, 1, PLACES) - 1]
    return values


def _halves(examples: Examples, seed: int) -> tuple[Examples, Examples]:
    """The groups in two halves drawn evenly."""
    first = np.zeros(len(examples.groups), dtype=np.bool_)
    first[np.random.default_rng(seed).permutation(len(first))[: len(first) // 2]] = True
    return _some(examples, first), _some(examples, ~first)


def _some(examples: Examples, groups: Bool) -> Examples:
    pairs = np.repeat(groups, examples.groups)
    sizes: Int64 = examples.groups[groups]
    return Examples(examples.names, examples.features[pairs], examples.hit[pairs], sizes)
