"""What recommender training knows of one validation fold: the candidates found and which of them came true."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from training.evaluation.fold import Fold, Truth
from training.evaluation.ranking import Float64, find_hits, ndcg
from training.interactions import Bool, Float32, Histories, Int32, Int64
from training.models.blend import Blend, shortlist
from training.models.item_statistics import ItemStatistics
from training.models.pool import Pool
from training.models.ragged import best_of_rows, contains, pair_keys, spans
from training.models.ranker import Examples, Ranker
from training.models.ranker_features import featurise
from training.models.recommender import BLOCK, Ranked, Recommender
from training.models.source import Candidates, shown

#: The metric that every choice is made by looks at this many places.
PLACES = 10
#: Least part of the pairs that did not come true which a user keeps among the examples.
_LEAST_SHARE = 0.15


def sample_users(fold: Fold, limit: int, seed: int) -> Fold:
    """At most ``limit`` users of a fold, drawn evenly; the training part stays whole."""
    if len(fold.users) <= limit:
        return fold
    taken = np.sort(np.random.default_rng(seed).choice(len(fold.users), limit, replace=False))
    starts, lengths = fold.truth.indptr[:-1][taken], np.diff(fold.truth.indptr)[taken]
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    truth = Truth(indptr, fold.truth.item[spans(starts, lengths)])
    return replace(fold, users=fold.users[taken], as_of=fold.as_of[taken], truth=truth)


def judge_lists(lists: Int32, truth: Truth) -> Float64:
    """(q,) NDCG@10 of each row of a table of lists."""
    padded = np.pad(lists, ((0, 0), (0, max(0, PLACES - lists.shape[1]))), constant_values=-1)[:, :PLACES]
    return ndcg(find_hits(padded, truth))


def judge_candidates(found: Candidates, truth: Truth) -> Float64:
    """(q,) NDCG@10 of a source's own order."""
    ranked = Ranked(found.row, found.item, found.score, found.row)
    return judge_lists(ranked.lists(len(truth.indptr) - 1, PLACES), truth)


