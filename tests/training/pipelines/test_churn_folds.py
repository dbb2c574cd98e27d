from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from tests.training.pipelines.cdnow import CUTOFF
from training.models.bgnbd import BgNbd, PurchaseHistory
from training.models.btyd import Btyd
from training.models.churn_baselines import CustomerSummary
from training.models.churn_features import LINEAR_NAMES, ChurnColumns
from training.models.pareto_nbd import ParetoNbd
from training.pipelines.btyd_summary import Known
from training.pipelines.churn_data import Rows, stack
from training.pipelines.churn_folds import Separation, rehearsal_folds, validation_folds
from training.pipelines.snapshots import Snapshot

WEEK = timedelta(weeks=1)
HORIZON = 4 * WEEK
RHYTHM = Btyd(BgNbd(r=0.3, alpha=40.0, a=0.6, b=2.2), ParetoNbd(r=0.5, alpha=70.0, s=0.4, beta=60.0))


def _rows(users: int = 10) -> Rows:
    columns = ChurnColumns(
        names=("spend",),
        trees=np.arange(users, dtype=np.float32)[:, None],
        linear=np.zeros((users, len(LINEAR_NAMES))),
        expected=np.zeros(users),
    )
    return Rows(columns, np.arange(users) % 2 == 0)


def _snapshots(count: int) -> list[Snapshot]:
    nobody = PurchaseHistory(np.empty(0), np.empty(0), np.empty(0))
    summary = CustomerSummary(nobody, np.empty(0), np.empty(0))
    empty = pa.array([], pa.string())
    return [
        Snapshot(
            known=Known(CUTOFF - i * WEEK, empty, np.empty(0, dtype=np.int64), summary),
            tags=pa.table({"user_id": empty}),
            rhythm=RHYTHM,
            event_rhythm=RHYTHM,
            label=np.empty(0, dtype=np.bool_),
        )
        for i in range(count)
    ]


def test_with_history_label_windows_do_not_overlap() -> None:
    snapshots = _snapshots(9)
    newest, earlier = validation_folds(snapshots, [_rows() for _ in snapshots], HORIZON)
    assert (newest.judged, newest.fit_on) == (0, (4, 5, 6, 7, 8))
    assert (earlier.judged, earlier.fit_on) == (2, (6, 7, 8))
    for fold in (newest, earlier):
        assert fold.separation is Separation.CLOSED
        assert all(snapshots[i].as_of + HORIZON <= snapshots[fold.judged].as_of for i in fold.fit_on)


@pytest.mark.parametrize(("count", "separation"), [(3, Separation.OVERLAPPING), (1, Separation.BY_USER)])
def test_with_little_history_the_fold_says_what_it_gave_up(count: int, separation: Separation) -> None:
    snapshots = _snapshots(count)
    (fold,) = validation_folds(snapshots, [_rows() for _ in snapshots], HORIZON)
    assert fold.separation is separation
    fitted = np.concatenate([part.columns.trees[:, 0] for part in fold.fit])
    if separation is Separation.BY_USER:
        assert not set(fitted) & set(fold.valid.columns.trees[:, 0])
        np.testing.assert_array_equal(fold.valid.columns.trees[:, 0], fold.valid_users)


def test_a_rehearsal_needs_two_closed_windows() -> None:
    assert rehearsal_folds(_snapshots(8), [_rows() for _ in range(8)], HORIZON) is None
    judged, calibrating = rehearsal_folds(_snapshots(9), [_rows() for _ in range(9)], HORIZON) or (None, None)
    assert judged is not None
    assert calibrating is not None
    assert (judged.judged, calibrating.judged, calibrating.fit_on) == (0, 4, (8,))


def test_stacking_thins_every_part_alike() -> None:
    whole = stack([_rows(100), _rows(300)], 100)
    assert len(whole) == 100
    assert whole.columns.trees.max() > 290
