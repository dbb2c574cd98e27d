"""Asks every contestant about the same users and judges the lists."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from features.contracts.progress import step, track
from training.bench.folds import Question
from training.bench.measure import Cost, Meter
from training.bench.rows import Kind, Row
from training.evaluation.diversity import diversity
from training.evaluation.popularity import Popularity
from training.evaluation.ranking import judge
from training.interactions import Histories, Int32, Int64
from training.models.baselines import baselines
from training.models.recommender import BLOCK, Ranked, Recommender
from training.models.source import CandidateSource, shown, sources
from training.pipelines.recommender import FittedRecommender

#: Stages of :attr:`FittedRecommender.seconds`.
_SOURCES_STAGE = "final sources"
_RANKER_STAGE = "final ranker"


class Jury:
    """Holds the question; contestants see the histories of the users and nothing of the truth."""

    def __init__(self, question: Question, *, exclude_seen: bool, ks: Sequence[int]) -> None:
        self._question = question
        self.exclude_seen = exclude_seen
        self._ks = ks
        self.width = max(ks)
        self.histories: Histories = question.fold.histories()
        train = question.fold.train
        self._popularity: Int64 = np.bincount(train.item, minlength=len(train.items)).astype(np.int64)
        self._usual = Popularity.of(self._popularity, self.histories)

    def pipeline(self, fitted: FittedRecommender, fitting: Cost) -> Iterator[Row]:
        """The whole product first, then what it would be without its learnt ranker."""
        yield self.row("pipeline", Kind.PIPELINE, fitting, self._recommender(fitted.recommender))
        unranked = sum(seconds for stage, seconds in fitted.seconds.items() if stage != _RANKER_STAGE)
        blend = replace(fitted.recommender, ranker=None)
        yield self.row("blend", Kind.BLEND, Cost(unranked, fitting.peak_mb), self._recommender(blend))

    def sources(self, fitted: FittedRecommender) -> Iterator[Row]:
        """Each candidate source alone, as the pipeline fitted it; those that it left out are fitted for this."""
        train = self._question.fold.train
        for name, values in track(fitted.settings.items(), "judging sources", total=len(fitted.settings)):
            source, cost = fitted.recommender.sources.get(name), Cost(fitted.seconds[_SOURCES_STAGE])
            if source is None:
                with Meter() as meter:
                    source = sources()[name].fit(shown(sources()[name], train), sources()[name].Config(**values))
                cost = meter.cost

            def answer(histories: Histories, asked: CandidateSource = source) -> Int32:
                found = asked.retrieve(shown(type(asked), histories), self.width, exclude_seen=self.exclude_seen)
                return Ranked(found.row, found.item, found.score, found.row).lists(len(histories), self.width)

            yield self.row(name, Kind.SOURCE, cost, answer)

    def baselines(self) -> Iterator[Row]:
        """Every baseline that means something here, fitted on the training part."""
        train = shown(None, self._question.fold.train)
        fitting = {
            name: cls for name, cls in baselines().items() if cls.applies(train.clock, exclude_seen=self.exclude_seen)
        }
        for name, cls in track(fitting.items(), "judging baselines", total=len(fitting)):
            with Meter() as meter:
                baseline = cls.fit(train, tuple(self._question.split.target))

            def answer(histories: Histories, ask: Callable[..., Int32] = baseline.recommend) -> Int32:
                return ask(shown(None, histories), self.width, exclude_seen=self.exclude_seen)

            yield self.row(name, Kind.BASELINE, meter.cost, answer)

    def _recommender(self, recommender: Recommender) -> Callable[[Histories], Int32]:
        def answer(histories: Histories) -> Int32:
            ranked = recommender.recommend(histories, self.width, exclude_seen=self.exclude_seen)
            return ranked.lists(len(histories), self.width)

        return answer

    def row(self, model: str, kind: Kind, fitting: Cost, answer: Callable[[Histories], Int32]) -> Row:
        with step(f"asking {model}", total=len(self.histories), unit="users") as task, Meter() as meter:
            lists = []
            for start in range(0, len(self.histories), BLOCK):
                block = self.histories.slice(start, min(start + BLOCK, len(self.histories)))
                lists.append(answer(block))
                task.advance(len(block))
        return self.judged(model, kind, np.concatenate(lists), fitting + meter.cost)

    def judged(self, model: str, kind: Kind, lists: Int32, cost: Cost) -> Row:
        """The row of ``lists`` (q, K) that came about at ``cost``."""
        ranking = judge(lists, self._question.fold.truth, self._ks, self._popularity)
        ranking.aggregate.update(self._described(lists))
        return Row(model, kind, ranking, cost, lists)

    def _described(self, lists: Int32) -> dict[str, float]:
        """What the lists are like, whatever anybody took. What the catalogue does not tell is left out."""
        catalogue = self._question.fold.train.catalogue
        found: dict[str, float] = {}
        for k in self._ks:
            cut = lists[:, :k]
            found |= {
                f"category_diversity@{k}": diversity(cut, catalogue.category),
                f"brand_diversity@{k}": diversity(cut, catalogue.brand),
                f"popularity_bias@{k}": self._usual.bias(cut),
                f"head_share@{k}": self._usual.head_share(cut),
                f"gini@{k}": self._usual.gini(cut),
            }
        return {name: value for name, value in found.items() if np.isfinite(value)}
