"""Recommender training: choices on folds carved from the past, then the final fit on all of it.

1. Settings of each source are searched on an older fold.
2. The weights of the blend are searched on the older folds, the ranker is trained on them.
3. On the newest fold, which none of them has seen, single sources, blend and ranker are compared user by user;
   the ranker has to win, else the blend, else the best source ranks.
4. Sources are fitted again on everything and the winner with them.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from features.contracts.errors import NotEnoughDataError
from features.contracts.progress import say, step
from training.evaluation.fold import Fold
from training.evaluation.splits import Split
from training.interactions import Interactions
from training.models.blend import Blend
from training.models.item_statistics import ItemStatistics
from training.models.ranker import Examples, Ranker
from training.models.recommender import Recommender
from training.models.source import CandidateSource, SourceConfig, sources
from training.pipelines.recommend_choice import decide
from training.pipelines.recommend_config import RecommendConfig
from training.pipelines.recommend_folds import Explored, sample_users
from training.pipelines.recommend_search import search_settings


@dataclass(frozen=True)
class FittedRecommender:
    """A recommender with the record of how it was chosen."""

    recommender: Recommender
    choices: dict[str, Any]
    """What was decided on validation data and why, as plain values."""
    validation: list[dict[str, Any]]
    """One row per source, blend and ranker: ``{"model", "kind", "ndcg@10"}`` on the newest inner fold."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall time per stage."""

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The configuration values of each source that were chosen; the bundle needs them."""
        chosen: dict[str, dict[str, Any]] = self.choices["settings"]
        return chosen


class _Watch:
    """Wall time per stage and what is left of the budget."""

    def __init__(self, budget_minutes: float) -> None:
        self._start = self._mark = time.monotonic()
        self._budget = budget_minutes * 60
        self.seconds: dict[str, float] = {}

    def lap(self, stage: str) -> float:
        now = time.monotonic()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._mark
        taken, self._mark = now - self._mark, now
        return taken

    @property
    def left(self) -> float:
        return self._budget - (time.monotonic() - self._start)


def fit_recommender(
    data: Interactions, split: Split, config: RecommendConfig, *, budget_minutes: float = 20.0
) -> FittedRecommender:
    """Fit on ``data``, all of it past, for questions of the kind that ``split`` asks.

    ``split.repeats`` says whether items that a user has may be recommended. Raises :class:`NotEnoughDataError` when
    there are no events.
    """
    if not len(data):
        raise NotEnoughDataError("there are no user-item events to learn recommendations from")
    watch = _Watch(budget_minutes)
    folds = [sample_users(fold, config.fold_users, config.seed) for fold in split.inner(data, config.folds)]
    watch.lap("folds")
    names = [name for name in config.enabled() if split.repeats or name != "repeat"]
    exclude = not split.repeats
    settings, searched = (
        search_settings(
            names, folds[-1] if len(folds) < 3 else folds[1], config, exclude_seen=exclude, seconds=budget_minutes * 15
        )
        if folds
        else ({name: config.settings(name).config for name in names}, {})
    )
    configs = {name: sources()[name].Config(**settings[name]) for name in names}
    watch.lap("search")
    choices: dict[str, Any] = {"settings": settings, "searched": searched, "folds": len(folds)}

    explored, examples = _explore(folds, configs, config, exclude, watch)
    with step("choosing who ranks"):
        decision = decide(explored, examples, names, config)
    watch.lap("choose")
    choices |= decision.choices

    with step("fitting the sources on everything"):
        final = _assemble(data, configs, config, decision.blend)
    watch.lap("final sources")
    if decision.rounds:
        with step("training the ranker on all folds"):
            known = [e for e in examples if e is not None]
            last = Ranker.fit(Examples.join(known), config.ranker, rounds=decision.rounds)
        final = replace(final, ranker=last)
        choices["importance"] = dict(list(last.importance().items())[:15])
        watch.lap("final ranker")
    return FittedRecommender(final, choices, decision.table, watch.seconds)


def _assemble(
    data: Interactions, configs: dict[str, SourceConfig], config: RecommendConfig, blend: Blend
) -> Recommender:
    # Most of a fit is sparse arithmetic, which runs outside the interpreter's lock.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as cores:
        fitting = {name: cores.submit(sources()[name].fit, data, c) for name, c in configs.items()}
    fitted: dict[str, CandidateSource] = {name: done.result() for name, done in fitting.items()}
    limits = {name: config.settings(name).candidates for name in configs}
    return Recommender(fitted, limits, ItemStatistics.fit(data), blend)


def _explore(
    folds: list[Fold], configs: dict[str, SourceConfig], config: RecommendConfig, exclude: bool, watch: _Watch
) -> tuple[list[Explored], list[Examples | None]]:
    """Fit the sources on every fold's past and keep what they found, newest fold first."""
    explored, examples = [], []
    nothing = Blend((0.0,) * len(configs))
    with step("learning from the past", total=len(folds), unit="folds") as task:
        for place, fold in enumerate(folds):
            recommender = _assemble(fold.train, configs, config, nothing)
            seen = Explored.of(recommender, fold, exclude_seen=exclude)
            explored.append(seen)
            examples.append(seen.examples(config.max_pairs // len(folds), config.seed))
            taken = watch.lap("explore")
            task.advance()
            # Boosting and the final fit still have to come: stop carving when another fold would eat their time.
            if 0 < place < len(folds) - 1 and watch.left < 3 * taken:
                say(f"the time budget allows {place + 1} of {len(folds)} folds")
                break
    return explored, examples
