"""Searches on validation folds: settings of a source, weights of the blend."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.contracts.progress import step
from training.evaluation.fold import Fold, Truth
from training.evaluation.ranking import Float64
from training.interactions import Float32, Histories, Int64
from training.models.blend import Blend
from training.models.ragged import spans
from training.models.source import CandidateSource, shown, sources
from training.pipelines.recommend_config import RecommendConfig, source_config
from training.pipelines.recommend_folds import PLACES, Explored, judge_candidates, sample_users
from training.pipelines.tuning import Studies, fingerprint_of
from training.pipelines.tuning_space import Range

#: Groups of users that trials are compared by.
_PARTS = 40
#: Weights tried for one source while the others stand still, as parts of the largest.
_WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.5)
_SWEEPS = 3


def search_settings(
    names: Sequence[str],
    fold: Fold,
    config: RecommendConfig,
    *,
    exclude_seen: bool,
    seconds: float,
    studies: Studies | None = None,
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, float]]]:
    """The best settings per source and the NDCG@10 of everything tried, a study for each source.

    What a source leaves of its part of ``seconds`` goes to those after it. ``studies`` may know earlier trials.
    """
    studies = studies or Studies()
    sample = sample_users(fold, config.search_users, config.seed)
    parts = _parts(sample, config.seed)
    data = fingerprint_of(sample, sample.train.users.to_array(), sample.train.items.to_array(), exclude_seen, PLACES)
    chosen = {name: dict(config.settings(name).config) for name in names}
    tried: dict[str, dict[str, float]] = {}
    searched = [name for name in names if config.settings(name).search]
    end = studies.clock() + seconds
    with step("trying settings", total=len(searched), unit="sources") as task:
        for place, name in enumerate(searched):
            trial = _Trial(name, chosen[name], sample, parts, exclude_seen)
            tuned = studies.tune(
                name,
                trial.values(config.settings(name).search),
                trial.default,
                trial.scores,
                fingerprint=fingerprint_of(data, trial.default),
                deadline=studies.clock() + (end - studies.clock()) / (len(searched) - place),
                seed=config.seed,
                cheap=sources()[name].asked_with,
            )
            chosen[name] |= {key: value for key, value in tuned.settings.items() if value != trial.default[key]}
            tried[name] = tuned.marks
            task.advance()
    return chosen, tried


@dataclass
class _Trial:
    """Scores settings of one source on one fold; a fit is kept while only settings of the question change."""

    name: str
    start: dict[str, Any]
    fold: Fold
    parts: Sequence[tuple[Histories, Truth]]
    exclude_seen: bool
    fitted: CandidateSource | None = None
    fitted_with: dict[str, Any] | None = None

    @property
    def default(self) -> dict[str, Any]:
        """Every setting, as plain values."""
        return source_config(self.name, self.start).model_dump(mode="json")

    def values(self, search: Mapping[str, Sequence[Any] | Range]) -> dict[str, Sequence[Any] | Range]:
        """The values to be tried as the source's configuration spells them: 30 of a real number is 30.0."""

        def spelled(name: str, value: Any) -> Any:
            return source_config(self.name, {**self.start, name: value}).model_dump(mode="json")[name]

        return {
            name: values if isinstance(values, Range) else [spelled(name, value) for value in values]
            for name, values in search.items()
        }

    def scores(self, values: dict[str, Any]) -> Iterator[float]:
        """Mean NDCG@10 of the source alone on one part of the users after the other."""
        cls = sources()[self.name]
        config = source_config(self.name, {**self.start, **values})
        matters = {key: value for key, value in values.items() if key not in cls.asked_with}
        if self.fitted is None or matters != self.fitted_with:
            self.fitted, self.fitted_with = cls.fit(shown(cls, self.fold.train), config), matters
        source = cls.from_arrays(config, self.fitted.arrays())
        for histories, truth in self.parts:
            found = source.retrieve(shown(cls, histories), PLACES, exclude_seen=self.exclude_seen)
            yield float(judge_candidates(found, truth).mean())


