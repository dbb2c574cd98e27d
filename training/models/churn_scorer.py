"""The arithmetic of churn scores: a tag table in, risk out.

Raw log-odds are the mean over members: LightGBM models, some grown from nothing and some from a head start (a logistic
regression on the purchase rhythm, which goes on sensibly where trees have seen no data). The calibrator turns them into
probabilities. A fallback has no members: the regression alone speaks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import expit

from features.contracts import columns as c
from features.contracts.events import Activity, EventType, SignOfLife
from training.models.boosting import contributions, log_odds
from training.models.btyd import Btyd
from training.models.calibration import Calibrator
from training.models.churn_config import ChurnLabel, Population, TierThresholds
from training.models.churn_fallback import Fallback
from training.models.churn_features import (
    ACTIVITY_TAGS,
    LINEAR_NAMES,
    LINEAR_TAGS,
    ORDER_VALUE,
    PURCHASE_DAYS,
    RHYTHM_COLUMNS,
    RHYTHM_TAGS,
    SINCE_PURCHASE,
    ChurnColumns,
    tag_values,
)
from training.models.churn_heads import Head, Horizon, by_horizon
from training.models.churn_scores import ChurnScores, Tier
from training.models.logistic import Logistic
from training.models.reasons import beside, nothing_said, strongest
from training.models.uncertainty import Uncertainty

Float64 = npt.NDArray[np.float64]


def required_tags(tags: tuple[str, ...], event: SignOfLife = EventType.PURCHASE) -> tuple[str, ...]:
    """What a model of ``event`` whose trees read ``tags`` needs of a tag table."""
    return tuple(dict.fromkeys((*tags, *RHYTHM_TAGS, *LINEAR_TAGS, *_population_tags(event))))


def _population_tags(event: SignOfLife) -> tuple[str, str]:
    """Days with the event and days since the last. Other types than these two have no such tags: purchases stand in."""
    return ACTIVITY_TAGS if event is Activity.ANY else (PURCHASE_DAYS, SINCE_PURCHASE)


@dataclass(frozen=True)
class Member:
    """One LightGBM model of the mean."""

    booster: lgb.Booster
    head_start: bool


@dataclass(frozen=True)
class ChurnScorer:
    """What was fitted. Immutable; scoring needs a tag table and nothing else."""

    label: ChurnLabel
    population: Population
    tiers: TierThresholds
    tags: tuple[str, ...]  # that the trees read
    titles: Mapping[str, tuple[str, str]]  # tag -> (English, Chinese)
    tag_spec: str  # hash of the declarations of all required tags
    rhythm: Btyd
    linear: Logistic
    members: tuple[Member, ...]
    calibrator: Calibrator
    uncertainty: Uncertainty
    heads: tuple[Head, ...] = ()  # of further horizons
    fallback: Fallback | None = None  # why this is no more than a simple rule, where it is

    @property
    def required_tags(self) -> tuple[str, ...]:
        """Every tag that :meth:`predict` reads."""
        return required_tags(self.tags, self.label.event)

    def probability(self, tags: pa.Table) -> Float64:
        """(n,) calibrated probability of churn, without intervals and reasons."""
        return self.calibrator.probability(self._raw(self._columns(tags)).mean(axis=0))

    def predict(self, tags: pa.Table, *, reasons: bool = True) -> ChurnScores:
        """Risk of every user of a tag table (as ``build_tags`` gives it); without ``reasons`` nobody has any.

        Raises :class:`InputError` that names a tag which the table lacks.
        """
        columns = self._columns(tags)
        raw = self._raw(columns)
        probability = self.calibrator.probability(raw.mean(axis=0))
        low, high = self.uncertainty.interval(self.calibrator.log_odds(raw.mean(axis=0)), raw)
        tier = np.digitize(probability, [self.tiers.yellow, self.tiers.red])
        index, weight = nothing_said(len(raw[0]))
        value = other = np.full(index.shape, np.nan)
        if reasons:
            parts = self._contributions(columns)
            # Bounds of tiers follow from costs, and may leave even the likeliest to leave blue.
            index, weight = strongest(parts, self.reason_columns, (tier > 0) | (parts.sum(axis=1) > 0))
            value, other = self._told(tags, columns, index)
        order_value = np.nan_to_num(tag_values(tags, (ORDER_VALUE,))[:, 0])
        return ChurnScores(
            user_id=tags[c.USER_ID].to_pylist(),
            probability=probability,
            low=low,
            high=high,
            tier=[(Tier.BLUE, Tier.YELLOW, Tier.RED)[t] for t in tier],
            expected_purchases=columns.expected,
            expected_spend=columns.expected * order_value,
            asked=self.asked(tags),
            reason_columns=self.reason_columns,
            reason_index=index,
            reason_value=value,
            reason_beside=other,
            reason_weight=weight,
            titles=self.titles,
            horizons=self._horizons(tags, Horizon(self.label.horizon_days, probability, low, high)),
        )

    def _horizons(self, tags: pa.Table, own: Horizon) -> tuple[Horizon, ...]:
        columns = [ChurnColumns.of(tags, (), self.rhythm, head.days).linear for head in self.heads]
        return by_horizon(self.heads, columns, own)

    def contributions(self, tags: pa.Table) -> Float64:
        """(n, reason columns) what each tag adds to a user's log-odds, mean over members."""
        return self._contributions(self._columns(tags))

    @property
    def reason_columns(self) -> tuple[str, ...]:
        """What reasons can name: tags, and the rhythm."""
        return tuple(dict.fromkeys((*self.required_tags, *RHYTHM_COLUMNS)))

    def _columns(self, tags: pa.Table) -> ChurnColumns:
        return ChurnColumns.of(tags, self.tags, self.rhythm, self.label.horizon_days)

    def _raw(self, columns: ChurnColumns) -> Float64:
        """(m, n) log-odds by member, before calibration."""
        start = self.linear.log_odds(columns.linear)
        if not self.members:
            return start[None, :]
        return np.stack([log_odds(m.booster, columns.trees) + m.head_start * start for m in self.members])

    def _contributions(self, columns: ChurnColumns) -> Float64:
        """(n, reason columns) of the raw log-odds, mean over members."""
        position = {name: index for index, name in enumerate(self.reason_columns)}
        total = np.zeros((len(columns.trees), len(position)))
        of_trees = [position[name] for name in columns.names]
        for member in self.members:
            total[:, of_trees] += contributions(member.booster, columns.trees)
        started = sum(member.head_start for member in self.members) if self.members else 1
        if started:
            for name, part in zip(LINEAR_NAMES, self.linear.parts(columns.linear).T, strict=True):
                total[:, position[name]] += started * part
        return total / max(1, len(self.members))

    def _reason_values(self, tags: pa.Table, columns: ChurnColumns) -> Float64:
        """(n, reason columns) what reasons show: tags as they are, the rhythm as probability and purchase days."""
        rhythm = columns.trees[:, -len(RHYTHM_COLUMNS) :].astype(np.float64)
        rhythm[:, ::2] = expit(rhythm[:, ::2])  # log-odds stand before purchase days
        return np.column_stack([tag_values(tags, self.required_tags), rhythm])

    def _told(self, tags: pa.Table, columns: ChurnColumns, index: npt.NDArray[np.int16]) -> tuple[Float64, Float64]:
        """(n, 3) the values that reasons show, and those that are told beside them."""
        values = self._reason_values(tags, columns)
        other = beside(self.reason_columns)[index]
        shown, partner = (np.take_along_axis(values, np.maximum(of, 0), axis=1) for of in (index, other))
        return shown, np.where((index >= 0) & (other >= 0), partner, np.nan)

    def asked(self, tags: pa.Table) -> npt.NDArray[np.bool_]:
        """Who belongs to the population. Tags count days with the event, so they stand for the events of the rule."""
        days, since = tag_values(tags, _population_tags(self.label.event)).T
        asked = days >= self.population.min_events
        if self.population.active_within is not None:
            asked &= since <= self.population.active_within / timedelta(days=1)
        return np.asarray(asked, dtype=np.bool_)
