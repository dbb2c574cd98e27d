"""Randomised messages in a lake become a trial; what is none is named."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.contracts import columns as c
from features.contracts import properties as p
from features.contracts.errors import NotEnoughDataError
from features.contracts.events import EventType
from features.engine import EventTables
from features.engine.sent import messages_sent
from features.lake import Lake
from tests.features import mall
from tests.serving.conftest import home_at
from training.models.uplift_config import UpliftConfig
from training.pipelines.uplift_trial import campaigns_of, lake_trial

START = mall.START
END = START + timedelta(days=60)
USERS = 120
CONFIG = UpliftConfig.model_validate({"tags": ["active_days", "days_since_active"], "campaigns": 3})
MakeLake = Callable[[dict[str, Any] | None], Lake]


@pytest.fixture
def make_lake(tmp_path: Path) -> MakeLake:
    """Every user visits on the first day; four campaigns, ten days apart, each sent to some of them."""

    def make(properties: dict[str, Any] | None) -> Lake:
        random = np.random.default_rng(8)
        rows = [mall.event(EventType.VIEW, f"u{n:03}", START + timedelta(hours=n % 20)) for n in range(USERS)]
        for campaign in range(4):
            moment = START + timedelta(days=10 * (campaign + 1), hours=2)
            for n in np.flatnonzero(random.random(USERS) < 0.5):
                about = {p.CAMPAIGN: f"c{campaign}", p.PROPENSITY: 0.5} if properties is None else properties
                sent = {c.PROPERTIES: json.dumps(about)}
                rows.append(mall.event(EventType.MESSAGE_SENT, f"u{n:03}", moment, **sent))
                if n % 2:
                    rows.append(mall.event(EventType.VIEW, f"u{n:03}", moment + timedelta(hours=5)))
        rows.append(mall.event(EventType.VIEW, "late", START + timedelta(days=25)))
        rows.append(mall.event(EventType.VIEW, "u000", END))
        lake = Lake(home_at(tmp_path))
        lake.append_events(mall.table(rows), batch_id="all")
        return lake

    return make


def test_messages_are_read_with_campaign_and_probability(make_lake: MakeLake) -> None:
    told = messages_sent(make_lake(None), END).to_pylist()
    assert {(row[p.CAMPAIGN], row[p.PROPENSITY]) for row in told} == {(f"c{n}", 0.5) for n in range(4)}
    assert 180 < len(told) < 300


def test_who_was_passed_over_is_who_was_sent_another_campaign(make_lake: MakeLake) -> None:
    lake = make_lake(None)
    campaigns = campaigns_of(lake, END, CONFIG)
    assert [campaign.name for campaign in campaigns] == ["c3", "c2", "c1"]
    found = lake_trial(EventTables.from_lake(lake), campaigns, END, CONFIG)
    trial = found.trial
    assert set(found.user_id) <= {f"u{n:03}" for n in range(USERS)}
    assert (trial.propensity == 0.5).all()
    assert 0.4 < trial.treated.mean() < 0.6
    odd = np.array([int(user[1:]) % 2 for user in found.user_id], dtype=bool)
    assert (trial.outcome == (trial.treated & odd)).all()
    assert found.spend_per_outcome == 0


def test_tags_are_those_before_the_campaign(make_lake: MakeLake) -> None:
    lake = make_lake(None)
    campaigns = campaigns_of(lake, END, CONFIG)
    found = lake_trial(EventTables.from_lake(lake), campaigns[-1:], END, CONFIG)
    since = found.examples["days_since_active"].to_numpy()
    assert campaigns[-1].start == START + timedelta(days=20, hours=2)
    assert since.min() > 9  # nobody is said to be active because the message brought him


@pytest.mark.parametrize(
    ("properties", "match"),
    [
        ({}, "propensity unknown: no message_sent event names"),
        ({p.CAMPAIGN: "c", p.PROPENSITY: 1}, "no randomised arm: every message"),
    ],
)
def test_what_is_no_experiment_is_named(make_lake: MakeLake, properties: dict[str, Any], match: str) -> None:
    with pytest.raises(NotEnoughDataError, match=match):
        campaigns_of(make_lake(properties), END, CONFIG)


def test_probabilities_that_differ_within_a_group_are_not_known(make_lake: MakeLake, tmp_path: Path) -> None:
    lake = make_lake(None)
    more = [
        mall.event(EventType.MESSAGE_SENT, "u001", START + timedelta(days=10 * (n + 1), hours=3),
                   **{c.EVENT_ID: f"m{n}", c.PROPERTIES: json.dumps({p.CAMPAIGN: f"c{n}", p.PROPENSITY: 0.9})})
        for n in range(4)
    ]  # fmt: skip
    lake.append_events(mall.table(more), batch_id="more")
    with pytest.raises(NotEnoughDataError, match="propensity unknown: none of 4 closed campaigns"):
        campaigns_of(lake, END, CONFIG)
