"""Would another model give the same reasons? Measured, since people act on them.

The model is grown again with other seeds from the same snapshots, and once without the newest ones, as it was a while
ago. All three are asked about the same users, and their strongest concepts are compared.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.contracts.progress import step
from training.evaluation.agreement import top_overlap
from training.models.churn import ChurnModel
from training.models.reasons import concepts_of
from training.pipelines.churn import FittedChurn
from training.pipelines.churn_choices import Shape, fit_members
from training.pipelines.churn_data import Rows, rows_of

#: Added to the seed; members of one fit lie 1,000 apart.
_OTHER_SEED = 500
#: How many days of snapshots the model of a while ago lacks.
_AGO_DAYS = 30


@dataclass(frozen=True)
class Stability:
    """Overlap of the three strongest concepts, 0 to 1, mean over users."""

    users: int
    seeds: float  # between two models that differ by seed
    months: float | None  # between two that differ by a month of snapshots; None when the history is too short


def reason_stability(fitted: FittedChurn) -> Stability:
    """How stable the reasons of a fitted model are, on the users that it keeps as examples.

    A fallback draws nothing by chance: another seed gives the same.
    """
    config, model, shape = fitted.config, fitted.model, fitted.shape
    if shape is None:
        return Stability(len(fitted.examples), 1.0, None)
    rows = [rows_of(s, model.tags, config.label.horizon_days, fitted.history) for s in fitted.snapshots]
    newest = fitted.snapshots[0].as_of
    older = [part for part, s in zip(rows, fitted.snapshots, strict=True) if (newest - s.as_of).days >= _AGO_DAYS]
    now = _concepts(model, fitted.examples)
    with step("measuring how stable reasons are"):
        reseeded = _concepts(_again(fitted, shape, rows, config.seed + _OTHER_SEED), fitted.examples)
        enough = len(older) >= 2 and not all(part.one_class for part in older)
        before = _concepts(_again(fitted, shape, older, config.seed), fitted.examples) if enough else None
    return Stability(len(now), top_overlap(now, reseeded), None if before is None else top_overlap(now, before))


def _again(fitted: FittedChurn, shape: Shape, rows: list[Rows], seed: int) -> ChurnModel:
    members = fit_members(rows, shape, fitted.config.model_copy(update={"seed": seed}))
    return replace(fitted.model, linear=members.linear, members=members.members)


def _concepts(model: ChurnModel, users: pa.Table) -> npt.NDArray[np.int64]:
    """(n, 3) the concepts of each user's reasons, -1 for none."""
    index = model.predict(users).reason_index
    _, member = concepts_of(model.reason_columns)
    return np.where(index >= 0, member[np.maximum(index, 0)], -1)