@dataclass(frozen=True)
class Explored:
    """One fold after retrieval."""

    histories: Histories
    truth: Truth
    pool: Pool
    hit: Bool  # (c,) whether each pair of the pool came true
    statistics: ItemStatistics
    names: tuple[str, ...]  # of the sources, the columns of the pool

    @classmethod
    def of(cls, recommender: Recommender, fold: Fold, *, exclude_seen: bool) -> "Explored":
        """Retrieve for every user of ``fold`` with sources fitted on its training part."""
        asked = fold.histories()
        histories = shown(None, asked)  # what features are made of
        parts: list[Pool] = []
        for start in range(0, len(histories), BLOCK):
            block = asked.slice(start, min(start + BLOCK, len(histories)))
            found = recommender.retrieve(block, exclude_seen=exclude_seen)
            parts.append(replace(found, row=found.row + np.int32(start)))
        whole = Pool(
            len(histories),
            *(np.concatenate([getattr(part, name) for part in parts]) for name in ("row", "item", "score", "rank")),
        )
        width = max(recommender.items, int(fold.truth.item.max(initial=-1)) + 1)
        owner = np.repeat(np.arange(len(histories), dtype=np.int32), np.diff(fold.truth.indptr))
        wanted = np.sort(pair_keys(owner, fold.truth.item, width))
        return cls(
            histories,
            fold.truth,
            whole,
            contains(wanted, pair_keys(whole.row, whole.item, width)),
            recommender.statistics,
            recommender.source_names,
        )

    def only(self, names: Sequence[str]) -> "Explored":
        """The fold as if only these sources had been asked."""
        columns = [self.names.index(name) for name in names]
        found = ~np.isnan(self.pool.rank[:, columns]).all(axis=1)
        return replace(self, pool=self.pool.of_sources(columns), hit=self.hit[found], names=tuple(names))

    def shortlisted(self, blend: Blend, n: int) -> "Explored":
        """The fold as the ranker sees it: the ``n`` best candidates of the blend."""
        short = shortlist(self.pool, blend, n)
        kept = contains(self._keys(short), self._keys(self.pool))
        return replace(self, pool=short, hit=self.hit[kept])

    def _keys(self, pool: Pool) -> Int64:
        return pair_keys(pool.row, pool.item, len(self.statistics.buyers))

    def judge(self, score: np.ndarray) -> Float64:
        """(q,) NDCG@10 of the pool in the order of ``score`` (c,)."""
        place, counts = best_of_rows(self.pool.indptr, self.pool.item, score, PLACES)
        row = np.repeat(np.arange(self.pool.rows, dtype=np.int32), counts)
        item = self.pool.item[place]
        return judge_lists(Ranked(row, item, item.astype(np.float32), row).lists(self.pool.rows, PLACES), self.truth)

    def judge_blend(self, blend: Blend) -> Float64:
        """(q,) NDCG@10 of a blend."""
        return self.judge(blend.score(self.pool))

    def judge_ranker(self, ranker: Ranker) -> Float64:
        """(q,) NDCG@10 of the pool in the ranker's order."""
        scores = []
        for start in range(0, self.pool.rows, BLOCK):
            stop = min(start + BLOCK, self.pool.rows)
            part = self._block(start, stop)
            scores.append(
                ranker.predict(*featurise(self.histories.slice(start, stop), part, self.statistics, self.names))
            )
        return self.judge(np.concatenate(scores))

    def _block(self, start: int, stop: int) -> Pool:
        low, high = np.searchsorted(self.pool.row, (start, stop))
        part = self.pool.only(np.arange(low, high))
        return replace(part, rows=stop - start, row=part.row - np.int32(start))

    def recall(self) -> dict[str, float]:
        """Mean share of the truth in the whole pool (``union``) and in the part of each source."""
        size = np.diff(self.truth.indptr)
        found = np.bincount(self.pool.row[self.hit], minlength=self.pool.rows) / size
        shares = {"union": float(found.mean())}
        for column, name in enumerate(self.names):
            mine = self.hit & ~np.isnan(self.pool.rank[:, column])
            shares[name] = float((np.bincount(self.pool.row[mine], minlength=self.pool.rows) / size).mean())
        return shares

    def examples(self, max_pairs: int, seed: int, *, whole: bool = False) -> Examples | None:
        """Features of users with at least one hit among their candidates, at most about ``max_pairs`` pairs.

        Where there are more, pairs that did not come true are thinned out evenly, which leaves the odds between any two
        kinds of pairs as they are (Prentice and Pyke, Biometrika 1979), down to :data:`_LEAST_SHARE` of them; past it,
        or with ``whole`` lists, users are left out. Nothing that no source found is ever put in.
        """
        rng = np.random.default_rng(seed)
        useful = np.flatnonzero(np.bincount(self.pool.row[self.hit], minlength=self.pool.rows) > 0)
        if not len(useful):
            return None
        lengths = np.diff(self.pool.indptr)
        share = 1.0 if whole else float(np.clip(max_pairs / lengths[useful].sum(), _LEAST_SHARE, 1.0))
        order = rng.permutation(useful)
        fits = share * np.cumsum(lengths[order]) <= max(max_pairs, share * lengths[order[0]])
        chosen = np.zeros(self.pool.rows, dtype=np.bool_)
        chosen[order[fits]] = True
        kept = chosen[self.pool.row] & (self.hit | (rng.random(len(self.hit)) < share))
        names: tuple[str, ...] = ()
        features: list[Float32] = []
        for start in range(0, self.pool.rows, BLOCK):
            stop = min(start + BLOCK, self.pool.rows)
            part = self._block(start, stop)
            # Features are of whole lists, as they are when a list is served; the pairs are picked from them.
            mine = chosen[part.row + start]
            picked = kept[slice(*np.searchsorted(self.pool.row, (start, stop)))][mine]
            if len(picked):
                history = self.histories.slice(start, stop)
                names, matrix = featurise(history, part.only(mine), self.statistics, self.names)
                features.append(matrix[picked])
        groups = np.bincount(self.pool.row[kept], minlength=self.pool.rows)
        hit = self.hit[kept].astype(np.float32)
        return Examples(names, np.concatenate(features), hit, groups[groups > 0].astype(np.int64))
