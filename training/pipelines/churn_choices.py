"""The choices of a churn model, each made by log-loss on validation folds inside the past."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.special import expit

from features.contracts.progress import track
from training.evaluation.probability import log_loss
from training.models.boosting import Recipe, grow, log_odds
from training.models.calibration import Calibrator, Kind, base_rate_shift
from training.models.churn_config import ChurnConfig
from training.models.churn_features import direction
from training.models.churn_scorer import Member
from training.models.logistic import Logistic
from training.models.uncertainty import Uncertainty
from training.pipelines.churn_data import Rows, stack
from training.pipelines.churn_folds import ChurnFold

Float64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]

#: A more elaborate way to calibrate must lower the log-loss by this much (nats), and by more than its standard error.
_WORTH_IT = 5e-4


class Start(StrEnum):
    """Where trees start from."""

    NOTHING = "nothing"
    RHYTHM = "rhythm"
    BOTH = "both"  # the mean of the two


_HEAD_STARTS = {Start.NOTHING: (False,), Start.RHYTHM: (True,), Start.BOTH: (False, True)}


@dataclass(frozen=True)
class Shape:
    """What the validation folds decide about the trees."""

    start: Start
    leaves: int
    rounds: int


@dataclass(frozen=True)
class Fitted:
    """Uncalibrated models fitted on one set of rows."""

    linear: Logistic
    members: tuple[Member, ...]

    def raw(self, rows: Rows) -> Float64:
        """(n,) mean log-odds."""
        start = self.linear.log_odds(rows.columns.linear)
        return np.asarray(
            np.mean([log_odds(m.booster, rows.columns.trees) + m.head_start * start for m in self.members], axis=0)
        )


@dataclass(frozen=True)
class Held:
    """Predictions for users of a validation fold, by models that had not seen them."""

    raw: Float64
    label: Labels


def choose_shape(folds: Sequence[ChurnFold], config: ChurnConfig) -> tuple[Shape, float, list[Held]]:
    """The shape with the least mean log-loss over folds (of equals the first), that loss, and its predictions."""
    raw: dict[Shape, list[Float64]] = {}
    for fold, leaves in track(list(product(folds, config.boosting.leaves)), "choosing the churn model", unit="fits"):
        data = stack(fold.fit, config.snapshots.rows)
        linear = Logistic.fit(data.columns.linear, data.label)
        by_start: dict[tuple[bool, int], Float64] = {}
        for head_start in (False, True):
            booster = _grow(data, linear, leaves, config.boosting.rounds[-1], head_start, config, config.seed)
            start = head_start * linear.log_odds(fold.valid.columns.linear)
            for rounds in config.boosting.rounds:
                by_start[head_start, rounds] = start + log_odds(booster, fold.valid.columns.trees, rounds)
        for start_from, rounds in product(Start, config.boosting.rounds):
            mean = np.mean([by_start[head_start, rounds] for head_start in _HEAD_STARTS[start_from]], axis=0)
            raw.setdefault(Shape(start_from, leaves, rounds), []).append(mean)
    held = {
        shape: [Held(odds, fold.valid.label) for odds, fold in zip(values, folds, strict=True)]
        for shape, values in raw.items()
    }
    losses = {shape: float(np.mean([log_loss(h.label, expit(h.raw)) for h in of])) for shape, of in held.items()}
    best = min(losses, key=lambda shape: losses[shape])
    return best, losses[best], held[best]


def fit_members(parts: Sequence[Rows], shape: Shape, config: ChurnConfig) -> Fitted:
    """All members of a shape, fitted on ``parts``."""
    data = stack(parts, config.snapshots.rows)
    linear = Logistic.fit(data.columns.linear, data.label)
    members = []
    for number, head_start in product(range(config.boosting.members), _HEAD_STARTS[shape.start]):
        seed = config.seed + 1000 * number + head_start
        members.append(Member(_grow(data, linear, shape.leaves, shape.rounds, head_start, config, seed), head_start))
    return Fitted(linear, tuple(members))


class Newest(StrEnum):
    """What the snapshots that are nearest to the cut-off are for."""

    IN_THE_FIT = "in_the_fit"  # the calibrator comes from models fitted on older snapshots
    CALIBRATION_ONLY = "calibration_only"  # the model never sees them


@dataclass(frozen=True)
class Calibration:
    """How the model is calibrated, and the log-loss of every way that was tried."""

    kind: Kind
    newest: Newest
    losses: dict[str, float]

    def calibrator(self, held: Sequence[Held]) -> Calibrator:
        """Learnt on held predictions: of all folds, or of the newest when the final model is the one that made them."""
        return Calibrator.fit(self.kind, *_together(held if self.newest is Newest.IN_THE_FIT else held[:1]))


def rehearse(judged: ChurnFold, calibrating: ChurnFold, shape: Shape, config: ChurnConfig) -> Calibration:
    """Choose as if the newest snapshot were the cut-off: fit and calibrate with what was known then, judge on it.

    A calibrator is trusted only when what it learnt still helped a full horizon later.
    """
    older, newer = (fit_members(fold.fit, shape, config) for fold in (calibrating, judged))
    learn = Held(older.raw(calibrating.valid), calibrating.valid.label)
    models = {Newest.IN_THE_FIT: newer, Newest.CALIBRATION_ONLY: older}
    held = {newest: Held(model.raw(judged.valid), judged.valid.label) for newest, model in models.items()}
    return _simplest({(newest, kind): _losses(kind, learn, held[newest]) for newest, kind in product(Newest, Kind)})


def calibrate_between(held: Sequence[Held]) -> Calibration:
    """Choose where history is too short for a rehearsal. The newest snapshots are in the fit.

    With two folds every kind is learnt on the earlier and judged on the later one. With one fold it is learnt on half
    of the users and judged on the others, both ways.
    """
    trials = _trials(held)
    return _simplest(
        {
            (Newest.IN_THE_FIT, kind): np.concatenate([_losses(kind, learn, judge) for learn, judge in trials])
            for kind in Kind
        }
    )


def _simplest(losses: dict[tuple[Newest, Kind], Float64]) -> Calibration:
    """The first of which no later one is worth its while, by the loss of each user."""
    chosen = next(iter(losses))
    for option, loss in losses.items():
        gain = losses[chosen] - loss
        if gain.mean() > max(_WORTH_IT, gain.std() / np.sqrt(len(gain))):
            chosen = option
    newest, kind = chosen
    return Calibration(kind, newest, {f"{n}/{k}": float(loss.mean()) for (n, k), loss in losses.items()})


def level(calibrator: Calibrator, newest: Held) -> float:
    """By how much ``calibrator`` moves the base rate of the newest predictions, in log-odds."""
    before, after = (base_rate_shift(odds, newest.label) for odds in (newest.raw, calibrator.log_odds(newest.raw)))
    return before - after


def uncertainty(held: Sequence[Held], kind: Kind, drift: float | None) -> Uncertainty:
    """Errors of calibration from all held predictions, and ``drift``, the unforeseen moves of the base rate.

    Where no move was seen (``None``) those between the folds must do.
    """
    return Uncertainty.fit(*_together(held), drift=_moves(held, kind) if drift is None else drift)


def _moves(held: Sequence[Held], kind: Kind) -> float:
    """Root mean square of what each fold's base rate was off, calibrated by the others."""
    if len(held) > 1:
        others = [_together([o for o in held if o is not one]) for one in held]
        calibrated = [Calibrator.fit(kind, *other).log_odds(one.raw) for one, other in zip(held, others, strict=True)]
    else:
        calibrated = [held[0].raw]
    shifts = [base_rate_shift(odds, one.label) for odds, one in zip(calibrated, held, strict=True)]
    return float(np.sqrt(np.mean(np.square(shifts))))


