import numpy as np
import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts.errors import InputError
from features.tags import catalogue
from training.models.bgnbd import BgNbd
from training.models.btyd import Btyd
from training.models.churn_features import (
    LINEAR_NAMES,
    LINEAR_TAGS,
    RHYTHM_COLUMNS,
    RHYTHM_TAGS,
    ChurnColumns,
    direction,
    purchase_history,
    tag_values,
)
from training.models.pareto_nbd import ParetoNbd

RHYTHM = Btyd(BgNbd(r=0.3, alpha=40.0, a=0.6, b=2.2), ParetoNbd(r=0.5, alpha=70.0, s=0.4, beta=60.0))


def _tags() -> pa.Table:
    return pa.table(
        {
            c.USER_ID: ["steady", "once", "never"],
            "purchase_days": pa.array([5, 1, 0], pa.int64()),
            "days_since_first_purchase": [100.0, 60.0, None],
            "days_since_purchase": [4.0, 60.0, None],
            "average_order_value": [20.0, 5.0, None],
            "purchase_days_30d": pa.array([2, 0, 0], pa.int64()),
            "purchase_days_90d": pa.array([4, 1, 0], pa.int64()),
            "spend": [100.0, 5.0, 0.0],
        }
    )


def test_the_rhythm_comes_from_tags() -> None:
    history, bought = purchase_history(_tags())
    np.testing.assert_array_equal(bought, [True, True, False])
    np.testing.assert_array_equal(history.frequency, [4, 0, 0])
    np.testing.assert_array_equal(history.recency, [96, 0, 0])
    np.testing.assert_array_equal(history.age, [100, 60, 0])


def test_columns_are_tags_and_rhythm_with_null_kept_for_trees_only() -> None:
    columns = ChurnColumns.of(_tags(), ("spend", "average_order_value"), RHYTHM, 28.0)
    assert columns.names == ("spend", "average_order_value", *RHYTHM_COLUMNS)
    assert np.isnan(columns.trees[2, 1:]).all()
    assert columns.linear.shape == (3, len(LINEAR_NAMES))
    assert np.isfinite(columns.linear).all()
    assert columns.expected[0] > columns.expected[1] > columns.expected[2] == 0


def test_a_missing_tag_is_named() -> None:
    with pytest.raises(InputError, match="'purchase_days_30d'"):
        ChurnColumns.of(_tags().drop_columns(["purchase_days_30d"]), ("spend",), RHYTHM, 28.0)
    with pytest.raises(InputError, match="'views'"):
        tag_values(_tags(), ("views",))


def test_the_tags_with_a_meaning_here_are_declared() -> None:
    assert {*RHYTHM_TAGS, *LINEAR_TAGS} <= set(catalogue())


@pytest.mark.parametrize(
    ("column", "expected"),
    [("orders_30d", -1), ("orders", 0), ("orders_trend_30d", 0), ("days_since_purchase", 1), ("spend_30d", 0)],
)
def test_directions(column: str, expected: int) -> None:
    assert direction(column) == expected
