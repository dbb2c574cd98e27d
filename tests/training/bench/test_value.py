"""The value bench on a slice of CDNOW."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.contracts.errors import ConfigError, NotEnoughDataError
from tests.training.models.test_value import CONFIG as SETTINGS
from tests.training.pipelines import cdnow
from training.bench.report import table
from training.bench.value import bench_value
from training.pipelines.value import BASELINES

CONFIG = """
name: cdnow-slice
interactions: {path: events.parquet, columns: {user_id: user_id, occurred_at: occurred_at, amount: amount}}
horizons: [30d, 120d]
cutoffs: [1998-03-31]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pq.write_table(cdnow.events().select(["user_id", "occurred_at", "amount"]), tmp_path / "events.parquet")
    (tmp_path / "bench.yaml").write_text(CONFIG)
    return tmp_path


def test_a_window_that_closes_is_judged_beside_every_baseline(folder: Path) -> None:
    result = bench_value(folder / "bench.yaml", SETTINGS)
    assert [(part["cutoff"], part["horizon_days"]) for part in result["cutoffs"]] == [("1998-03-31", 30)]
    judged = result["cutoffs"][0]
    assert [row["kind"] for row in judged["rows"]] == ["pipeline", *["baseline"] * len(BASELINES)]
    ours, *others = (row["metrics"]["gini"] for row in judged["rows"])
    assert judged["paired"]["low"] < judged["paired"]["mean"] < judged["paired"]["high"]
    assert judged["paired"]["mean"] == pytest.approx(ours - max(others), abs=1e-9)
    assert result["interactions"] == cdnow.events().num_rows
    assert "cdnow-slice" in table(result)


def test_what_cannot_be_judged_is_named(folder: Path) -> None:
    (folder / "bench.yaml").write_text(CONFIG.replace("[1998-03-31]", "[1998-06-20]"))
    with pytest.raises(NotEnoughDataError, match="no window closes before the data end"):
        bench_value(folder / "bench.yaml", SETTINGS)
    (folder / "bench.yaml").write_text(CONFIG.replace("30d", "36h"))
    with pytest.raises(ConfigError, match="whole days"):
        bench_value(folder / "bench.yaml", SETTINGS)
