"""What a snapshot says beside risk, what it does without, and what it refuses."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts.catalogue import USER_SCHEMA
from features.contracts.errors import BundleError, InputError, MissingStateError
from features.contracts.home import Home
from features.tags import spec_hash
from serving.engine.actions import ActionsConfig
from serving.engine.forecast import CURVE_DAYS, FATIGUE_TAGS, Models, forecast
from serving.marketing import ListFilter, latest_snapshot, open_snapshot, write_snapshot
from serving.marketing import columns as m
from serving.marketing.churn_list import churn_page
from tests.serving import small_churn, small_mall
from training.bundle import read_bundle
from training.models.bgnbd import BgNbd
from training.models.boosting import Objective, Recipe, grow
from training.models.churn import ChurnModel
from training.models.churn_config import Population
from training.models.churn_fallback import Fallback, Rule
from training.models.churn_features import purchase_history
from training.models.gamma_gamma import GammaGamma
from training.models.reasons import Both
from training.models.uplift import Effect, UpliftModel
from training.models.uplift_config import OutcomeConfig
from training.models.uplift_learners import Learner, LearnerKind
from training.models.value import Opinion, ValueModel, Window
from training.models.value_features import ValueColumns, required_tags

AS_OF = small_mall.MIDNIGHT
NOBODY = USER_SCHEMA.empty_table()


def tags() -> pa.Table:
    """The churn model's tags, spend, and how tired users are: every second one had five messages."""
    table = small_churn.tags()
    spend = (
        np.nan_to_num(table["average_order_value"].to_numpy(zero_copy_only=False)) * table["purchase_days"].to_numpy()
    )
    table = table.append_column("spend", pa.array(spend))
    return table.append_column(FATIGUE_TAGS[0], pa.array(np.arange(table.num_rows) % 2 * 5))


def value_model(table: pa.Table) -> ValueModel:
    names = ("orders_30d",)
    history, bought = purchase_history(table)
    rhythm, money = BgNbd.fit(history.take(bought)), GammaGamma(2.0, 4.0, 60.0)
    columns = ValueColumns.of(table, names, rhythm, money)
    recent = np.nan_to_num(table["orders_30d"].to_numpy()) > 2
    recipe = Recipe(4, 10, 0.1, 1, (0,) * len(columns.names))
    buying = grow(columns.trees, recent, None, recipe, 1)
    amounts = Recipe(4, 10, 0.1, 1, recipe.directions, Objective.POSITIVE)
    window = Window(30, Opinion.BOTH, 1.1, grow(columns.trees, 10.0 + 5 * recent, None, amounts, 2))
    return ValueModel(
        horizons=(30, 90, 365),
        population=Population(),
        tags=names,
        tag_spec=spec_hash(required_tags(names)),
        rhythm=rhythm,
        money=money,
        buying={30: buying},
        windows=(window,),
        curve=Opinion.TREES,
    )


def uplift_model() -> UpliftModel:
    learner = Learner(LearnerKind.CONSTANT, (), 0.5)
    return UpliftModel(OutcomeConfig(), ("orders_30d",), spec_hash(["orders_30d"]), Effect(learner, 0.2, 0.0), 30.0)


@pytest.fixture(scope="module")
def models() -> Models:
    table = tags()
    versions = {"churn": "c1", "value": "v1", "uplift": "u1"}
    return Models(small_churn.model(table), "c1", value_model(table), uplift_model(), versions)


def alone(models: Models) -> Models:
    return Models(models.churn, "c1", versions={"churn": "c1"})


