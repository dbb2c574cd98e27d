"""The choices of a value model, each made on later users than it was fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.special import expit

from training.evaluation.probability import log_loss
from training.evaluation.spend import deviance
from training.models.boosting import Objective, Recipe, grow, log_odds
from training.models.value import Opinion
from training.models.value_config import ValueConfig
from training.models.value_features import ValueColumns, direction
from training.pipelines.value_data import Past, Taught, folds_of, stack

Float64 = npt.NDArray[np.float64]

#: Buyers whose spend teaches the amount of a purchase, at least.
_LEAST_BUYERS = 100


@dataclass(frozen=True)
class Shape:
    """What the folds decide about one window, with the figures that decided."""

    days: int
    buying_rounds: int
    amount_rounds: int  # 0: the amounts could not be learnt, or it is no window of spend
    opinion: Opinion
    losses: dict[str, float]  # mean deviance of each opinion on spend; log-loss of each on buying under "buying."


@dataclass(frozen=True)
class Parts:
    """The past and what the models read of it, aligned, newest first."""

    past: Sequence[Past]
    columns: Sequence[ValueColumns]

    def of(self, places: Sequence[int]) -> list[tuple[Past, ValueColumns]]:
        return [(self.past[place], self.columns[place]) for place in places]


def choose(parts: Parts, days: int, config: ValueConfig) -> Shape | None:
    """Rounds and opinion for one window; ``None`` when the past cannot teach it."""
    folds = folds_of(parts.past, days)
    buying: dict[tuple[Opinion, int], list[float]] = {}
    spending: dict[tuple[Opinion, int], list[float]] = {}
    for fold in folds:
        fit = stack(parts.of(fold.fit_on), days, config.snapshots.rows, fold.fit_rows)
        judged = stack(parts.of((fold.judged,)), days, config.snapshots.rows, fold.judged_rows)
        if fit.one_sided or judged.one_sided:
            continue
        names = parts.columns[0].names
        probabilities = _judge_buying(fit, judged, names, days, config, buying)
        if days in config.horizons and judged.spend.sum() > 0:
            _judge_spending(fit, judged, probabilities, names, config, spending)
    if not buying:
        return None
    losses = {f"buying.{who}/{rounds}": float(np.mean(each)) for (who, rounds), each in buying.items()}
    losses |= {f"{who}/{rounds}": float(np.mean(each)) for (who, rounds), each in spending.items()}
    buy = min((key for key in buying if key[0] is Opinion.TREES), key=lambda key: float(np.mean(buying[key])))
    opinion, amount = Opinion.RHYTHM, 0
    if spending:
        opinion, amount = min(spending, key=lambda key: float(np.mean(spending[key])))
    return Shape(days, buy[1], amount, opinion, losses)


def choose_curve(shapes: Sequence[Shape]) -> Opinion:
    """Whether trees bend BG/NBD's curve of the next purchase: by mean log-loss over the days that both foretell."""
    rhythm = [shape.losses[f"buying.{Opinion.RHYTHM}/0"] for shape in shapes]
    trees = [shape.losses[f"buying.{Opinion.TREES}/{shape.buying_rounds}"] for shape in shapes]
    return Opinion.TREES if shapes and float(np.mean(trees)) < float(np.mean(rhythm)) else Opinion.RHYTHM


def fit_buying(data: Taught, names: Sequence[str], rounds: int, config: ValueConfig, days: int) -> lgb.Booster:
    """Log-odds of a purchase within ``days``."""
    recipe = _recipe(names, rounds, Objective.PROBABILITY, config)
    return grow(data.columns, data.bought, None, recipe, config.seed + days)


def fit_amount(data: Taught, names: Sequence[str], rounds: int, config: ValueConfig, days: int) -> lgb.Booster | None:
    """Logarithm of the spend of those who spend anything; ``None`` where they are too few to learn from."""
    rows = data.spend > 0
    if int(rows.sum()) < _LEAST_BUYERS or not rounds:
        return None
    recipe = _recipe(names, rounds, Objective.POSITIVE, config)
    return grow(data.columns[rows], data.spend[rows], None, recipe, config.seed + 1000 + days)


def level(data: Taught) -> float:
    """What BG/NBD's spend must be multiplied by to have the sum that was spent."""
    foretold = float(data.rhythm_spend.sum())
    return float(data.spend.sum()) / foretold if foretold > 0 else 1.0


def _judge_buying(
    fit: Taught,
    judged: Taught,
    names: Sequence[str],
    days: int,
    config: ValueConfig,
    losses: dict[tuple[Opinion, int], list[float]],
) -> Float64:
    """Add the log-loss of every opinion on who buys; the best trees' probabilities on this fold."""
    losses.setdefault((Opinion.RHYTHM, 0), []).append(log_loss(judged.bought, 1.0 - judged.rhythm_silent))
    booster = fit_buying(fit, names, config.boosting.rounds[-1], config, days)
    best, found = np.inf, 1.0 - judged.rhythm_silent
    for rounds in config.boosting.rounds:
        probability = expit(log_odds(booster, judged.columns, rounds))
        loss = log_loss(judged.bought, probability)
        losses.setdefault((Opinion.TREES, rounds), []).append(loss)
        if loss < best:
            best, found = loss, probability
    return found


def _judge_spending(
    fit: Taught,
    judged: Taught,
    probability: Float64,
    names: Sequence[str],
    config: ValueConfig,
    losses: dict[tuple[Opinion, int], list[float]],
) -> None:
    rhythm = level(fit) * judged.rhythm_spend
    losses.setdefault((Opinion.RHYTHM, 0), []).append(deviance(judged.spend, rhythm))
    booster = fit_amount(fit, names, config.boosting.rounds[-1], config, 0)
    if booster is None:
        return
    for rounds in config.boosting.rounds:
        trees = probability * np.exp(log_odds(booster, judged.columns, rounds))
        losses.setdefault((Opinion.TREES, rounds), []).append(deviance(judged.spend, trees))
        losses.setdefault((Opinion.BOTH, rounds), []).append(deviance(judged.spend, (trees + rhythm) / 2))


def _recipe(names: Sequence[str], rounds: int, objective: Objective, config: ValueConfig) -> Recipe:
    return Recipe(
        leaves=config.boosting.leaves[0],
        rounds=rounds,
        learning_rate=config.boosting.learning_rate,
        threads=config.boosting.threads,
        directions=tuple(direction(name) if objective is Objective.PROBABILITY else 0 for name in names),
        objective=objective,
    )
