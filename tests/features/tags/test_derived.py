"""Tags that follow from other tags, by hand: a few events whose tags are easy to work out."""

import json
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts import properties as p
from features.contracts.catalogue import ITEM_SCHEMA
from features.contracts.events import EventType
from features.engine import EventTables, build_tags
from tests.features import mall

AS_OF = mall.AS_OF


def ago(kind: EventType, days: float, item: str | None = None, **more: Any) -> dict[str, Any]:
    """One event of user "a"; what is no column is a property."""
    columns = {key: value for key, value in more.items() if key in (c.AMOUNT, c.QUANTITY, c.CHANNEL, c.SESSION_ID)}
    told = {key: value for key, value in more.items() if key not in columns}
    given = columns | {c.ITEM_ID: item, c.PROPERTIES: json.dumps(told) if told else None}
    return mall.event(kind, "a", AS_OF - timedelta(days=days), **given)


def built(events: list[dict[str, Any]], *names: str) -> list[Any]:
    """Values of these tags of user "a"."""
    items = [{c.ITEM_ID: "tea", c.CATEGORY: "Drinks > Tea"}, {c.ITEM_ID: "cup", c.CATEGORY: "Home > Cups"}]
    catalogue = pa.Table.from_pylist([dict.fromkeys(ITEM_SCHEMA.names) | item for item in items], schema=ITEM_SCHEMA)
    numbered = [event | {c.EVENT_ID: f"e{number}"} for number, event in enumerate(events)]
    row = build_tags(EventTables.from_arrow(mall.table(numbered), catalogue), AS_OF, tags=names).to_pylist()[0]
    return [row[name] for name in names]


def test_dwell_is_told_per_page_view_and_session():
    events = [
        ago(EventType.VIEW, 2.4, "tea", session_id="s"),
        ago(EventType.VIEW, 2.41, "cup", session_id="s"),
        ago(EventType.DWELL, 2.4, dwell_seconds=30.5, session_id="s"),
        ago(EventType.DWELL, 2.42, dwell_seconds=9.5, session_id="s"),
        ago(EventType.DWELL, 2.43, dwell_seconds=90_000, session_id="s"),
    ]
    names = ("dwell_seconds", "dwell_per_report", "dwell_per_view", "dwell_per_session_90d", "impossible_dwell_share")
    assert built(events, *names) == [40.0, pytest.approx(40 / 3), 20.0, 40.0, pytest.approx(1 / 3, abs=1e-6)]


def test_discounts_and_failed_payments_are_shares():
    events = [
        ago(EventType.ORDER, 5, payment=p.PAYMENT_FAILED),
        ago(EventType.ORDER, 4.9, payment="paid"),
        ago(EventType.PURCHASE, 4.8, "tea", amount=90.0, discount=10),
        ago(EventType.PURCHASE, 3.8, "tea", amount=100.0, coupon_id="c1"),
    ]
    names = ("discount_share_90d", "payment_failure_rate_90d", "coupon_order_share_90d", "paid_per_order_placed_90d")
    assert built(events, *names) == [0.05, 0.5, 0.5, 1.0]


@pytest.mark.parametrize(
    ("days", "stage", "in_stage"),
    [
        ((12,), "new", 12.0),
        ((80, 70, 60, 50, 40, 20, 5), "active", 50.0),
        ((200, 60, 40, 20, 5), "active", 60.0),  # came back after 140 days
        ((200, 50), "silent", 20.0),
        ((200, 95), "lost", 5.0),
    ],
)
def test_days_in_the_stage(days: tuple[int, ...], stage: str, in_stage: float):
    events = [ago(EventType.VIEW, day) for day in days]
    assert built(events, "lifecycle_stage", "days_in_stage") == [stage, in_stage]


def test_expected_visits_follow_from_his_own_pauses():
    events = [ago(EventType.VIEW, day) for day in (23, 13, 8)]
    names = ("active_gap_mean", "days_to_next_visit", "visit_overdue", "visit_lateness")
    assert built(events, *names) == [7.5, -0.5, pytest.approx(8 / 7.5), pytest.approx(0.5 / 12.5**0.5, abs=1e-6)]


def test_one_category_shown_three_days_running_is_tiring():
    seen = [ago(EventType.VIEW, 20)]
    tea = [ago(EventType.IMPRESSION, day + 0.1, "tea") for day in (1, 2, 3)]
    names = ("shown_category_30d", "shown_category_run_30d", "tired_of_category")
    assert built(seen + tea, *names) == ["Drinks > Tea", 3, True]
    cups = [ago(EventType.IMPRESSION, 2.2, "cup"), ago(EventType.IMPRESSION, 2.3, "cup")]
    assert built(seen + tea + cups, *names) == ["Drinks > Tea", 1, False]


def test_tea_bought_every_ten_days_is_due():
    events = [ago(EventType.PURCHASE, day, "tea", amount=10.0) for day in (43, 33, 23, 13)]
    events += [ago(EventType.PURCHASE, day, "cup", amount=10.0) for day in (99, 98, 97)]
    names = ("regular_category_interval", "overdue_category", "categories_due", "overdue_item", "items_due")
    assert built(events, *names) == [10.0, "Drinks > Tea", 1, "tea", 1]


def test_no_person_does_six_hundred_things_in_an_hour():
    burst = [ago(EventType.CLICK, 3.49 + number / 1e6, "tea") for number in range(601)]
    assert built(burst, "busiest_hour_actions_30d", "suspected_fake") == [601, True]
    assert built(burst[:600], "busiest_hour_actions_30d", "suspected_fake") == [600, False]


def test_invitations_that_brought_somebody():
    events = [
        ago(EventType.INVITE, day, invited_user_id=who) for day, who in ((9.4, "b"), (9.5, "b"), (8, None), (7, "d"))
    ]
    assert built(events, "invites", "invited_users", "invite_success") == [4, 2, 0.5]


def test_missing_spend_to_the_next_level():
    events = [ago(EventType.PURCHASE, 9, "tea", amount=250.0)]
    assert built(events, "member_level", "spend_to_next_level") == ["V2", 750.0]


def test_properties_of_the_wrong_type_are_nothing():
    events = [
        ago(EventType.DWELL, 2, dwell_seconds="12"),
        ago(EventType.DWELL, 2.1, query='"dwell_seconds": 4, '),
        ago(EventType.VIEW, 2.2, dwell_seconds=50),
        ago(EventType.REVIEW, 2, rating="good"),
        ago(EventType.DWELL, 3) | {c.PROPERTIES: "no JSON"},
    ]
    assert built(events, "dwell_seconds", "impossible_dwell_share", "rating_mean") == [0.0, None, None]
