"""A churn model over the small mall: real parts, fitted on labels that follow from the purchase pause."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from features.contracts import columns as c
from features.tags import spec_hash
from tests.serving import small_mall
from training.models.boosting import Recipe, grow, log_odds
from training.models.btyd import Btyd
from training.models.calibration import Calibrator
from training.models.churn import ChurnModel, required_tags
from training.models.churn_config import ChurnLabel, Population, TierThresholds
from training.models.churn_features import ChurnColumns, direction, purchase_history
from training.models.churn_scorer import Member
from training.models.logistic import Logistic
from training.models.uncertainty import Uncertainty

TREE_TAGS = ("days_since_active", "orders_30d")
HORIZON = 30


def tags(users: int = small_mall.USERS) -> pa.Table:
    """What the model reads and the lifecycle, as a build would give them; user ``u00`` never bought anything."""
    random = np.random.default_rng(3)
    days = random.integers(2, 20, users)
    first = random.uniform(60, 100, users)
    since = random.uniform(1, 59, users)
    bought = np.arange(users) > 0
    columns: dict[str, Any] = {
        c.USER_ID: [f"u{user:02}" for user in range(users)],
        "days_since_active": since / 2,
        "orders_30d": np.where(since < 30, days // 3, 0),
        "purchase_days": np.where(bought, days, 0),
        "days_since_first_purchase": pa.array(first, mask=~bought),
        "days_since_purchase": pa.array(since, mask=~bought),
        "average_order_value": pa.array(random.uniform(5, 50, users), mask=~bought),
        "purchase_days_30d": np.where(since < 30, days // 3, 0),
        "purchase_days_90d": np.where(bought, days // 2, 0),
        "lifecycle_stage": ["silent" if pause > 30 else "active" for pause in since],
    }
    return pa.table(columns)


def model(table: pa.Table) -> ChurnModel:
    """Fitted on ``table``: who paused longest is labelled as gone."""
    history, _ = purchase_history(table)
    rhythm = Btyd.fit(history)
    columns = ChurnColumns.of(table, TREE_TAGS, rhythm, HORIZON)
    pause = np.nan_to_num(table["days_since_purchase"].to_numpy(), nan=99)
    gone = pause > np.median(pause)
    linear = Logistic.fit(columns.linear, gone)
    start = linear.log_odds(columns.linear)
    recipe = Recipe(4, 10, 0.1, 1, tuple(direction(name) for name in columns.names))
    booster = grow(columns.trees, gone, start, recipe, seed=1)
    raw = log_odds(booster, columns.trees) + start
    return ChurnModel(
        label=ChurnLabel.model_validate({"horizon": f"{HORIZON}d"}),
        population=Population(min_events=2),
        tiers=TierThresholds(),
        tags=TREE_TAGS,
        titles={name: (name, name) for name in required_tags(TREE_TAGS)},
        tag_spec=spec_hash(required_tags(TREE_TAGS)),
        rhythm=rhythm,
        linear=linear,
        members=(Member(booster, head_start=True),),
        calibrator=Calibrator.identity(),
        uncertainty=Uncertainty.fit(raw, gone, 0.1),
    )


def write(folder: Path, version: str, table: pa.Table) -> Path:
    """The model as a bundle."""
    model(table).to_bundle(
        folder / version, table, version=version, as_of=small_mall.MIDNIGHT.isoformat(), code_version="test"
    )
    return folder / version
