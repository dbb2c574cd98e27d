"""Past moments with what users did next, for learning to foretell spend. A window teaches only when it has closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from features.contracts.errors import NotEnoughDataError
from features.contracts.events import EventType
from features.contracts.progress import track
from features.engine import EventTables
from training.models.churn_baselines import CustomerSummary
from training.models.churn_config import ChurnConfig, ChurnLabel
from training.models.gamma_gamma import GammaGamma
from training.models.value_config import ValueConfig
from training.models.value_features import ValueColumns
from training.pipelines.btyd_summary import event_span
from training.pipelines.outcomes import Outcome, outcome
from training.pipelines.snapshots import Described, describe, plan_snapshots
from training.pipelines.thinning import spread

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]

#: Rows with a purchase, and without, that a window must hold to teach anything.
LEAST_OF_EACH = 50


@dataclass(frozen=True)
class Past:
    """The users of one past moment and what is known of their time since."""

    described: Described
    money: GammaGamma  # fitted at that moment
    closed: tuple[int, ...]  # windows (days) that had closed by the cut-off, ascending
    outcome: Outcome  # columns of ``spend`` as in ``closed``

    @property
    def as_of(self) -> datetime:
        return self.described.as_of

    def spend(self, days: int) -> Float64:
        """(n,) what was spent within a closed window."""
        return self.outcome.spend[:, self.closed.index(days)]

    def bought(self, days: int) -> Bool:
        """(n,) whether anything was bought within a closed window."""
        return np.asarray(self.outcome.next_purchase < days)

    def columns(self, tags: Sequence[str]) -> ValueColumns:
        """What the model reads of these users, BG/NBD and Gamma-Gamma as fitted then."""
        return ValueColumns.of(self.described.tags, tags, self.described.rhythm.bg_nbd, self.money)


def population(config: ValueConfig) -> ChurnConfig:
    """The same people as churn asks about, by purchases."""
    label = ChurnLabel(event=EventType.PURCHASE, horizon=timedelta(days=config.horizons[0]))
    return ChurnConfig(label=label, population=config.population, snapshots=config.snapshots)


def money_of(summary: CustomerSummary) -> GammaGamma:
    """Gamma-Gamma of these customers; a day with several purchases counts once."""
    days = summary.history.frequency + 1.0
    return GammaGamma.fit(days, summary.spend / days)


def past_of(
    tables: EventTables, cutoff: datetime, tags: Sequence[str], config: ValueConfig, taken: Sequence[Past] = ()
) -> list[Past]:
    """Every moment that may teach a model as of ``cutoff``, newest first.

    What was ``taken`` for an earlier cut-off, with these tags at least, is used again where no further window has
    closed since. Raises :class:`NotEnoughDataError` that says what is missing.
    """
    moments = _moments(tables, cutoff, config)
    known = {(past.as_of, past.closed): past for past in taken}
    # Thinning starts above twice the fair share: rows are cut again, to the number in use, when models are fitted.
    most = max(1, 2 * config.snapshots.rows // len(moments))
    found = []
    for moment in track(moments, "taking value snapshots", unit="snapshots"):
        closed = tuple(days for days in config.knots if moment + timedelta(days=days) <= cutoff)
        past = known.get((moment, closed)) or _take(tables, moment, tags, config, closed, cutoff, most)
        if len(past.described):
            found.append(past)
    if not any(float(past.outcome.spend.sum()) > 0 for past in found):
        raise NotEnoughDataError(
            f"no purchase before {cutoff.isoformat()} within a closed window has an amount; value cannot be learnt "
            "from purchases without amounts"
        )
    return found


def _take(
    tables: EventTables,
    moment: datetime,
    tags: Sequence[str],
    config: ValueConfig,
    closed: tuple[int, ...],
    cutoff: datetime,
    most: int,
) -> Past:
    users = describe(tables, moment, tags, population(config), most=most)
    done = outcome(tables, users.known.user_id, moment, closed, cutoff)
    return Past(users, money_of(users.known.summary), closed, done)


def _moments(tables: EventTables, cutoff: datetime, config: ValueConfig) -> list[datetime]:
    span = event_span(tables, EventType.PURCHASE, cutoff)
    if span is None:
        raise NotEnoughDataError(f"there is no purchase before {cutoff.isoformat()}; value cannot be learnt")
    plans = [
        plan
        for days in config.horizons
        if (plan := plan_snapshots(span[0], cutoff, timedelta(days=days), config.snapshots.most))
    ]
    if not plans:
        raise NotEnoughDataError(
            f"history is too short: the first purchase before {cutoff.isoformat()} is at {span[0].isoformat()}; to "
            f"learn from a closed window of {config.horizons[0]} days it must reach back one and a half of it at least"
        )
    each = max(2, config.snapshots.most // len(plans))
    return sorted({moment for plan in plans for moment in plan[:each]}, reverse=True)


@dataclass(frozen=True)
class Taught:
    """The rows that teach one window."""

    columns: npt.NDArray[np.float32]  # (n, f)
    bought: Bool
    spend: Float64  # 0 for a knot that is no window of spend as well
    rhythm_spend: Float64
    rhythm_silent: Float64  # probability of no purchase by the rhythm alone

    def __len__(self) -> int:
        return len(self.bought)

    @property
    def one_sided(self) -> bool:
        """Too few of those who bought, or of those who did not."""
        return min(int(self.bought.sum()), int((~self.bought).sum())) < LEAST_OF_EACH


def stack(parts: Sequence[tuple[Past, ValueColumns]], days: int, most: int, rows: Int64 | None = None) -> Taught:
    """Users of ``parts`` for the window of ``days`` thinned to ``most``; ``rows`` picks some of a single part."""
    share = min(1.0, most / max(1, sum(len(columns) for _, columns in parts)))
    trees, bought, spend, rhythm, silent = [], [], [], [], []
    for turn, (past, columns) in enumerate(parts):
        taken = rows if rows is not None else np.arange(len(columns))
        taken = taken[spread(len(taken), max(1, int(len(taken) * share)), turn)]
        trees.append(columns.trees[taken])
        bought.append(past.bought(days)[taken])
        spend.append(past.spend(days)[taken])
        rhythm.append(columns.rhythm_spend(days)[taken])
        silent.append(columns.rhythm.no_purchase(columns.history, days)[taken])
    return Taught(
        columns=np.concatenate(trees),
        bought=np.concatenate(bought),
        spend=np.concatenate(spend),
        rhythm_spend=np.concatenate(rhythm),
        rhythm_silent=np.concatenate(silent),
    )


@dataclass(frozen=True)
class ValueFold:
    """Where one window is judged inside the past: on a part's users, by what was learnt from earlier parts."""

    separation: str
    fit_on: tuple[int, ...]
    judged: int
    fit_rows: Int64 | None = None  # some users of the single part, where there is but one
    judged_rows: Int64 | None = None


def folds_of(parts: Sequence[Past], days: int) -> list[ValueFold]:
    """One or two folds for the window of ``days``, newest first; empty when no part has seen it close.

    Best is a fit whose labels were all known at the judged moment; else older parts with windows that overlap; with a
    single part other users of the same moment.
    """
    seen = [place for place, past in enumerate(parts) if days in past.closed]
    folds: list[ValueFold] = []
    for judged in seen:
        before = parts[judged].as_of - timedelta(days=days)
        fit_on = tuple(place for place in seen if parts[place].as_of <= before)
        if fit_on and (not folds or parts[judged].as_of <= parts[folds[0].judged].as_of - timedelta(days=days / 2)):
            folds.append(ValueFold("closed", fit_on, judged))
        if len(folds) == 2:
            return folds
    if folds or not seen:
        return folds
    if len(seen) > 1:
        return [ValueFold("overlapping", tuple(seen[1:]), seen[0])]
    count = len(parts[seen[0]].described)
    return [ValueFold("by_user", (seen[0],), seen[0], np.arange(1, count, 2), np.arange(0, count, 2))]