def test_a_snapshot_carries_value_dates_effects_and_actions(home: Home, models: Models) -> None:
    info = write_snapshot(home, models, tags(), NOBODY, as_of=AS_OF)
    assert (info.models, info.missing) == ({"churn": "c1", "value": "v1", "uplift": "u1"}, [])
    assert set(info.tiers) == {"yellow", "red"}
    rows = open_snapshot(home).rows.to_pylist()
    assert len(rows) == 59
    for row in rows:
        assert 0 < row["expected_value_30d"] <= row["expected_value_90d"] <= row["expected_value_365d"]
        assert row[m.VALUE_AT_RISK] == pytest.approx(row[m.PROBABILITY] * row["expected_value_30d"])
        assert row[m.UPLIFT] == pytest.approx(0.2)
        assert json.loads(row[m.ACTION_REASON])["text"].keys() == {"en", "zh"}
        tired = int(row[c.USER_ID][1:]) % 2
        assert row[m.ACTION] == ("leave_alone" if tired else "offer" if row[m.PROBABILITY] > 0.85 else row[m.ACTION])
        if row[m.NEXT_PURCHASE] is not None:
            assert AS_OF.date().isoformat() <= row[m.NEXT_PURCHASE] <= (AS_OF + timedelta(days=365)).date().isoformat()


def test_without_value_and_uplift_the_columns_are_null_and_named(home: Home, models: Models) -> None:
    info = write_snapshot(home, alone(models), tags(), NOBODY, as_of=AS_OF)
    assert info.missing == ["value", "uplift"]
    rows = open_snapshot(home).rows
    for name in (*m.VALUES.values(), m.UPLIFT):
        assert rows[name].null_count == rows.num_rows
    assert rows[m.VALUE_AT_RISK].null_count == rows[m.ACTION].null_count == 0
    assert "assumed" in rows[m.ACTION_REASON][0].as_py()


def test_slices_give_the_same_snapshot_and_reasons_can_be_left_out(home: Home, models: Models) -> None:
    table = tags()
    whole = open_snapshot(home, write_snapshot(home, models, table, NOBODY, as_of=AS_OF).id).rows
    slices = iter([table.slice(0, 17), table.slice(17)])
    sliced = open_snapshot(home, write_snapshot(home, models, slices, NOBODY, as_of=AS_OF, reasons=False).id).rows
    assert set(sliced[m.REASONS].to_pylist()) == {"[]"}
    kept = [name for name in whole.column_names if name != m.REASONS]
    assert sliced.select(kept).equals(whole.select(kept))


def test_the_curve_passes_through_the_churn_probability(models: Models) -> None:
    told = forecast(models, tags(), ActionsConfig())
    at_horizon = told.curves.no_purchase([small_churn.HORIZON])[:, 0]
    bought = np.isfinite(told.overdue)
    assert at_horizon[bought] == pytest.approx(told.risk.probability[bought], rel=1e-6)
    assert (np.diff(told.curves.no_purchase(CURVE_DAYS), axis=1) <= 1e-12).all()


def test_what_cannot_be_scored_leaves_the_last_snapshot(home: Home, models: Models) -> None:
    last = write_snapshot(home, models, tags(), NOBODY, as_of=AS_OF).id
    with pytest.raises(InputError, match="'orders_30d'"):
        write_snapshot(home, models, tags().drop_columns(["orders_30d"]), NOBODY, as_of=AS_OF)
    nobody = tags().filter(pa.compute.equal(tags()["purchase_days"], 0))
    with pytest.raises(MissingStateError, match="none of 1 users belongs"):
        write_snapshot(home, models, nobody, NOBODY, as_of=AS_OF)
    empty = pa.table({n: tags()[n] if n == c.USER_ID else pa.nulls(60, pa.float64()) for n in tags().column_names})
    with pytest.raises(MissingStateError, match="null for every user"):
        write_snapshot(home, models, empty, NOBODY, as_of=AS_OF)
    assert latest_snapshot(home) == last
    assert not list((home.snapshots / "churn").glob(".2*"))


