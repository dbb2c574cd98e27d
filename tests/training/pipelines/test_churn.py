from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.contracts import columns as c
from features.contracts.errors import ConfigError, NotEnoughDataError
from features.contracts.events import TIMESTAMP
from features.engine import EventTables
from tests.training.pipelines.cdnow import CUTOFF, TAGS, config, events
from training.evaluation.probability import auc, calibration_error
from training.models.churn_baselines import NAMES
from training.models.churn_config import ChurnConfig, SnapshotConfig
from training.pipelines.churn import HIGH, LABEL, LOW, FittedChurn, evaluate_churn, fit_churn
from training.pipelines.churn_data import candidate_tags, steady_tags, telling_tags
from training.pipelines.churn_judge import PIPELINE

HORIZON = timedelta(days=60)


@pytest.fixture(scope="module")
def fitted() -> FittedChurn:
    return fit_churn(EventTables.from_arrow(events()), CUTOFF, config())


def test_it_ranks_and_is_calibrated_out_of_time(fitted: FittedChurn) -> None:
    frame = evaluate_churn(EventTables.from_arrow(events()), fitted, CUTOFF)
    label = frame[LABEL].to_numpy(dtype=np.bool_)
    assert list(frame.columns) == [c.USER_ID, LABEL, PIPELINE, LOW, HIGH, *NAMES]
    assert ((frame[LOW] <= frame[PIPELINE]) & (frame[PIPELINE] <= frame[HIGH])).all()
    assert len(frame) > 1_900
    assert auc(label, frame[PIPELINE].to_numpy()) > 0.79
    assert calibration_error(label, frame[PIPELINE].to_numpy()) < 0.06


def test_nothing_at_or_after_the_cutoff_has_any_influence(fitted: FittedChurn) -> None:
    log = events()
    before = pc.less(log[c.OCCURRED_AT], pa.scalar(CUTOFF, TIMESTAMP))
    later = log.filter(pc.invert(before))
    moved = later.set_column(
        later.schema.get_field_index(c.AMOUNT), log.schema.field(c.AMOUNT), pc.multiply(later[c.AMOUNT], 1000.0)
    )
    at_once = moved.set_column(
        moved.schema.get_field_index(c.OCCURRED_AT),
        log.schema.field(c.OCCURRED_AT),
        pa.array([CUTOFF] * len(moved), TIMESTAMP),
    )
    mutated = pa.concat_tables([log.filter(before), at_once.slice(0, len(at_once) // 2)])
    again = fit_churn(EventTables.from_arrow(mutated), CUTOFF, config())
    assert again.examples.equals(fitted.examples)
    assert again.choices == fitted.choices
    ours, theirs = fitted.model.predict(fitted.examples), again.model.predict(fitted.examples)
    np.testing.assert_array_equal(ours.probability, theirs.probability)
    np.testing.assert_array_equal(ours.low, theirs.low)
    assert ours.to_arrow().equals(theirs.to_arrow())


def test_choices_and_validation_are_on_record(fitted: FittedChurn) -> None:
    assert fitted.choices["tags"] == [tag for tag in candidate_tags(TAGS) if tag in fitted.choices["tags"]]
    assert max(fitted.choices["snapshots"]) <= (CUTOFF - HORIZON).isoformat()
    assert {row["model"] for row in fitted.validation} == {PIPELINE, *NAMES}
    assert {row["separation"] for row in fitted.validation} == {"closed"}
    assert all(np.isfinite(row["auc"]) for row in fitted.validation)
    assert list(fitted.importance.values()) == sorted(fitted.importance.values(), reverse=True)


def test_candidates_are_numbers_of_behaviour_about_one_user() -> None:
    candidates = candidate_tags()
    assert {"orders_90d", "days_since_purchase"} <= set(candidates)
    assert not {"age", "gender", "spend_rank", "rfm_score", "top_category", "lifecycle_stage"} & set(candidates)
    with pytest.raises(ConfigError, match="'gender'"):
        candidate_tags(["gender"])


def test_windows_longer_than_the_log_and_columns_that_tell_nothing_are_left_out() -> None:
    names = ("orders_30d", "orders_180d", "orders_trend_30d", "orders")
    assert steady_tags(names, 100.0) == ("orders_30d", "orders_trend_30d", "orders")
    assert steady_tags(names, 45.0) == ("orders_30d", "orders")
    columns = {"constant": [1, 1], "null or one": [None, 1], "twin": [None, 1], "different": [2, 1]}
    assert telling_tags([pa.table(columns)], tuple(columns)) == ("null or one", "different")


def test_too_little_data_gives_a_fallback_that_says_what_was_missing() -> None:
    fitted = fit_churn(EventTables.from_arrow(events(600)), CUTOFF, config())
    mark = fitted.model.fallback
    assert mark is not None
    assert mark.reason._asdict() == fitted.choices["fallback_reason"]
    assert "at least 50 are needed" in mark.reason.en
    assert "至少需要 50 名" in mark.reason.zh
    assert fitted.choices["fallback"]
    assert not fitted.model.members
    scores = fitted.model.predict(fitted.examples)
    assert ((scores.low <= scores.probability) & (scores.probability <= scores.high)).all()
    assert fitted.validation == []


def test_where_no_window_has_closed_not_even_a_fallback_is_made() -> None:
    log = events(600)
    first = min(log[c.OCCURRED_AT].to_pylist())
    with pytest.raises(NotEnoughDataError):
        fit_churn(EventTables.from_arrow(log), first + timedelta(days=5), config())


def _soon() -> ChurnConfig:
    """Settings that do with less history than the rule asks for."""
    return config(snapshots=SnapshotConfig(most=9, least_history=1.5))


def test_one_snapshot_is_enough_to_fit() -> None:
    log = events()
    first = min(log[c.OCCURRED_AT].to_pylist())
    fitted = fit_churn(EventTables.from_arrow(log), first + timedelta(days=95), _soon())
    assert len(fitted.choices["snapshots"]) == 1
    assert fitted.choices["validation"][0]["separation"] == "by_user"
    scores = fitted.model.predict(fitted.examples)
    assert ((scores.low <= scores.probability) & (scores.probability <= scores.high)).all()


def test_another_event_than_purchase_can_be_the_label() -> None:
    log = events(40)
    views = log.set_column(
        log.schema.get_field_index(c.EVENT_TYPE), log.schema.field(c.EVENT_TYPE), pa.array(["view"] * len(log))
    )
    both = pa.concat_tables([views, log.slice(0, len(log) // 2)])
    label = {"event": "view", "horizon": "60d"}
    fitted = fit_churn(EventTables.from_arrow(both), CUTOFF, config(label=label, tags=("views_90d", "days_since_view")))
    scores = fitted.model.predict(fitted.examples)
    assert np.isfinite(scores.probability).all()
    assert (scores.expected_purchases == 0).any()
