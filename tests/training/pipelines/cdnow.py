"""A slice of CDNOW as events, small enough to fit models in tests."""

from datetime import UTC, datetime
from functools import cache
from importlib.metadata import files
from pathlib import Path

import pandas as pd
import pyarrow as pa

from features.contracts import columns as c
from features.contracts.events import EVENT_SCHEMA, EventType
from training.models.churn_config import BoostingConfig, ChurnConfig, ChurnLabel, SnapshotConfig

CUTOFF = datetime(1997, 12, 31, tzinfo=UTC)
#: Enough tags to learn from, few enough to build in no time.
TAGS = ("orders", "orders_90d", "spend", "pieces", "purchase_gap_mean", "max_order_value")


@cache
def events(every: int = 12) -> pa.Table:
    """The purchases of each ``every``-th customer."""
    file = next(f for f in files("lifetimes") or [] if f.name == "CDNOW_master.txt")
    names = ["customer", "date", "cds", "dollars"]
    log = pd.read_csv(Path(str(file.locate())), sep=r"\s+", header=None, skiprows=1, names=names)
    log = log[log["customer"].astype(int) % every == 0]
    columns = {
        c.EVENT_ID: [f"e{row}" for row in range(len(log))],
        c.EVENT_TYPE: [EventType.PURCHASE.value] * len(log),
        c.USER_ID: [f"{int(customer):05d}" for customer in log["customer"]],
        c.OCCURRED_AT: [datetime.strptime(str(day), "%Y%m%d").replace(tzinfo=UTC) for day in log["date"]],
        c.QUANTITY: log["cds"].astype(float).tolist(),
        c.AMOUNT: log["dollars"].astype(float).tolist(),
    }
    return pa.table(
        {field.name: pa.array(columns.get(field.name, [None] * len(log)), field.type) for field in EVENT_SCHEMA},
        schema=EVENT_SCHEMA,
    )


def config(**changes: object) -> ChurnConfig:
    """Small settings with a horizon of 60 days."""
    values: dict[str, object] = {
        "label": ChurnLabel.model_validate({"horizon": "60d"}),
        "snapshots": SnapshotConfig(most=9),
        "boosting": BoostingConfig(rounds=(20, 40), members=2, threads=1),
        "tags": TAGS,
    }
    return ChurnConfig.model_validate({**values, **changes})
