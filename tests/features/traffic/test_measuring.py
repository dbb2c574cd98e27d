"""Reports and evaluation count events once, by day, rule and kind."""

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.contracts.events import EventType
from features.lake import Lake
from features.traffic import TrafficConfig, evaluate, mark, report
from tests.features.traffic.conftest import fill
from tests.features.traffic.mall import NOW, START, Mall

NOON = START + timedelta(hours=12)


def test_marks_are_counted_and_measured(lake: Lake, tmp_path: Path) -> None:
    mall = Mall()
    both = [mall.add(EventType.CLICK, "bot", NOON + timedelta(seconds=n / 2), item_id="i1") for n in range(100)]
    slow = [mall.add(EventType.CLICK, "slow", NOON + timedelta(hours=n % 5, seconds=n * n)) for n in range(10)]
    mall.visit("honest", NOON, 20)
    mall.visit("honest", NOON + timedelta(days=1), 20)
    mark(fill(lake, mall), TrafficConfig(), now=NOW)

    lines = {line.rule: line for line in report(lake)}
    assert set(lines) == {"any", "burst", "metronome"}
    assert {(line.events, line.users, line.day) for line in lines.values()} == {(100, 1, START.date())}
    assert lines["any"].share == 100 / 150
    assert report(lake, since=(START + timedelta(days=1)).date()) == []

    truth = tmp_path / "fraud.parquet"
    kinds = ["bot"] * 50 + ["slow"] * 10
    pq.write_table(pa.table({"event_id": both[:50] + slow, "kind": kinds, "ring": [0] * 60}), truth)
    scores = {(score.what, score.name): score for score in evaluate(lake, truth)}
    assert scores["all", "all"].precision == 0.5
    assert scores["all", "all"].recall == 50 / 60
    assert scores["kind", "bot"].recall == 1
    assert scores["kind", "slow"].recall == 0
    assert scores["kind", "slow"].precision is None
    assert scores["rule", "burst"].precision == 0.5
    assert scores["rule", "burst"].recall is None
