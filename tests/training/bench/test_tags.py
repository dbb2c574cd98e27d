"""How fast tags are built: the benchmark runs on a small mall, and its values are those of pandas."""

from pathlib import Path

from features.lake import Lake
from features.simulator import make_world, simulate
from training.bench.report import table
from training.bench.tags import _home, bench_tags

WORLD = make_world(users=300, items=60, days=12, events=9_000, seed=4)


def test_every_step_has_its_cost_and_pandas_agrees(tmp_path: Path) -> None:
    mall = simulate(WORLD, tmp_path / "mall").folder
    result = bench_tags(mall, tmp_path / "work")
    assert result["values_that_differ_from_pandas"] == 0
    assert 0 < result["new_events"] < result["events"]
    taken = Lake(_home(tmp_path / "work"))
    assert sum(1 for _ in taken.event_files()) > 1, "the lake is kept, without the last day"
    steps = [row["model"] for row in result["rows"]]
    assert len(steps) == len(set(steps)) == 7
    assert all(row["seconds"] > 0 and row["peak_mb"] > 0 for row in result["rows"])
    shown = table(result)
    assert all(step in shown for step in steps)
