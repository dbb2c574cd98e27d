"""Who ranks: the learnt ranker, a blend of sources or one source. The newest fold decides, user by user."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.evaluation.paired import paired_bootstrap
from training.evaluation.ranking import Float64
from training.models.blend import Blend
from training.models.ranker import OBJECTIVES, Examples, Ranker, RankerConfig
from training.pipelines.recommend_config import RecommendConfig
from training.pipelines.recommend_folds import Explored
from training.pipelines.recommend_ranker_search import search_ranker
from training.pipelines.recommend_search import search_blend
from training.pipelines.tuning import Studies

METRIC = "ndcg@10"
#: The ranker has to lead by this many standard errors of the paired difference: what is simpler wins a draw.
_LEAD = 0.5
#: Width of a 95 % interval in standard errors.
_INTERVAL = 3.92


#: Users that a validation fold needs to say anything.
_FEWEST_USERS = 10


@dataclass(frozen=True)
class Decision:
    """The winner and the record of the comparison."""

    blend: Blend  # ranks when ``rounds`` is empty
    rounds: tuple[int, ...]  # boosting rounds of the ranker by objective; empty when it lost
    choices: dict[str, Any]
    table: list[dict[str, Any]]  # one row per contestant: model, kind and the metric on the newest fold
    ranker: RankerConfig  # the settings with which it was compared
    examples: list[Examples]  # of all folds, for a ranker that learns from the newest as well; empty when it lost


def decide(
    explored: Sequence[Explored],
    names: Sequence[str],
    config: RecommendConfig,
    *,
    seconds: float = 0.0,
    studies: Studies | None = None,
) -> Decision:
    """Compare on the newest fold what was fitted on the older ones. Folds come newest first.

    ``seconds`` may go into trying settings of the ranker; ``studies`` may know earlier trials.
    """
    usual = config.ranker
    if not explored or explored[0].pool.rows < _FEWEST_USERS:
        even = Blend((1.0,) * len(names))
        return Decision(even, (), {"ranks": "blend", "why": "too little data for a validation fold"}, [], usual, [])
    newest, older = explored[0], explored[1:]
    singles = {name: newest.judge_blend(Blend.only(k, len(names))) for k, name in enumerate(names)}
    best = max(singles, key=lambda name: float(singles[name].mean()))
    simple, simple_scores = best, singles[best]
    table = [_row(name, "source", scores) for name, scores in singles.items()]

    blend = search_blend(older or [newest], names, users=config.search_users, seed=config.seed)
    blend_scores = newest.judge_blend(blend)
    table.append(_row("blend", "blend", blend_scores))
    if blend_scores.mean() >= simple_scores.mean():
        simple, simple_scores = "blend", blend_scores
    else:
        blend = Blend.only(list(names).index(best), len(names))

    choices: dict[str, Any] = {
        "ranks": simple,
        "blend": dict(zip(names, blend.weights, strict=True)),
        "recall": newest.recall(),
        "validation_users": newest.pool.rows,
    }
    short = [fold.shortlisted(blend, config.shortlist) for fold in explored]
    judge = short[0].examples(config.max_pairs // 2, config.seed, whole=True)
    past = _examples(short[1:], config)
    if not past or judge is None:
        choices["why"] = "no older fold with hits to train a ranker on"
        return Decision(blend, (), choices, table, usual, [])
    settings, tried = search_ranker(short[1:], config, seconds=seconds, studies=studies)
    if tried:
        choices["ranker_searched"] = tried
        choices["ranker_settings"] = {key: getattr(settings, key) for key in config.ranker_search}
    ranker, rounds = Ranker.fit_validated(Examples.join(past), judge, settings)
    scores = short[0].judge_ranker(ranker)
    table.append(_row("ranker", "ranker", scores))
    lead = paired_bootstrap(scores, simple_scores, seed=config.seed)
    wins = lead.mean > _LEAD * (lead.high - lead.low) / _INTERVAL
    choices["ranker_against"] = {"model": simple, "mean": lead.mean, "low": lead.low, "high": lead.high}
    choices["why"] = f"the ranker {'beats' if wins else 'does not beat'} {simple} on validation"
    if wins:
        choices |= {"ranks": "ranker", "rounds": dict(zip(OBJECTIVES, rounds, strict=True))}
        return Decision(blend, rounds, choices, table, settings, [*past, *_examples(short[:1], config)])
    return Decision(blend, (), choices, table, usual, [])


def _examples(folds: Sequence[Explored], config: RecommendConfig) -> list[Examples]:
    found = [fold.examples(config.max_pairs // config.folds, config.seed) for fold in folds]
    return [examples for examples in found if examples is not None]


def _row(model: str, kind: str, scores: Float64) -> dict[str, Any]:
    return {"model": model, "kind": kind, METRIC: float(scores.mean())}
