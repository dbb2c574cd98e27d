from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts.home import Home
from serving.marketing import SnapshotInfo, save_snapshot
from serving.marketing import columns as m

Save = Callable[[Sequence[dict[str, Any]]], SnapshotInfo]


def row(
    user: str, probability: float, *, tier: str = "yellow", segment: str | None = "silent", value: float | None = 10.0
) -> dict[str, Any]:
    return {
        c.USER_ID: user,
        m.PROBABILITY: probability,
        m.LOW: max(probability - 0.1, 0),
        m.HIGH: min(probability + 0.1, 1),
        m.TIER: tier,
        m.LIFECYCLE: segment,
        m.EXPECTED_PURCHASES: 1.5,
        m.VALUE_AT_RISK: value,
        m.REASONS: "[]",
        c.CONSENT_MARKETING: None,
        m.HOLDOUT: False,
        m.SUPPRESSED: False,
        m.SUPPRESSION_REASON: None,
    }


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "var", tmp_path / "configs", tmp_path / "mlruns")


@pytest.fixture
def save(home: Home) -> Save:
    def write(rows: Sequence[dict[str, Any]]) -> SnapshotInfo:
        return save_snapshot(
            home,
            pa.Table.from_pylist(list(rows), schema=m.SNAPSHOT_SCHEMA),
            as_of=datetime(2026, 1, 1, tzinfo=UTC),
            model_version="m1",
            tag_spec="spec",
            horizon_days=90,
        )

    return write