def test_a_list_is_filtered_by_action(home: Home, models: Models) -> None:
    write_snapshot(home, models, tags(), NOBODY, as_of=AS_OF)
    snapshot = open_snapshot(home)
    counts = {a: churn_page(snapshot, ListFilter(action=a)).total for a in ("leave_alone", "offer", "remind", "call")}
    assert sum(counts.values()) == 59
    assert counts["leave_alone"] >= 29


def test_a_snapshot_of_an_earlier_version_opens_with_unknown_columns(home: Home, models: Models) -> None:
    info = write_snapshot(home, models, tags(), NOBODY, as_of=AS_OF)
    folder = home.snapshots / "churn" / info.id
    new = [*m.VALUES.values(), m.NEXT_PURCHASE, m.OVERDUE, m.UPLIFT, m.ACTION, m.ACTION_REASON, m.EXPECTED_PROFIT]
    with pa.OSFile(str(folder / "scores.arrow")) as source:
        rows = pa.ipc.open_file(source).read_all().drop_columns(new)
    with pa.OSFile(str(folder / "scores.arrow"), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows)
    kept = json.loads((folder / "manifest.json").read_text())
    for name in ("models", "missing", "tiers"):
        del kept[name]
    del kept["files"]["scores.arrow"]
    (folder / "manifest.json").write_text(json.dumps(kept))
    opened = open_snapshot(home)
    assert opened.rows.schema.names == m.SNAPSHOT_SCHEMA.names
    assert opened.rows[m.ACTION].null_count == 59
    assert churn_page(opened, ListFilter(action="offer")).total == 0


MARK = Fallback(Rule.RHYTHM, Both("history is too short: 40 days; 90 are needed", "历史太短：仅 40 天，需要 90 天"))


def fallback_model(table: pa.Table) -> ChurnModel:
    simple = replace(small_churn.model(table), tags=(), members=(), fallback=MARK)
    return replace(simple, tag_spec=spec_hash(simple.required_tags))


def test_a_fallback_from_its_bundle_fills_a_list_and_is_marked(home: Home) -> None:
    table = tags()
    simple = fallback_model(table)
    path = home.root / "fallback"
    simple.to_bundle(path, table, version="f1", as_of=AS_OF.isoformat(), code_version="test")
    again = ChurnModel.from_bundle(read_bundle(path))
    assert again.fallback == MARK
    info = write_snapshot(home, Models(again, "f1"), table, NOBODY, as_of=AS_OF)
    assert info.fallback == MARK.reason._asdict()
    opened = open_snapshot(home, info.id)
    assert opened.info.fallback == info.fallback
    rows = opened.rows
    assert info.count == int(simple.asked(table).sum())
    by_user = dict(zip(table[c.USER_ID].to_pylist(), simple.probability(table), strict=True))
    listed = dict(zip(rows[c.USER_ID].to_pylist(), rows[m.PROBABILITY].to_pylist(), strict=True))
    assert listed == pytest.approx({user: by_user[user] for user in listed}, abs=1e-6)


@pytest.mark.parametrize(("kept", "read"), [("too short", "（too short）"), ("", None)])
def test_a_snapshot_that_kept_the_reason_in_english_alone_opens(
    home: Home, models: Models, kept: str, read: str | None
) -> None:
    info = write_snapshot(home, models, tags(), NOBODY, as_of=AS_OF)
    manifest = home.snapshots / "churn" / info.id / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"fallback": kept}))
    found = open_snapshot(home).info.fallback
    if read is None:
        assert found == {}
    else:
        assert found["en"] == kept
        assert found["zh"].endswith(read)


def test_a_snapshot_whose_reason_is_none_is_refused(home: Home, models: Models) -> None:
    info = write_snapshot(home, models, tags(), NOBODY, as_of=AS_OF)
    manifest = home.snapshots / "churn" / info.id / "manifest.json"
    for wrong in ({"en": "too short"}, 7, ["too short"]):
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"fallback": wrong}))
        with pytest.raises(BundleError, match=r"manifest\.json cannot be read"):
            open_snapshot(home)