def _grow(
    data: Rows, linear: Logistic, leaves: int, rounds: int, head_start: bool, config: ChurnConfig, seed: int
) -> lgb.Booster:
    recipe = Recipe(
        leaves=leaves,
        rounds=rounds,
        learning_rate=config.boosting.learning_rate,
        threads=config.boosting.threads,
        directions=tuple(direction(name) for name in data.columns.names),
    )
    start = linear.log_odds(data.columns.linear) if head_start else None
    return grow(data.columns.trees, data.label, start, recipe, seed)


def _trials(held: Sequence[Held]) -> list[tuple[Held, Held]]:
    if len(held) > 1:
        return [(held[1], held[0])]
    one = held[0]
    odd = np.arange(len(one.label)) % 2 == 1
    halves = Held(one.raw[odd], one.label[odd]), Held(one.raw[~odd], one.label[~odd])
    return [halves, halves[::-1]]


def _losses(kind: Kind, learn: Held, judge: Held) -> Float64:
    """(n,) of the shape alone: the level moves with time and is set right for every kind alike (see ``base_rate``)."""
    odds = Calibrator.fit(kind, learn.raw, learn.label).log_odds(judge.raw)
    odds = odds + base_rate_shift(odds, judge.label)
    return np.asarray(np.logaddexp(0.0, odds) - judge.label * odds, dtype=np.float64)


def _together(held: Sequence[Held]) -> tuple[Float64, Labels]:
    return np.concatenate([h.raw for h in held]), np.concatenate([h.label for h in held])
