"""The base rate of the coming window: what the season, or the drift of the last months, adds to it.

A model knows the snapshots whose windows have closed. The window it foretells lies later, in another season. How far
base rates move unforeseen can be seen in the past: at every older moment a small probe (the logistic regression that
the trees start from) is fitted to what had closed by then, and misses the base rate by some log-odds. The miss of the
coming window is foretold from these: where the log reaches so far back from that of the same window last year, less
what the probes missed in the months around it (a mall that grows or ages misses all year), else from the newest one;
each times the share of it that came again in the past.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

import numpy as np

from features.engine import EventTables
from training.models.calibration import base_rate_shift
from training.models.churn import required_tags
from training.models.churn_config import ChurnConfig, ChurnLabel
from training.models.logistic import Logistic
from training.pipelines.churn_data import rows_of, stack
from training.pipelines.snapshots import Snapshot, history_days, take_snapshots

#: Whole weeks, so that weekdays meet weekdays.
YEAR: Final = timedelta(weeks=52)

#: Moments that are looked at, half a horizon apart: before the newest that has closed, and around a year ago.
_RECENT: Final = 9
_AROUND: Final = range(-12, 5)
#: The nearest on either side, within a quarter, that a season stands out from.
_NEAR: Final = 3
_QUARTER: Final = timedelta(weeks=13)
#: Moments that a probe is fitted on, up to three horizons old as those of the model are, and their rows.
_FIT: Final = 5
_ROWS: Final = 40_000
#: Squared log-odds of misses that must have been seen before what is learnt of them outweighs what is supposed.
_PRIOR: Final = 0.1
#: Supposed share that comes again: half of last year's miss, nothing of the newest.
_SUPPOSED_OF_LAST_YEAR: Final = 0.5
_SUPPOSED_OF_NEWEST: Final = 0.0
#: Horizons that pairs of misses must span: windows of one horizon share most of their days.
_LEAST_SPAN: Final = 2


class Evidence(StrEnum):
    """What the base rate of the coming window is foretold from."""

    LAST_YEAR = "last_year"
    DRIFT = "drift"
    NONE = "none"


@dataclass(frozen=True)
class Outlook:
    """The base rate of the coming window, against what the snapshots taught."""

    evidence: Evidence
    shift: float = 0.0  # to be added to all log-odds
    share: float = 0.0  # of the miss it is foretold from
    error: float | None = None  # root mean square of what was still missed in the past; None: nothing was seen

    def document(self) -> dict[str, Any]:
        return vars(self) | {"evidence": str(self.evidence)}


@dataclass(frozen=True)
class Past:
    """Snapshots, in any order, that base rates are compared in; ``history``: days of log before the oldest of them."""

    snapshots: Sequence[Snapshot]
    history: float

    @classmethod
    def of(cls, tables: EventTables, cutoff: datetime, snapshots: Sequence[Snapshot], config: ChurnConfig) -> Self:
        """Every moment to look at that has a horizon of history; ``snapshots`` are used again where they stand at one.

        Of the others only the few tags that a probe reads are built.
        """
        label = config.label
        begin = cutoff - timedelta(days=history_days(tables, label.event, cutoff)) + label.horizon
        moments = {cutoff - label.closes - step * label.horizon / 2 for step in range(_RECENT)}
        moments |= {cutoff - YEAR + step * label.horizon / 2 for step in _AROUND}
        wanted = sorted((m for m in moments if begin <= m <= cutoff - label.closes), reverse=True)
        taken = take_snapshots(tables, wanted, cutoff, required_tags((), label.event), config, snapshots)
        oldest = min((snapshot.as_of for snapshot in taken), default=cutoff)
        return cls(taken, history_days(tables, label.event, oldest))

    def outlook(self, cutoff: datetime, label: ChurnLabel) -> Outlook:
        """Of the window of ``label``, which is that of the snapshots, after ``cutoff``."""
        missed = self._missed(cutoff, label)
        season = {m + YEAR: of_season for m in missed if (of_season := _season(missed, m, label.closes)) is not None}
        if cutoff in season:
            share, error = _share([(season[m], missed[m]) for m in missed if m in season], _SUPPOSED_OF_LAST_YEAR)
            return Outlook(Evidence.LAST_YEAR, share * season[cutoff], share, error)
        newest = {
            m: missed[known] for m in (*missed, cutoff) if (known := _newest(missed, m, label.closes)) is not None
        }
        if cutoff not in newest or max(missed) - min(missed) < _LEAST_SPAN * label.closes:
            return Outlook(Evidence.NONE)
        share, error = _share([(newest[m], missed[m]) for m in missed if m in newest], _SUPPOSED_OF_NEWEST)
        return Outlook(Evidence.DRIFT, share * newest[cutoff], share, error)

    def _missed(self, cutoff: datetime, label: ChurnLabel) -> dict[datetime, float]:
        """By moment: what had to be added to log-odds learnt from the newest snapshots that had closed by then."""
        told = [
            (snapshot.as_of, rows_of(snapshot, (), label.horizon_days, self.history))
            for snapshot in sorted(self.snapshots, key=lambda snapshot: snapshot.as_of, reverse=True)
            if snapshot.as_of + label.closes <= cutoff
        ]
        found = {}
        for moment, rows in told:
            past = [older for when, older in told if when + label.closes <= moment][:_FIT]
            if not past or rows.one_class:
                continue
            data = stack(past, _ROWS)
            if not data.one_class:
                probe = Logistic.fit(data.columns.linear, data.label)
                found[moment] = base_rate_shift(probe.log_odds(rows.columns.linear), rows.label)
        return found


def _newest(missed: Mapping[datetime, float], moment: datetime, closes: timedelta) -> datetime | None:
    """The last moment whose miss was known at ``moment``, unless it is more than a horizon out of date."""
    known = [other for other in missed if moment - 2 * closes <= other <= moment - closes]
    return max(known, default=None)


def _season(missed: Mapping[datetime, float], moment: datetime, closes: timedelta) -> float | None:
    """The miss of ``moment`` less the mean of those before and after it whose windows do not touch its own.

    None where one of them is missing: the first months of a log are like no others.
    """
    off = sorted((abs(other - moment), other) for other in missed)
    near = [other for apart, other in off if closes <= apart <= closes + _QUARTER]
    before = [missed[other] for other in near if other < moment][:_NEAR]
    after = [missed[other] for other in near if other > moment][:_NEAR]
    if moment not in missed or min(len(before), len(after)) < _NEAR:
        return None
    return missed[moment] - float(np.mean(before) + np.mean(after)) / 2


def _share(pairs: Sequence[tuple[float, float]], supposed: float) -> tuple[float, float | None]:
    """The share of the first that comes again in the second: ridge regression through the origin, within 0 and 1.

    With it, what was still missed, root mean square.
    """
    if not pairs:
        return supposed, None
    first, second = np.array(pairs).T
    share = float(np.clip((first @ second + _PRIOR * supposed) / (first @ first + _PRIOR), 0.0, 1.0))
    return share, float(np.sqrt(np.mean((second - share * first) ** 2)))