def _parts(fold: Fold, seed: int) -> list[tuple[Histories, Truth]]:
    """The asked users of a fold in groups drawn evenly, with what came true."""
    order = np.random.default_rng(seed).permutation(len(fold.users))
    sizes = np.diff(fold.truth.indptr)
    parts = []
    for taken in np.array_split(order, min(_PARTS, len(order))):
        item = fold.truth.item[spans(fold.truth.indptr[:-1][taken], sizes[taken])]
        truth = Truth(np.concatenate([[0], np.cumsum(sizes[taken])]).astype(np.int64), item)
        parts.append((fold.train.histories(fold.users[taken], fold.as_of[taken]), truth))
    return parts


def search_blend(folds: Sequence[Explored], names: Sequence[str], *, users: int, seed: int) -> Blend:
    """Weights by coordinate search for the mean NDCG@10 over at most ``users`` users with hits of ``folds``.

    Starts from the best single source.
    """
    tables = [_Table.of(fold, users // len(folds), seed) for fold in folds]

    def judge(weights: Sequence[float]) -> float:
        return float(np.mean([table.judge(weights) for table in tables]))

    singles = [judge(Blend.only(k, len(names)).weights) for k in range(len(names))]
    weights = list(Blend.only(int(np.argmax(singles)), len(names)).weights)
    mark = max(singles)
    for _ in range(_SWEEPS):
        before = list(weights)
        for place in np.argsort(singles)[::-1].tolist():
            for value in _WEIGHTS:
                trial = [*weights[:place], value, *weights[place + 1 :]]
                if trial == weights or not any(trial):
                    continue
                score = judge(trial)
                if score > mark + 1e-5:
                    mark, weights = score, trial
        if weights == before:
            break
    return Blend(tuple(weights))


@dataclass(frozen=True)
class _Table:
    """The pool of some users as a dense block, so that one weighting is judged in milliseconds."""

    scaled: Float32  # (u, l, s) normalised scores, users padded to the longest list
    padding: Float32  # (u, l) 0 where there is a candidate, -inf where there is none
    user: Int64  # (h,) of each hit
    place: Int64  # (h,)
    ideal: Float64  # (u,) the best DCG that can be reached

    @classmethod
    def of(cls, fold: Explored, users: int, seed: int) -> "_Table":
        """Take users with at least one hit; the others count the same under every weighting."""
        useful = np.flatnonzero(np.bincount(fold.pool.row[fold.hit], minlength=fold.pool.rows) > 0)
        if len(useful) > users:
            useful = np.sort(np.random.default_rng(seed).choice(useful, users, replace=False))
        pool = fold.pool
        number = np.full(pool.rows, -1, dtype=np.int64)
        number[useful] = np.arange(len(useful))
        taken = np.flatnonzero(number[pool.row] >= 0)
        part = pool.only(taken)
        user, place = number[part.row], taken - pool.indptr[:-1][part.row]
        width = int(np.diff(pool.indptr)[useful].max(initial=0))
        scaled = np.zeros((len(useful), width, pool.score.shape[1]), dtype=np.float32)
        scaled[user, place] = part.normalised()
        padding = np.full((len(useful), width), -np.inf, dtype=np.float32)
        padding[user, place] = 0
        hit = fold.hit[taken]
        gain = 1 / np.log2(np.arange(2, PLACES + 2))
        sizes = np.minimum(np.diff(fold.truth.indptr)[useful], PLACES)
        return cls(scaled, padding, user[hit], place[hit], np.cumsum(gain)[sizes - 1])

    def judge(self, weights: Sequence[float]) -> float:
        """Mean NDCG@10 of a weighted sum; equal scores keep their order."""
        if not len(self.user):
            return 0.0
        score = self.scaled @ np.asarray(weights, dtype=np.float32) + self.padding
        mine = score[self.user, self.place][:, None]
        others = score[self.user]
        ahead = (others > mine).sum(axis=1)
        ahead += ((others == mine) & (np.arange(score.shape[1]) < self.place[:, None])).sum(axis=1)
        gain = np.where(ahead < PLACES, 1 / np.log2(ahead + 2), 0.0)
        return float((np.bincount(self.user, weights=gain, minlength=len(self.ideal)) / self.ideal).mean())
