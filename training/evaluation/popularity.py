"""Whether lists lean towards what is popular anyway, more than the people they are for do."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from training.interactions import Bool, Histories, Int32, Int64

Float64 = npt.NDArray[np.float64]

#: The most popular fifth of the items is the head (Abdollahpouri et al., "Managing popularity bias", FLAIRS 2019).
_HEAD: Final = 0.2


@dataclass(frozen=True)
class Popularity:
    """How popular the ``n`` items are in training, and what ``q`` users had."""

    known: Bool  # (n,) has any training event
    percentile: Float64  # (n,) 1 for the most popular item, near 0 for the least, 0 without events; ties share theirs
    usual: Float64  # (q,) mean percentile of the events of each user's history, NaN for an empty one

    @classmethod
    def of(cls, popularity: Int64, histories: Histories) -> Self:
        """From the training events per item (n,) and what is known of the users."""
        known = popularity > 0
        percentile = np.zeros(len(popularity))
        if known.any():
            percentile[known] = rankdata(popularity[known]) / np.count_nonzero(known)
        length = np.diff(histories.indptr)
        total = np.bincount(histories.row, percentile[histories.item], minlength=len(histories))
        usual = np.divide(total, length, out=np.full(len(length), np.nan), where=length > 0)
        return cls(known, percentile, usual)

    def bias(self, recommended: Int32) -> float:
        """Mean percentile of a list minus that of the user's history, -1..1; above 0 lists are more popular.

        The difference of group average popularities of Abdollahpouri et al. ("The unfairness of popularity bias in
        recommendation", RMSE 2019), user by user and in percentiles, which do not depend on the size of the log. Users
        without history or list are left out; NaN when nobody is left.
        """
        filled = recommended >= 0
        size = filled.sum(axis=1)
        total = np.where(filled, self.percentile[recommended], 0).sum(axis=1)
        judged = (size > 0) & ~np.isnan(self.usual)
        if not judged.any():
            return float("nan")
        return float((total[judged] / size[judged] - self.usual[judged]).mean())

    def head_share(self, recommended: Int32) -> float:
        """Share of the filled places that hold one of the most popular fifth of the known items."""
        offered = recommended[recommended >= 0]
        return float((self.percentile[offered] > 1 - _HEAD).mean()) if offered.size else 0.0

    def gini(self, recommended: Int32) -> float:
        """Gini coefficient of how often each known item is recommended: 0 all alike, near 1 a few take all.

        Fleder and Hosanagar, "Blockbuster culture's next rise or fall", Management Science 55(5), 2009.
        """
        times = np.bincount(recommended[recommended >= 0], minlength=len(self.known))
        shown = np.sort(times[: len(self.known)][self.known]).astype(np.float64)
        total = float(shown.sum())
        if not total:
            return 0.0
        rank = np.arange(1, len(shown) + 1)
        return float((2 * rank - len(shown) - 1) @ shown / (len(shown) * total))
