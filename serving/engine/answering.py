"""From a question to ranked, filtered, explained items over one loaded model. No state, no store."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from serving.engine.asking import Dropped, RecommendedItem
from serving.engine.live_model import LiveModel
from serving.engine.placements import AFTER, Placement
from serving.engine.question import Question
from serving.engine.reasons import ranked_reason, reason_of, similar_reason, trending_reason
from serving.rules import Filters, Outcome, Rule, Slate, Text, apply_rules
from serving.rules.rule import member_of
from training.interactions import Bool, Histories, Int32
from training.models.pool import Pool
from training.models.recommender import Intent, Recommender

TRENDING = "trending"
_WIDE = 1000  # how deep a list is read when the caller's filters may take out most of it


@dataclass(frozen=True)
class Answer:
    """The items of an answer and, where asked for, what was taken out."""

    items: tuple[RecommendedItem, ...]
    dropped: tuple[Dropped, ...] = ()


def personal_answer(live: LiveModel, question: Question, placement: Placement, *, explain: bool) -> Answer:
    """Rank for the question's history, apply the rules, and fill what is missing with trending items."""
    narrow = question.context.filters != Filters()
    width = _WIDE if narrow else max(placement.ranked, question.n) + len(question.context.excluded)
    ranked = live.recommender.recommend(question.history, width, exclude_seen=placement.exclude_seen)
    chain = placement.chain()
    outcome = apply_rules(chain, question.context, Slate(ranked.item, ranked.score))
    places = np.flatnonzero(np.isin(ranked.item, outcome.slate.item))
    evidence = live.recommender.evidence(
        question.history, ranked.row[places], ranked.item[places], ranked.source[places]
    )
    sources = _source_scores(live, question, placement, ranked.item[places]) if explain else {}
    items = [
        RecommendedItem(
            item_id=live.past.items.id(item),
            score=score,
            source=why.source,
            reason=reason_of(why, live.title),
            title=live.title(item),
            sources=sources.get(item, {}),
        )
        for item, score, why in zip(ranked.item[places].tolist(), ranked.score[places].tolist(), evidence, strict=True)
    ]
    if len(items) < question.n:
        taken = frozenset(ranked.item.tolist())
        items += trending_items(live, question, chain, question.history, without=taken, places=question.n - len(items))
    dropped = _dropped(live, chain, outcome) if explain else ()
    return Answer(tuple(items[: question.n]), dropped)


def trending_answer(live: LiveModel, question: Question, placement: Placement) -> Answer:
    """What many people take now, under the same rules; the same for everybody."""
    nobody = live.nobody(question.as_of)
    return Answer(tuple(trending_items(live, question, placement.chain(), nobody, places=question.n, alone=True)))


def trending_items(
    live: LiveModel,
    question: Question,
    chain: tuple[Rule, ...],
    history: Histories,
    *,
    places: int,
    without: frozenset[int] = frozenset(),
    alone: bool = False,
) -> list[RecommendedItem]:
    """Trending items that pass the rules, for ``places`` that nothing better fills.

    Beside ranked items their score is None: heat cannot be compared with how well an item fits. ``alone`` shows it.
    """
    source = live.recommender.sources.get(TRENDING)
    if source is None:
        return []
    found = source.retrieve(history, _WIDE, exclude_seen=False)
    slate = Slate(found.item, found.score)
    slate = slate.where(~member_of(slate.item, without))
    outcome = apply_rules(chain, replace(question.context, n=places), slate)
    rows = zip(outcome.slate.item.tolist(), outcome.slate.score.tolist(), strict=True)
    return [_item(live, item, score if alone else None, TRENDING, trending_reason()) for item, score in rows]


def near_answer(live: LiveModel, question: Question, placement: Placement, item: int, intent: Intent) -> Answer:
    """Items like one item, or that go with it."""
    found = live.recommender.similar(item, _WIDE, intent)
    outcome = apply_rules(placement.chain(), question.context, Slate(found.item, found.score))
    rows = zip(outcome.slate.item.tolist(), outcome.slate.score.tolist(), strict=True)
    return Answer(tuple(_item(live, near, score, intent, similar_reason(intent)) for near, score in rows))


def given_answer(live: LiveModel, question: Question, given: Int32) -> Answer:
    """The ``given`` items (distinct, known) in the order that suits the question's history best. No rule takes part."""
    if not len(given):
        return Answer(())
    candidates = _pool_of(live.recommender, question.history, np.sort(given))
    score = live.recommender.rank(question.history, candidates)
    order = np.lexsort((candidates.item, -score))
    heard: Bool = np.asarray(np.isfinite(candidates.rank).any(axis=1))
    best = np.zeros(len(given), dtype=np.int32)
    best[heard] = candidates.only(heard).best_source()
    evidence = live.recommender.evidence(question.history, candidates.row, candidates.item, best)
    items = []
    for place in order.tolist():
        item, why = int(candidates.item[place]), evidence[place]
        source, reason = (why.source, reason_of(why, live.title)) if heard[place] else ("request", ranked_reason())
        items.append(_item(live, item, float(score[place]), source, reason))
    return Answer(tuple(items))


def _pool_of(recommender: Recommender, history: Histories, given: Int32) -> Pool:
    """What the sources say of exactly the ``given`` items (ascending); NaN where a source did not find one."""
    found = recommender.retrieve(history, exclude_seen=False)
    place = np.searchsorted(given, found.item)
    hit = np.flatnonzero((place < len(given)) & (given[np.minimum(place, len(given) - 1)] == found.item))
    shape = (len(given), len(recommender.source_names))
    score, rank = np.full(shape, np.nan, dtype=np.float32), np.full(shape, np.nan, dtype=np.float32)
    score[place[hit]], rank[place[hit]] = found.score[hit], found.rank[hit]
    return Pool(1, np.zeros(len(given), dtype=np.int32), given, score, rank)


def _source_scores(
    live: LiveModel, question: Question, placement: Placement, items: Int32
) -> Mapping[int, dict[str, float]]:
    found = live.recommender.retrieve(question.history, exclude_seen=placement.exclude_seen)
    names = live.recommender.source_names
    rows = np.flatnonzero(np.isin(found.item, items))
    return {
        int(found.item[row]): {
            name: float(score) for name, score in zip(names, found.score[row], strict=True) if not np.isnan(score)
        }
        for row in rows
    }


def _dropped(live: LiveModel, chain: tuple[Rule, ...], outcome: Outcome) -> tuple[Dropped, ...]:
    """What rules took out; items that were merely too many are not listed."""
    reasons = {rule.name: rule.reason for rule in chain}
    return tuple(
        Dropped(live.past.items.id(item), rule, reasons[rule])
        for item, rule in outcome.dropped.items()
        if rule not in AFTER
    )


def _item(live: LiveModel, item: int, score: float | None, source: str, reason: Text) -> RecommendedItem:
    return RecommendedItem(live.past.items.id(item), score, source, reason, live.title(item))
