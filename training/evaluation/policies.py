"""A target policy as a table, held against what a logging policy showed."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.errors import InputError
from training.evaluation.impressions import Impressions
from training.evaluation.off_policy import Logged, Model

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

RANK: Final = "rank"
PROBABILITY: Final = "probability"
#: Impressions like the usual one that stand before those of an item, in the model of the reward.
_PRIOR: Final = 20.0


@dataclass(frozen=True)
class Policy:
    """What would be shown to whom: ``m`` rows of user, item, place and probability."""

    user: pa.Array  # (m,) ids
    item: pa.Array  # (m,) ids
    place: Int64  # (m,) 0 is the first; -1: every place alike
    probability: Float64  # (m,) with which the item is chosen for the place

    @classmethod
    def of(cls, rows: pa.Table, name: str) -> Self:
        """A table with ``user_id`` and ``item_id``, and ``rank`` from 1 (a list that is always the same, as ``mallard
        lists`` writes it) or ``probability`` (of every place alike).

        Raises :class:`InputError` that names the table (``name``) and what is wrong with it.
        """
        for column in (c.USER_ID, c.ITEM_ID):
            if column not in rows.column_names:
                raise InputError(f"{name}: there is no column '{column}'; a policy names users and items")
        if (RANK in rows.column_names) == (PROBABILITY in rows.column_names):
            raise InputError(f"{name}: a policy has either the column '{RANK}' or the column '{PROBABILITY}'")
        count = rows.num_rows
        if RANK in rows.column_names:
            place, probability = rows[RANK].to_numpy().astype(np.int64) - 1, np.ones(count)
            if (place < 0).any():
                raise InputError(f"{name}: row {int(np.argmax(place < 0)) + 1}: ranks begin with 1")
        else:
            place, probability = np.full(count, -1), rows[PROBABILITY].to_numpy().astype(np.float64)
            wrong = ~((probability >= 0) & (probability <= 1))
            if wrong.any():
                row = int(np.argmax(wrong))
                raise InputError(f"{name}: row {row + 1}: probability {probability[row]} is not within 0 to 1")
        user, item = (rows[column].cast(pa.string()).combine_chunks() for column in (c.USER_ID, c.ITEM_ID))
        return cls(user, item, place, probability)

    def judged(self, shown: Impressions) -> tuple[Logged, Model, int]:
        """The rows of a log of users whom the policy knows, a model of their rewards, and how many rows were left out.

        The model is the smoothed mean reward of an item at a place among the other half of the users.
        """
        known = pc.is_in(shown.user, value_set=self.user).to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(known)
        shown = shown.take(rows)
        ids = pc.unique(pa.concat_arrays([shown.item.cast(pa.string()), self.item]))
        log_item, item = (_codes(each, ids) for each in (shown.item, self.item))
        log_user, user = (_codes(each, pc.unique(self.user)) for each in (shown.user, self.user))
        wanted = _keys(user, self.place, item, len(ids))
        order = np.argsort(wanted, kind="stable")
        repeated = np.flatnonzero(np.diff(wanted[order]) == 0)
        if len(repeated):
            row = int(order[repeated[0] + 1])
            raise InputError(f"the policy names user '{self.user[row]}' and item '{self.item[row]}' twice for a place")
        every = bool((self.place == -1).all())
        place = np.full(len(shown), -1) if every else shown.place
        asked = _keys(log_user, place, log_item, len(ids))
        found = np.minimum(np.searchsorted(wanted[order], asked), max(len(order) - 1, 0))
        hit = wanted[order][found] == asked
        target = np.where(hit, self.probability[order][found], 0.0)
        halves = log_user % 2
        reward = _by_item(shown, log_item, halves, len(ids))
        model = Model(
            shown=reward[1 - halves, log_item],
            expected=self._expected(reward, user, item, log_user, place, 1 - halves),
        )
        logged = Logged(shown.reward, shown.propensity, target, log_user, shown.place)
        return logged, model, int((~known).sum())

    def _expected(
        self, reward: Float64, user: Int64, item: Int64, log_user: Int64, log_place: Int64, half: Int64
    ) -> Float64:
        """(n,) mean reward of what the policy would have shown instead, by the model of the other half."""
        mine, owner = _keys(log_user, log_place, 0, 1), _keys(user, self.place, 0, 1)
        keys, place = np.unique(owner, return_inverse=True)
        totals = np.stack([np.bincount(place, self.probability * reward[k, item], len(keys)) for k in (0, 1)])
        found = np.minimum(np.searchsorted(keys, mine), len(keys) - 1)
        return np.where(keys[found] == mine, totals[half, found], 0.0)


def _codes(values: pa.Array, ids: pa.Array) -> Int64:
    codes: Int64 = pc.index_in(values.cast(pa.string()), value_set=ids).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def _keys(user: Int64, place: Int64, item: Int64 | int, items: int) -> Int64:
    """One number for user, place (at most 10,000 of them) and item."""
    return np.asarray((user * 10_001 + place + 1) * items + item, dtype=np.int64)


def _by_item(shown: Impressions, item: Int64, half: Int64, items: int) -> Float64:
    """(2, items) smoothed mean reward of each item among each half of the users."""
    key = half * items + item
    count, earned = (np.bincount(key, each, 2 * items).reshape(2, items) for each in (np.ones(len(key)), shown.reward))
    usual = earned.sum(axis=1, keepdims=True) / np.maximum(count.sum(axis=1, keepdims=True), 1)
    return np.asarray((earned + _PRIOR * usual) / (count + _PRIOR))
