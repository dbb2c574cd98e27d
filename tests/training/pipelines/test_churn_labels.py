"""What churn means, as configuration: by hand on few users, and through a fit on real customers."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from pydantic import ValidationError

from features.contracts import columns as c
from features.contracts.events import EVENT_SCHEMA, Activity, EventType
from features.engine import EventTables
from tests.training.pipelines.cdnow import CUTOFF, config, events
from training.models.churn_config import ChurnLabel, Population
from training.pipelines.btyd_summary import known_users
from training.pipelines.churn import evaluate_churn, fit_churn
from training.pipelines.snapshots import churned, past_snapshots, take_snapshot

DAY = timedelta(days=1)
START = datetime(2025, 1, 1, tzinfo=UTC)
AS_OF = START + 100 * DAY

#: Per user the days on which he bought (b) or looked (v).
DAYS = {
    "weekly": [*(f"b{day}" for day in range(0, 100, 7)), "b115"],
    "monthly": ["b10", "b40", "b70", "b98", "b128"],
    "once": ["b50", "b126"],
    "gone": ["b60", "b80"],
    "looker": ["b90", "v103"],
    "shown": ["b90", "i103"],
}
KINDS = {"b": EventType.PURCHASE, "v": EventType.VIEW, "i": EventType.IMPRESSION}


def log() -> pa.Table:
    rows = [
        {c.EVENT_ID: f"{user}-{number}", c.EVENT_TYPE: KINDS[text[0]].value, c.USER_ID: user, c.ITEM_ID: "i1",
         c.OCCURRED_AT: START + int(text[1:]) * DAY, c.AMOUNT: 9.0 if text[0] == "b" else None}
        for user, texts in DAYS.items() for number, text in enumerate(texts)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=EVENT_SCHEMA)


def who_churned(**label: object) -> set[str]:
    made = ChurnLabel.model_validate(label)
    tables = EventTables.from_arrow(log())
    known = known_users(tables, made.event, AS_OF)
    left = churned(tables, known, made, known_by=AS_OF + 365 * DAY)
    return {user for user, gone in zip(known.user_id.to_pylist(), left, strict=True) if gone}


def test_a_fixed_window_of_purchases() -> None:
    assert who_churned(horizon="30d") == {"gone", "looker", "shown"}
    assert who_churned(horizon="14d") == set(DAYS)  # everybody comes later than that


def test_anything_that_a_user_does_is_a_sign_of_life_but_not_what_is_done_to_him() -> None:
    assert who_churned(event="activity", horizon="30d") == {"gone", "shown"}
    assert who_churned(event="view", horizon="30d") == set()  # nobody had looked before


def test_within_the_gap_nothing_counts() -> None:
    assert who_churned(horizon="10d", gap="10d") == set(DAYS) - {"weekly"}
    assert who_churned(event="activity", horizon="25d", gap="10d") == {"gone", "shown", "looker"}


def test_silence_is_measured_by_the_own_rhythm() -> None:
    own = {"times": 2, "least": "7d"}
    # Weekly: 14 days allowed, came after 15. Monthly: two months allowed, came after 28.
    # Who bought once has no rhythm: the horizon counts.
    assert who_churned(horizon="90d", own_rhythm=own) == {"weekly", "gone", "looker", "shown"}
    assert "weekly" not in who_churned(horizon="90d", own_rhythm={"times": 2, "least": "20d"})


def test_what_the_mall_does_is_no_sign_of_life() -> None:
    with pytest.raises(ValidationError, match="done by the mall"):
        ChurnLabel.model_validate({"event": "impression"})
    assert ChurnLabel.model_validate({"event": "activity"}).event is Activity.ANY


def test_no_snapshot_teaches_before_its_window_has_closed() -> None:
    label = ChurnLabel.model_validate({"horizon": "60d", "gap": "10d"})
    snapshots = past_snapshots(
        EventTables.from_arrow(events(40)), CUTOFF, ("orders",), config(label=label, tags=("orders",))
    )
    assert snapshots[0].as_of == CUTOFF - 70 * DAY


def test_events_of_the_gap_and_after_reach_no_feature() -> None:
    label = ChurnLabel.model_validate({"horizon": "60d", "gap": "10d"})
    settings = config(label=label)
    whole = events()
    before = whole.filter(pa.compute.less(whole[c.OCCURRED_AT], pa.scalar(CUTOFF)))
    told = fit_churn(EventTables.from_arrow(whole), CUTOFF, settings)
    blind = fit_churn(EventTables.from_arrow(before), CUTOFF, settings)
    asked = take_snapshot(
        EventTables.from_arrow(before), CUTOFF, told.model.required_tags, settings, known_by=CUTOFF
    ).tags
    assert told.model.probability(asked).tolist() == blind.model.probability(asked).tolist()


def test_a_model_of_activity_like_that_of_ga4() -> None:
    label = ChurnLabel.model_validate({"event": "activity", "horizon": "60d"})
    recent = Population.model_validate({"active_within": "120d"})
    settings = config(label=label, population=recent)
    tables = EventTables.from_arrow(events())
    fitted = fit_churn(tables, CUTOFF, settings)
    assert fitted.model.fallback is None
    assert {"active_days", "days_since_active"} <= set(fitted.model.required_tags)
    assert fitted.model.asked(fitted.examples).all()
    frame = evaluate_churn(tables, fitted, CUTOFF)
    assert 0 < frame["label"].mean() < 1
    assert (frame["pipeline"][frame["label"]].mean()) > frame["pipeline"][~frame["label"]].mean()
