"""From questions to ranked, filtered, explained items over one loaded model. No state, no store."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from serving.engine.asking import Degraded, Dropped, RecommendedItem
from serving.engine.live_model import LiveModel
from serving.engine.observing import Observer, stage
from serving.engine.placements import Placement
from serving.engine.question import Question, histories_of
from serving.engine.ranking import RankedList, rank_batch
from serving.engine.reasons import REQUEST, reason_for
from serving.engine.saying import Said, said_of
from serving.rules import Offer, Outcome, RuleChain, Slate, Stage
from serving.rules.filters import FiltersConfig, RequestFilters
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


@dataclass(frozen=True)
class Asked:
    """One question of a batch, and how it is to be answered."""

    question: Question
    placement: Placement
    explain: bool = False

    @property
    def width(self) -> int:
        """How many ranked items the rules are given."""
        context = self.question.context
        if context.filters:
            return _WIDE
        return max(self.placement.ranked, self.question.n) + len(context.excluded)


def personal_answers(
    live: LiveModel, batch: Sequence[Asked], *, deadline: float, observer: Observer
) -> tuple[list[Answer], tuple[Degraded, ...]]:
    """Rank for the history of each question and apply the rules, over trending items too where ranked ones run short.

    All placements of ``batch`` treat seen items alike. Also says what all of them were made without; ``deadline`` is a
    moment of ``time.perf_counter``.
    """
    histories = histories_of([each.question for each in batch])
    ranked = rank_batch(
        live.recommender,
        histories,
        [each.width for each in batch],
        exclude_seen=batch[0].placement.exclude_seen,
        deadline=deadline,
        observer=observer,
    )
    with stage(observer, "rules", len(batch)):
        outcomes = [_ruled(live, each, found) for each, found in zip(batch, ranked.lists, strict=True)]
    with stage(observer, "reasons", len(batch)):
        found = [_found(*each) for each in zip(ranked.lists, outcomes, strict=True)]
        said = said_of(live, histories, [each.question for each in batch], found)
        answers = [_answer(live, *each) for each in zip(batch, ranked.lists, outcomes, said, strict=True)]
    return answers, ranked.degraded


def _ruled(live: LiveModel, asked: Asked, ranked: RankedList) -> Outcome:
    chain, question = asked.placement.chain, asked.question
    slate = Slate.of(ranked.item, ranked.score)
    outcome = chain.apply(question.context, slate, trace=asked.explain)
    if len(outcome.slate) >= question.n:
        return outcome
    # Heat cannot be compared with how well an item fits: popular items follow, without a score.
    longer = slate.extended(_trending(live, question).item.tolist())
    return chain.apply(question.context, longer, trace=asked.explain)


def _found(ranked: RankedList, outcome: Outcome) -> dict[int, int]:
    """Of the items that are shown those that were ranked, with the place of their source."""
    source = dict(zip(ranked.item.tolist(), ranked.source.tolist(), strict=True))
    return {item: source[item] for item in outcome.slate.item.tolist() if item in source}


def _answer(live: LiveModel, asked: Asked, ranked: RankedList, outcome: Outcome, said: Mapping[int, Said]) -> Answer:
    placement, question = asked.placement, asked.question
    items = _items(live, question, outcome, said, propensities=placement.chain.explores)
    if not asked.explain:
        return Answer(items)
    sources = _source_scores(live, question, placement, np.array(list(said), dtype=np.int32))
    explained = tuple(
        replace(shown, sources=sources.get(item, {}))
        for shown, item in zip(items, outcome.slate.item.tolist(), strict=True)
    )
    return Answer(explained, _dropped(live, placement.chain, outcome, frozenset(ranked.item.tolist())))


def trending_answer(live: LiveModel, question: Question, placement: Placement) -> Answer:
    """What many people take now, under the same rules; the same for everybody."""
    outcome = placement.chain.apply(question.context, _trending(live, question))
    return Answer(_items(live, question, outcome, {}, propensities=placement.chain.explores))


def near_answer(live: LiveModel, question: Question, placement: Placement, item: int, intent: Intent) -> Answer:
    """Items like one item, or that go with it."""
    found = live.recommender.similar(item, _WIDE, intent)
    outcome = placement.chain.apply(question.context, Slate.of(found.item, found.score))
    return Answer(_items(live, question, outcome, {}, otherwise=intent))


def _trending(live: LiveModel, question: Question) -> Slate:
    """What many people take now. It needs no candidate source, so that there is always something to show."""
    popular = live.popular
    if question.context.filters:
        within = RequestFilters(FiltersConfig())
        popular = within.apply(question.context, Slate.of(popular, live.heat(popular))).item
    return Slate.of(popular[:_WIDE], live.heat(popular[:_WIDE]))


def _items(
    live: LiveModel,
    question: Question,
    outcome: Outcome,
    said: Mapping[int, Said],
    *,
    otherwise: str = TRENDING,
    propensities: bool = False,
) -> tuple[RecommendedItem, ...]:
    """The places of an answer. What was neither ranked nor brought in by a rule is of the source ``otherwise``."""
    slate, ids = outcome.slate, live.past.items.ids(outcome.slate.item)
    chances: Sequence[float | None] = slate.propensity.tolist() if propensities else [None] * len(slate)
    items = []
    for item, item_id, score, chance in zip(slate.item.tolist(), ids, slate.score.tolist(), chances, strict=True):
        source, reason = said.get(item) or _unranked(live, item, outcome.offered.get(item, Offer(otherwise)))
        items.append(
            RecommendedItem(
                item_id=item_id,
                score=None if math.isnan(score) else score,
                source=source,
                reason=reason,
                title=live.title(item),
                propensity=chance,
            )
        )
    return tuple(items)


def _unranked(live: LiveModel, item: int, offer: Offer) -> Said:
    return Said(offer.source, reason_for(offer.source, item, offer.because, live))


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
    found = {int(candidates.item[place]): int(best[place]) for place in np.flatnonzero(heard).tolist()}
    (known,) = said_of(live, question.history, [question], [found])
    slate = Slate.of(candidates.item[order], score[order].astype(np.float32))
    return Answer(_items(live, question, Outcome(slate, {}, {}), known, otherwise=REQUEST))


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


def _dropped(live: LiveModel, chain: RuleChain, outcome: Outcome, ranked: frozenset[int]) -> tuple[Dropped, ...]:
    """What rules took out of what was ranked or brought in; items that were merely too many are not listed."""
    rules = {rule.name: rule for rule in chain.rules}
    return tuple(
        Dropped(live.past.items.id(item), name, rules[name].reason)
        for item, name in outcome.dropped.items()
        if rules[name].stage is not Stage.CUT and (item in ranked or item in outcome.offered)
    )
