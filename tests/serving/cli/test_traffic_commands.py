from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.lake import Lake
from tests.features.traffic.mall import Mall, table


@pytest.fixture
def burst(home):
    """A lake with a hundred clicks within a minute."""
    mall, noon = Mall(), datetime(2026, 1, 1, 12, tzinfo=UTC)
    mall.burst("bot", noon, clicks=100)
    Lake(home).append_events(table(mall.rows), batch_id="burst", now=noon)
    return sorted(mall.fake)


def test_marks_are_made_shown_and_measured(mallard, burst, tmp_path):
    assert mallard("traffic", "report").code == 5
    assert mallard("traffic", "mark").out.startswith("judged 1 of 1 days; they hold 100 marks")
    assert mallard("--json", "traffic", "mark").document["judged"] == []
    lines = mallard("--json", "traffic", "report").document
    assert [(line["rule"], line["events"], line["users"]) for line in lines] == [("any", 100, 1), ("burst", 100, 1)]
    assert "more events of one kind" in mallard("traffic", "report", "--since", "2026-01-01").out
    truth = tmp_path / "fraud.parquet"
    pq.write_table(pa.table({"event_id": burst, "kind": ["bot"] * 100}), truth)
    scores = mallard("--json", "traffic", "evaluate", truth).document
    assert [(s["name"], s["precision"], s["recall"]) for s in scores] == [
        ("all", 1.0, 1.0), ("bot", None, 1.0), ("burst", 1.0, None),
    ]  # fmt: skip


def test_a_day_that_is_none_and_a_wrong_limit_are_named(mallard, burst, home):
    outcome = mallard("traffic", "mark", "--since", "yesterday")
    assert (outcome.code, "--since 'yesterday' is no day" in outcome.err) == (2, True)
    home.configs.mkdir(exist_ok=True)
    (home.configs / "traffic.yaml").write_text("burst:\n  second: 5\n", encoding="utf-8")
    outcome = mallard("traffic", "mark")
    assert (outcome.code, "traffic.yaml:2: burst.second" in outcome.err) == (2, True)
    assert Lake(home).flag_days() == {}
