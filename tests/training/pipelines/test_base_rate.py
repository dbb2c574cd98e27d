"""What is foretold of the base rate of the coming window."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts.events import EVENT_SCHEMA, EventType
from features.engine import EventTables
from tests.training.pipelines.cdnow import TAGS
from training.evaluation.probability import log_loss
from training.models.calibration import base_rate_shift
from training.models.churn_config import BoostingConfig, ChurnConfig, ChurnLabel, SnapshotConfig
from training.pipelines.base_rate import YEAR, Evidence, Outlook, Past
from training.pipelines.churn import LABEL, evaluate_churn, fit_churn
from training.pipelines.churn_judge import PIPELINE
from training.pipelines.snapshots import past_snapshots

START = datetime(2024, 1, 1, tzinfo=UTC)
SETTINGS = ChurnConfig(
    label=ChurnLabel(horizon=timedelta(days=28)),
    horizons=(timedelta(days=14),),
    snapshots=SnapshotConfig(most=6),
    boosting=BoostingConfig(leaves=(7,), rounds=(20,), members=1, threads=1),
    tags=TAGS,
)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


@cache
def log(days: int, lull: tuple[int, ...] = (), *, fading: bool = False) -> pa.Table:
    """Purchases of 600 people; rare in the four weeks from each day of ``lull``; ``fading``: ever rarer."""
    rng = np.random.default_rng(5)
    pace = rng.uniform(0.02, 0.12, 600)
    users, times = [], []
    for number in range(days):
        quiet = any(first <= number < first + 28 for first in lull)
        factor = (0.35 if quiet else 1.0) * (0.992 ** max(0, number - 60) if fading else 1.0)
        came = np.flatnonzero(rng.random(600) < pace * factor)
        users += [f"u{user:03d}" for user in came]
        times += [day(number) + timedelta(hours=int(hour)) for hour in rng.integers(8, 22, len(came))]
    columns = {
        c.EVENT_ID: [f"e{row}" for row in range(len(users))],
        c.EVENT_TYPE: [EventType.PURCHASE.value] * len(users),
        c.USER_ID: users,
        c.OCCURRED_AT: times,
        c.QUANTITY: [1.0] * len(users),
        c.AMOUNT: rng.uniform(5, 50, len(users)).tolist(),
    }
    return pa.table(
        {field.name: pa.array(columns.get(field.name, [None] * len(users)), field.type) for field in EVENT_SCHEMA},
        schema=EVENT_SCHEMA,
    )


def past(events: pa.Table, cutoff: datetime) -> Past:
    tables = EventTables.from_arrow(events)
    return Past.of(tables, cutoff, past_snapshots(tables, cutoff, _TAGS, SETTINGS), SETTINGS)


_TAGS = ("purchase_days", "days_since_first_purchase", "days_since_purchase", "average_order_value",
         "purchase_days_30d", "purchase_days_90d")  # fmt: skip


def test_the_lull_of_last_year_is_expected_again() -> None:
    first = 520
    events = log(first + 28, (first - YEAR.days, first))
    said = past(events, day(first)).outlook(day(first), SETTINGS.label)
    assert said.evidence is Evidence.LAST_YEAR
    assert said.shift > 0.2
    assert 0 < said.share <= 1


def test_a_model_that_knows_the_season_is_nearer_to_what_comes() -> None:
    first = 520
    events, cutoff = log(first + 28, (first - YEAR.days, first)), day(first)
    fitted = fit_churn(EventTables.from_arrow(events), cutoff, SETTINGS)
    frame = evaluate_churn(EventTables.from_arrow(events), fitted, cutoff)
    label, ours = frame[LABEL].to_numpy(dtype=bool), frame[PIPELINE].to_numpy()
    odds = np.log(ours / (1 - ours))
    without = odds - fitted.choices["outlook"]["shift"]
    assert fitted.choices["outlook"]["evidence"] == "last_year"
    assert abs(base_rate_shift(odds, label)) < abs(base_rate_shift(without, label)) - 0.1
    assert log_loss(label, ours) < log_loss(label, 1 / (1 + np.exp(-without)))
    assert {account["outlook"]["evidence"] for account in fitted.choices["horizons"]} == {"last_year"}


def test_a_drift_that_went_on_is_expected_to_go_on() -> None:
    said = past(log(260, fading=True), day(260)).outlook(day(260), SETTINGS.label)
    assert said.evidence is Evidence.DRIFT
    assert said.shift > 0.05


def test_what_goes_up_and_down_is_not_expected_to_go_on() -> None:
    quiet = tuple(range(64, 260, 56))  # four weeks quiet, four weeks busy
    said = past(log(260, quiet), day(260)).outlook(day(260), SETTINGS.label)
    assert (said.evidence, said.share, said.shift) == (Evidence.DRIFT, 0.0, 0.0)
    assert said.error is not None
    assert said.error > 0.2


def test_a_short_history_foretells_nothing() -> None:
    said = past(log(110), day(110)).outlook(day(110), SETTINGS.label)
    assert said == Outlook(Evidence.NONE)


@pytest.mark.parametrize("cutoff", [260, 520])
def test_nothing_after_the_cutoff_is_seen(cutoff: int) -> None:
    events = log(540)
    before = events.filter(np.array(events[c.OCCURRED_AT].to_pylist()) < day(cutoff))
    one, other = (past(table, day(cutoff)).outlook(day(cutoff), SETTINGS.label) for table in (events, before))
    assert one == other
