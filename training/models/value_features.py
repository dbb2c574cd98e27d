"""From a tag table to the columns that the value model reads. The same call serves fitting and scoring."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from training.models.bgnbd import BgNbd, PurchaseHistory
from training.models.churn_features import RHYTHM_TAGS, purchase_history, tag_values
from training.models.gamma_gamma import GammaGamma

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

SPEND: Final = "spend"
#: Tags without which no value model of ours can be read.
VALUE_TAGS: Final = (*RHYTHM_TAGS, SPEND)
#: Days over which BG/NBD's expected purchases are shown to the trees; longer ones say the same.
_SHOWN_DAYS: Final = 30.0
_OWN: Final = ("rhythm_expected_purchases", "rhythm_no_purchase", "money_per_purchase_day", "rhythm_expected_spend")
#: More of these can only mean more of everything that the trees foretell: 1; less: -1.
_DIRECTIONS: Final = {"rhythm_expected_purchases": 1, "rhythm_no_purchase": -1}


def required_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """What a model whose trees read ``tags`` needs of a tag table."""
    return tuple(dict.fromkeys((*tags, *VALUE_TAGS)))


def direction(column: str) -> int:
    """The monotone constraint of a column: 1, -1 or 0."""
    return _DIRECTIONS.get(column, 0)


def money_history(tags: pa.Table) -> tuple[Float64, Float64]:
    """Purchase days and mean spend of one, both (n,), 0 for users who never bought."""
    days, spend = np.nan_to_num(tag_values(tags, (RHYTHM_TAGS[0], SPEND))).T
    return days, np.divide(spend, days, out=np.zeros_like(spend), where=days > 0)


@dataclass(frozen=True)
class ValueColumns:
    """The input of the models for ``n`` users."""

    names: tuple[str, ...]  # of trees
    trees: Float32  # (n, len(names)), NaN where a tag is null
    history: PurchaseHistory
    bought: npt.NDArray[np.bool_]  # (n,) has ever bought
    rhythm: BgNbd
    money: Float64  # (n,) expected spend on a purchase day

    @classmethod
    def of(cls, tags: pa.Table, names: Sequence[str], rhythm: BgNbd, money: GammaGamma) -> "ValueColumns":
        """Columns for ``tags``; ``names`` are the tags that the trees read."""
        history, bought = purchase_history(tags)
        days, mean = money_history(tags)
        each = money.expected(days, mean)
        expected = np.where(bought, rhythm.expected_purchases(history, _SHOWN_DAYS), np.nan)
        silent = np.where(bought, rhythm.no_purchase(history, _SHOWN_DAYS), np.nan)
        trees = np.empty((tags.num_rows, len(names) + len(_OWN)), dtype=np.float32)
        trees[:, : len(names)] = tag_values(tags, names)
        trees[:, len(names) :] = np.column_stack([expected, silent, each, expected * each])
        return cls((*names, *_OWN), trees, history, bought, rhythm, each)

    def __len__(self) -> int:
        return len(self.money)

    def purchases(self, days: float) -> Float64:
        """(n,) purchase days that BG/NBD expects within ``days``, 0 for users who never bought."""
        return np.where(self.bought, self.rhythm.expected_purchases(self.history, days), 0.0)

    def rhythm_spend(self, days: float) -> Float64:
        """(n,) spend that BG/NBD and Gamma-Gamma expect within ``days``."""
        return self.purchases(days) * self.money
