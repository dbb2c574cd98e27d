"""What varied lists cost: NDCG@10 beside the diversity of the list, for weights of the rule ``mmr`` and for caps.

::

    python benchmarks/diversity_curve.py benchmarks/complete_journey.yaml --out diversity.svg

Judged on the newest fold carved from the training part; the test rows are never read. Four sources, blended with fixed
weights, make the lists: enough to compare rules, not what a trained pipeline reaches.
"""

import argparse
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from features.contracts.config import load_config
from serving.rules import ItemFacts, Names, RuleContext, Slate, apply_rules, rule_class
from training.bench.config import RecommendBench
from training.bench.recommend import prepare
from training.evaluation.diversity import diversity
from training.evaluation.fold import Fold
from training.evaluation.ranking import find_hits, ndcg
from training.models.blend import Blend
from training.models.item_statistics import ItemStatistics
from training.models.recommender import Ranked, Recommender
from training.models.source import sources
from training.pipelines.recommend_folds import sample_users

N, DEPTH, USERS = 10, 100, 2000
BLEND = {"repeat": 1.0, "covisit": 0.5, "item_knn": 0.3, "trending": 0.1}
SETTINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    *(("mmr", {"weight": w, "depth": DEPTH}) for w in (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)),
    *(("diversity", {"per_category": cap}) for cap in (3, 2, 1)),
)


class Point(NamedTuple):
    """One setting of one rule."""

    rule: str
    setting: float
    ndcg: float
    categories: float  # share of the pairs of a list that are of different categories
    departments: float  # the same for departments


def measure(fold: Fold, *, exclude_seen: bool) -> list[Point]:
    """Every setting over the same ranked lists."""
    ranked, known = _rank(fold, exclude_seen), fold.train.catalogue
    facts = ItemFacts(
        category=known.category,
        department=known.department,
        brand=known.brand,
        shop=known.shop,
        price=known.price,
        available=np.ones(len(fold.train.items), dtype=np.bool_),
        names=Names(fold.train.items),
    )
    context = RuleContext(facts, as_of=0, n=N)
    ends = np.searchsorted(ranked.row, np.arange(len(fold.users) + 1))
    points = []
    for name, parameters in SETTINGS:
        rule = rule_class(name)(rule_class(name).Config.model_validate(parameters))
        shown = np.full((len(fold.users), N), -1, dtype=np.int32)
        for row, (low, high) in enumerate(pairwise(ends)):
            slate = Slate.of(ranked.item[low:high], ranked.score[low:high])
            best = apply_rules([rule], context, slate).slate.item[:N]
            shown[row, : len(best)] = best
        gain = float(ndcg(find_hits(shown, fold.truth)).mean())
        setting = next(iter(parameters.values()))
        points.append(Point(name, setting, gain, *(diversity(shown, g) for g in (known.category, known.department))))
    return points


def _rank(fold: Fold, exclude_seen: bool) -> Ranked:
    known = sources()
    fitted = {name: known[name].fit(fold.train, known[name].Config()) for name in BLEND}
    limits = dict.fromkeys(BLEND, DEPTH)
    recommender = Recommender(fitted, limits, ItemStatistics.fit(fold.train), Blend(tuple(BLEND.values())))
    return recommender.recommend(fold.histories(), DEPTH, exclude_seen=exclude_seen)


def draw(points: list[Point], name: str, out: Path) -> None:
    """NDCG over the diversity of categories, one mark per setting."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for rule, mark in (("mmr", "o-"), ("diversity", "s--")):
        mine = [p for p in points if p.rule == rule]
        axes.plot([p.departments for p in mine], [p.ndcg for p in mine], mark, label=rule)
        for p in mine:
            at = (p.departments, p.ndcg)
            axes.annotate(f"{p.setting:g}", at, textcoords="offset points", xytext=(4, 4), fontsize=8)
    axes.set(xlabel="pairs of different departments", ylabel=f"NDCG@{N}", title=name)
    axes.legend()
    figure.savefig(out)


def main(config_file: Path, out: Path | None) -> None:
    """Print the curve as a table and draw it to ``out``."""
    config = load_config(RecommendBench, config_file)
    question = prepare(config, config_file.parent, datetime.now(UTC)).question
    fold = sample_users(question.split.inner(question.fold.train, 1)[0], USERS, seed=0)
    points = measure(fold, exclude_seen=not question.split.repeats)
    print(f"{config.name}: {len(fold.users)} users, lists of {N}\n")
    print(f"| rule | setting | NDCG@{N} | different categories | different departments |\n|---|---|---|---|---|")
    for p in points:
        print(f"| {p.rule} | {p.setting:g} | {p.ndcg:.4f} | {p.categories:.3f} | {p.departments:.3f} |")
    if out is not None:
        draw(points, config.name, out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--out", type=Path, help="picture of the curve, .svg or .png")
    arguments = parser.parse_args()
    main(arguments.config, arguments.out)
