"""The YAML interface of the benchmarks: what it takes, and what it says when it does not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.contracts.config import load_config, parse_config
from features.contracts.errors import ConfigError
from features.contracts.events import EventType
from training.bench.config import (
    ChurnBench,
    GivenSplitSpec,
    LeaveOneOutSpec,
    RecommendBench,
    Seen,
    TemporalSplitSpec,
    UpliftBench,
    ValueBench,
)

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"

WHOLE = """
name: my-mall
interactions:
  path: events.parquet
  columns: {user_id: u, item_id: i, occurred_at: ts, event_type: kind, amount: value, quantity: qty, order_id: basket}
  event_map: {buy: purchase}
items: {path: items.parquet, columns: {item_id: i, category: c}}
split: {kind: temporal, cutoff: 2011-10-10, horizon: 28d, target: [purchase]}
seen: include
k: [20, 5, 10]
budget_minutes: 20
"""

CHURN = """
name: my-mall-churn
interactions: {path: events.csv}
label: {event: purchase, horizon: 90d}
population: {min_events: 1, active_within: null}
cutoffs: [2011-09-10]
"""


def recommend(split: str, interactions: str = "{path: e.csv}", more: str = "") -> RecommendBench:
    text = f"name: x\ninteractions: {interactions}\nsplit: {split}\n{more}\n"
    return parse_config(RecommendBench, text, "bench.yaml")


def test_every_documented_key() -> None:
    config = parse_config(RecommendBench, WHOLE, "bench.yaml")
    assert config.k == (5, 10, 20)
    assert config.seen is Seen.INCLUDE
    assert isinstance(config.split, TemporalSplitSpec)
    assert config.split.cutoff == datetime(2011, 10, 10, tzinfo=UTC)
    assert config.split.horizon == timedelta(days=28)
    assert config.split.target == (EventType.PURCHASE,)


def test_churn_file() -> None:
    config = parse_config(ChurnBench, CHURN, "bench.yaml")
    assert config.label.horizon == timedelta(days=90)
    assert config.population.active_within is None
    assert config.cutoffs == (datetime(2011, 9, 10, tzinfo=UTC),)


def test_other_splits_and_sources() -> None:
    assert isinstance(recommend("{kind: leave_one_out}", "{sequences: a.txt.gz}").split, LeaveOneOutSpec)
    given = recommend("{kind: given, test: t.parquet, columns: {user_id: u}}", "{sample: complete-journey}").split
    assert isinstance(given, GivenSplitSpec)


@pytest.mark.parametrize(
    ("horizon", "expected"),
    [("28d", timedelta(28)), ("4w", timedelta(28)), ("36h", timedelta(1.5)), ("7", timedelta(7))],
)
def test_durations(horizon: str, expected: timedelta) -> None:
    split = recommend(f"{{kind: temporal, cutoff: 2011-10-10, horizon: {horizon}}}").split
    assert isinstance(split, TemporalSplitSpec)
    assert split.horizon == expected


@pytest.mark.parametrize(
    ("cutoff", "expected"),
    [
        ("2011-10-10", datetime(2011, 10, 10, tzinfo=UTC)),
        ("2011-10-10T12:00:00+02:00", datetime(2011, 10, 10, 10, tzinfo=UTC)),
        ('"2011-10-10 06:30"', datetime(2011, 10, 10, 6, 30, tzinfo=UTC)),
    ],
)
def test_moments_are_utc(cutoff: str, expected: datetime) -> None:
    split = recommend(f"{{kind: temporal, cutoff: {cutoff}, horizon: 28d}}").split
    assert isinstance(split, TemporalSplitSpec)
    assert split.cutoff == expected


@pytest.mark.parametrize(
    ("split", "interactions", "more", "message"),
    [
        ("{kind: random}", "{path: e.csv}", "", "random"),
        ("{kind: given}", "{path: e.csv}", "", "test: Field required"),
        ("{kind: given, test: t.csv, columns: {user: u}}", "{path: e.csv}", "", "'user' is not read from a test file"),
        ("{kind: temporal, cutoff: soon, horizon: 28d}", "{path: e.csv}", "", "'soon' is not a date"),
        ("{kind: temporal, cutoff: 2011-10-10, horizon: 28x}", "{path: e.csv}", "", "'28x' is not a duration"),
        ("{kind: temporal, cutoff: 2011-10-10, horizon: 0d}", "{path: e.csv}", "", "'0d' is not a duration"),
        ("{kind: temporal, cutoff: 2011-10-10, horizon: 1d, target: []}", "{path: e.csv}", "", "target"),
        ("{kind: temporal, cutoff: 2011-10-10, horizon: 1d, target: [review]}", "{path: e.csv}", "", "map 'review'"),
        ("{kind: temporal, cutoff: 2011-10-10, horizon: 1d}", "{sequences: s.txt}", "", "has only an order"),
        (
            "{kind: temporal, cutoff: 2011-10-10, horizon: 1d}",
            "{path: e.csv, columns: {user_id: u, item_id: i}}",
            "",
            "maps no occurred_at",
        ),
        ("{kind: leave_one_out}", "{path: e.csv}", "seen: maybe", "bench.yaml:4: seen"),
        ("{kind: leave_one_out}", "{path: e.csv}", "k: [0]", "bench.yaml:4: k"),
        ("{kind: leave_one_out}", "{path: e.csv}", "budget_minutes: 0", "bench.yaml:4: budget_minutes"),
        (
            "{kind: leave_one_out}",
            "{path: e.csv}",
            "colour: red",
            "bench.yaml:4: colour: Extra inputs are not permitted",
        ),
        ("{kind: leave_one_out}", "{path: e.csv, colums: {}}", "", "interactions.colums"),
        ("{kind: leave_one_out}", "{path: e.csv, sequences: s.txt}", "", "exactly one of path, sequences and sample"),
    ],
)
def test_mistakes_are_named(split: str, interactions: str, more: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        recommend(split, interactions, more)
    assert message in str(caught.value)
    assert "bench.yaml:" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("event: purchase", "event: message_sent", "done by the mall"),
        ("event: purchase", "event: buy", "label.event"),
        ("min_events: 1", "min_events: 0", "population.min_events"),
        ("[2011-09-10]", "[]", "cutoffs"),
        ("{path: events.csv}", "{sequences: s.txt}", "has only an order"),
        ("horizon: 90d", "horizon: long", "'long' is not a duration"),
    ],
)
def test_mistakes_in_a_churn_file_are_named(old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(ChurnBench, CHURN.replace(old, new), "bench.yaml")
    assert message in str(caught.value)


@pytest.mark.parametrize("file", sorted(BENCHMARKS.glob("*.yaml")), ids=lambda f: f.name)
def test_the_files_of_the_repository_load(file: Path) -> None:
    kinds = {"churn": ChurnBench, "value": ValueBench, "uplift": UpliftBench}
    model = kinds.get(file.stem.rpartition("_")[2], RecommendBench)
    assert load_config(model, file).name.replace("-", "_") == file.stem


def test_every_file_of_the_repository_is_in_its_readme() -> None:
    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    assert all(f"`{file.name}`" in readme for file in BENCHMARKS.glob("*.yaml"))
