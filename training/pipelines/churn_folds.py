"""Validation inside the past: fit on older snapshots, judge on a later one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from training.pipelines.churn_data import Rows
from training.pipelines.snapshots import Snapshot


class Separation(StrEnum):
    """How far a fold keeps what is fitted from what is judged, best first."""

    CLOSED = "closed"  # every label window of the fit closes before the judged snapshot, as in real use
    OVERLAPPING = "overlapping"  # older snapshots, but their label windows overlap
    BY_USER = "by_user"  # one snapshot only: other users of the same time


@dataclass(frozen=True)
class ChurnFold:
    """Positions in the list of snapshots (newest first), and the rows that they stand for."""

    separation: Separation
    fit_on: tuple[int, ...]
    judged: int
    fit: tuple[Rows, ...]
    valid: Rows
    valid_users: npt.NDArray[np.int64]  # (len(valid),) positions of the judged users in their snapshot


def closed_fold(
    snapshots: Sequence[Snapshot], rows: Sequence[Rows], judged: int, horizon: timedelta
) -> ChurnFold | None:
    """Fit on all snapshots whose labels were known at ``judged``; ``None`` when they hold one class or none."""
    fit_on = tuple(
        i for i in range(judged + 1, len(snapshots)) if snapshots[i].as_of + horizon <= snapshots[judged].as_of
    )
    return _fold(Separation.CLOSED, rows, fit_on, judged)


def validation_folds(snapshots: Sequence[Snapshot], rows: Sequence[Rows], horizon: timedelta) -> list[ChurnFold]:
    """One or two folds, the newest first. The second is judged half a horizon earlier, so its labels differ."""
    newest = closed_fold(snapshots, rows, 0, horizon)
    if newest is None:
        newest = _fold(Separation.OVERLAPPING, rows, tuple(range(1, len(rows))), 0)
        return [newest if newest is not None else _by_user(rows[0])]
    earlier = next((i for i, s in enumerate(snapshots) if s.as_of <= snapshots[0].as_of - horizon / 2), None)
    second = None if earlier is None else closed_fold(snapshots, rows, earlier, horizon)
    return [newest] if second is None else [newest, second]


def rehearsal_folds(
    snapshots: Sequence[Snapshot], rows: Sequence[Rows], horizon: timedelta
) -> tuple[ChurnFold, ChurnFold] | None:
    """Two folds in a row, as if the newest snapshot were the cut-off: the older calibrates, the newer judges."""
    newest = closed_fold(snapshots, rows, 0, horizon)
    if newest is None:
        return None
    calibrating = closed_fold(snapshots, rows, newest.fit_on[0], horizon)
    return None if calibrating is None else (newest, calibrating)


def _fold(separation: Separation, rows: Sequence[Rows], fit_on: tuple[int, ...], judged: int) -> ChurnFold | None:
    fit = tuple(rows[i] for i in fit_on)
    labels = [part.label for part in fit]
    if not labels or rows[judged].one_class or len(np.unique(np.concatenate(labels))) < 2:
        return None
    return ChurnFold(separation, fit_on, judged, fit, rows[judged], np.arange(len(rows[judged])))


def _by_user(rows: Rows) -> ChurnFold:
    odd, even = np.arange(1, len(rows), 2), np.arange(0, len(rows), 2)
    return ChurnFold(Separation.BY_USER, (0,), 0, (rows.take(odd),), rows.take(even), even)
