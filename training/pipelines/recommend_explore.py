"""What the sources find on folds of the past, and which of them are worth asking."""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from features.contracts.progress import say, step
from training.evaluation.fold import Fold
from training.interactions import Interactions
from training.models.blend import Blend
from training.models.item_statistics import ItemStatistics
from training.models.recommender import Recommender
from training.models.source import CandidateSource, SourceConfig, shown, sources
from training.pipelines.recommend_config import RecommendConfig
from training.pipelines.recommend_folds import Explored
from training.pipelines.recommend_pruning import Worth, weigh_sources


class Watch:
    """Wall time per stage and what is left of the budget."""

    def __init__(self, budget_minutes: float) -> None:
        self._start = self._mark = time.monotonic()
        self._budget = budget_minutes * 60
        self.seconds: dict[str, float] = {}

    def lap(self, stage: str) -> float:
        """Book the time since the last lap on ``stage``."""
        now = time.monotonic()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._mark
        taken, self._mark = now - self._mark, now
        return taken

    @property
    def left(self) -> float:
        """Seconds of the budget that are left."""
        return self._budget - (time.monotonic() - self._start)


@dataclass(frozen=True)
class Exploration:
    """Folds after retrieval."""

    kept: tuple[str, ...]  # the sources that earned their place
    worth: dict[str, Worth]  # of every source; empty where there was no fold to weigh them on
    explored: list[Explored]  # newest fold first


def assemble(
    data: Interactions, configs: dict[str, SourceConfig], config: RecommendConfig, blend: Blend
) -> Recommender:
    """Every source of ``configs`` fitted on ``data``."""
    # Most of a fit is sparse arithmetic, which runs outside the interpreter's lock. The limit holds for the process: if
    # sources that are fitted side by side set and lifted it, one would lift it under the other.
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(max_workers=os.cpu_count()) as cores:
        fitting = {
            name: cores.submit(sources()[name].fit, shown(sources()[name], data), c) for name, c in configs.items()
        }
    fitted: dict[str, CandidateSource] = {name: done.result() for name, done in fitting.items()}
    limits = {name: config.settings(name).candidates for name in configs}
    return Recommender(fitted, limits, ItemStatistics.fit(shown(None, data)), blend, shortlist=config.shortlist)


def explore(
    folds: Sequence[Fold], configs: dict[str, SourceConfig], config: RecommendConfig, *, exclude: bool, watch: Watch
) -> Exploration:
    """Fit the sources on every fold's past and keep what they found.

    All of them are asked on the newest of the older folds; those that add nothing there are left out on the others and
    for good. The newest fold, which decides who ranks, has no say in it.
    """
    kept, worth = tuple(configs), dict[str, Worth]()
    found: dict[int, Explored] = {}
    order = [1, 0, *range(2, len(folds))] if len(folds) > 1 else list(range(len(folds)))
    with step("learning from the past", total=len(folds), unit="folds") as task:
        for done, place in enumerate(order, start=1):
            seen = _explored(folds[place], {name: configs[name] for name in kept}, config, exclude)
            examples = seen.examples(config.max_pairs // len(folds), config.seed) if done == place == 1 else None
            if examples is not None:
                names, worth = weigh_sources(seen, examples, config.ranker)
                kept = tuple(names)
                seen = seen.only(kept)
            found[place] = seen
            taken = watch.lap("explore")
            task.advance()
            # Boosting and the final fit still have to come: stop carving when another fold would eat their time.
            if 1 < done < len(folds) and watch.left < 3 * taken:
                say(f"the time budget allows {done} of {len(folds)} folds")
                break
    return Exploration(kept, worth, [found[place] for place in sorted(found)])


def _explored(fold: Fold, configs: dict[str, SourceConfig], config: RecommendConfig, exclude: bool) -> Explored:
    recommender = assemble(fold.train, configs, config, Blend((0.0,) * len(configs)))
    return Explored.of(recommender, fold, exclude_seen=exclude)
