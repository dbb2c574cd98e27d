"""The value model on a small log of its own making."""

import hashlib
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts.errors import BundleError, InputError, NotEnoughDataError
from features.engine import EventTables
from tests.training.pipelines import cdnow
from training.bundle import Bundle, read_bundle
from training.models.value import Opinion, ValueModel
from training.models.value_config import ValueConfig
from training.pipelines.value import PIPELINE, FittedValue, evaluate_value, fit_value, refit_value

CONFIG = ValueConfig.model_validate(
    {
        "horizons": (30, 60, 365),
        "tags": cdnow.TAGS,
        "snapshots": {"most": 4, "rows": 10_000},
        "boosting": {"rounds": (20, 40), "members": 1, "threads": 1},
    }
)


@pytest.fixture(scope="module")
def fitted() -> FittedValue:
    events = cdnow.events()
    past = events.filter(pa.compute.less(events[c.OCCURRED_AT], pa.scalar(cdnow.CUTOFF)))
    return fit_value(EventTables.from_arrow(past), cdnow.CUTOFF, CONFIG)


def test_spend_rises_with_the_window_and_an_untaught_one_is_grown(fitted: FittedValue) -> None:
    scores = fitted.model.predict(fitted.examples)
    assert [window.days for window in fitted.model.windows] == [30, 60]
    assert (np.diff(scores.spend, axis=1) >= 0).all()
    assert (scores.spend > 0).all()
    assert (scores.spend[:, 2] > scores.spend[:, 1]).all()
    assert set(fitted.choices["windows"]) >= {"30", "60"}  # too few buy within a week
    assert fitted.model.curve in (Opinion.RHYTHM, Opinion.TREES)


def test_the_future_has_no_influence(fitted: FittedValue) -> None:
    whole = fit_value(EventTables.from_arrow(cdnow.events()), cdnow.CUTOFF, CONFIG)
    assert whole.choices == fitted.choices
    told, again = (each.model.predict(fitted.examples).spend for each in (fitted, whole))
    assert told == pytest.approx(again)


def test_a_year_of_buyers_is_ordered_better_than_by_chance(fitted: FittedValue) -> None:
    judged = evaluate_value(EventTables.from_arrow(cdnow.events()), fitted, cdnow.CUTOFF, (30, 60))
    for place in range(2):
        top = judged.scores[PIPELINE][:, place] > np.median(judged.scores[PIPELINE][:, place])
        assert judged.actual[top, place].mean() > 2 * judged.actual[~top, place].mean()
    assert (judged.no_purchase[:, 0] >= judged.no_purchase[:, 1]).all()


def test_a_bundle_gives_the_same_model_and_notices_damage(fitted: FittedValue, tmp_path: Path) -> None:
    about = {"version": "v1", "as_of": cdnow.CUTOFF.isoformat(), "code_version": "test"}
    bundle = fitted.model.to_bundle(tmp_path / "value", fitted.examples, **about)
    again = ValueModel.from_bundle(read_bundle(bundle.path))
    one, two = fitted.model.predict(fitted.examples), again.predict(fitted.examples)
    assert two.spend == pytest.approx(one.spend)
    assert two.curves.next_purchase() == pytest.approx(one.curves.next_purchase(), nan_ok=True)
    shutil.copytree(bundle.path, tmp_path / "other")
    kept = (tmp_path / "other" / "manifest.json").read_text()
    (tmp_path / "other" / "manifest.json").write_text(kept.replace(fitted.model.tag_spec, "0" * 12))
    with pytest.raises(BundleError, match="declared otherwise"):
        ValueModel.from_bundle(read_bundle(tmp_path / "other"))
    (tmp_path / "other" / "manifest.json").write_text(kept.replace('"kind": "value"', '"kind": "churn"'))
    with pytest.raises(BundleError, match="of kind 'churn'"):
        ValueModel.from_bundle(read_bundle(tmp_path / "other"))


def test_a_golden_row_that_comes_out_otherwise_is_refused(fitted: FittedValue, tmp_path: Path) -> None:
    about = {"version": "v1", "as_of": cdnow.CUTOFF.isoformat(), "code_version": "test"}
    path = fitted.model.to_bundle(tmp_path / "value", fitted.examples, **about).path
    rhythm = np.load(path / "rhythm.npy")
    np.save(path / "rhythm.npy", rhythm * 1.5)
    with pytest.raises(BundleError, match=r"rhythm\.npy"):
        read_bundle(path)
    manifest = read_bundle_unchecked(path)
    with pytest.raises(BundleError, match="golden row"):
        ValueModel.from_bundle(manifest)


def read_bundle_unchecked(path: Path) -> Bundle:
    """The bundle as if its checksums had been made anew."""
    kept = json.loads((path / "manifest.json").read_text())
    kept["files"] = {name: hashlib.sha256((path / name).read_bytes()).hexdigest() for name in kept["files"]}
    (path / "manifest.json").write_text(json.dumps(kept))
    return read_bundle(path)


def test_a_tag_that_is_missing_is_named(fitted: FittedValue) -> None:
    with pytest.raises(InputError, match="'spend'"):
        fitted.model.predict(fitted.examples.drop_columns(["spend"]))


def test_refitting_learns_from_later_data_with_the_same_choices(fitted: FittedValue) -> None:
    later = refit_value(EventTables.from_arrow(cdnow.events()), fitted, cdnow.CUTOFF + timedelta(days=30))
    assert later.model.tags == fitted.model.tags
    assert [w.opinion for w in later.model.windows] == [w.opinion for w in fitted.model.windows]
    assert later.past[0].as_of == fitted.past[0].as_of + timedelta(days=30)


def test_what_is_missing_is_said() -> None:
    events = cdnow.events()
    early = datetime(1997, 1, 20, tzinfo=UTC)
    with pytest.raises(NotEnoughDataError, match="history is too short"):
        fit_value(EventTables.from_arrow(events), early, CONFIG)
    free = events.set_column(
        events.column_names.index(c.AMOUNT), c.AMOUNT, pa.nulls(len(events), events.schema.field(c.AMOUNT).type)
    )
    config = CONFIG.model_copy(update={"tags": ("orders", "orders_90d", "purchase_gap_mean")})
    with pytest.raises(NotEnoughDataError, match="without amounts"):
        fit_value(EventTables.from_arrow(free), cdnow.CUTOFF, config)
