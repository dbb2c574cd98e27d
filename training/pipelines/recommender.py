"""Recommender training: choices on folds carved from the past, then the final fit on all of it.

1. Settings of each source are searched on an older fold, and sources that add nothing there are left out.
2. The weights of the blend and settings of the ranker are searched on the older folds, the ranker is trained on them.
3. On the newest fold, which none of them has seen, single sources, blend and ranker are compared user by user;
   the ranker has to win, else the blend, else the best source ranks.
4. Sources are fitted again on everything and the winner with them.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from features.contracts.errors import NotEnoughDataError
from features.contracts.progress import step
from training.evaluation.splits import Split
from training.interactions import Interactions
from training.models.ranker import Examples, Ranker
from training.models.recommender import Recommender
from training.models.source import sources
from training.pipelines.recommend_choice import decide
from training.pipelines.recommend_config import RecommendConfig
from training.pipelines.recommend_explore import Watch, assemble, explore
from training.pipelines.recommend_folds import sample_users
from training.pipelines.recommend_search import search_settings
from training.pipelines.tuning import Studies

#: Part of what is left of the budget after the folds that settings of the ranker are tried in.
_RANKER_PART = 0.2


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


def fit_recommender(
    data: Interactions,
    split: Split,
    config: RecommendConfig,
    *,
    budget_minutes: float = 20.0,
    studies: Studies | None = None,
) -> FittedRecommender:
    """Fit on ``data``, all of it past, for questions of the kind that ``split`` asks.

    ``split.repeats`` says whether items that a user has may be recommended; ``studies`` keep what was tried of
    settings, by default in memory only. Raises :class:`NotEnoughDataError` when there are no events.
    """
    if not len(data):
        raise NotEnoughDataError("there are no user-item events to learn recommendations from")
    watch = Watch(budget_minutes)
    folds = [sample_users(fold, config.fold_users, config.seed) for fold in split.inner(data, config.folds)]
    watch.lap("folds")
    names = config.taking_part(data.clock, repeats=split.repeats)
    exclude = not split.repeats
    settings, searched = (
        search_settings(
            names,
            folds[-1] if len(folds) < 3 else folds[1],
            config,
            exclude_seen=exclude,
            seconds=budget_minutes * 15,
            studies=studies,
        )
        if folds
        else ({name: config.settings(name).config for name in names}, {})
    )
    configs = {name: sources()[name].Config(**settings[name]) for name in names}
    watch.lap("search")
    choices: dict[str, Any] = {"settings": settings, "searched": searched, "folds": len(folds)}

    past = explore(folds, configs, config, exclude=exclude, watch=watch)
    configs = {name: configs[name] for name in past.kept}
    choices["sources"] = {name: asdict(worth) | {"kept": name in past.kept} for name, worth in past.worth.items()}
    with step("choosing who ranks"):
        decision = decide(past.explored, past.kept, config, seconds=watch.left * _RANKER_PART, studies=studies)
    watch.lap("choose")
    choices |= decision.choices

    with step("fitting the sources on everything"):
        final = assemble(data, configs, config, decision.blend)
    watch.lap("final sources")
    if decision.rounds:
        with step("training the ranker on all folds"):
            last = Ranker.fit(Examples.join(decision.examples), decision.ranker, rounds=decision.rounds)
        final = replace(final, ranker=last)
        choices["importance"] = dict(list(last.importance().items())[:15])
        watch.lap("final ranker")
    return FittedRecommender(final, choices, decision.table, watch.seconds)
