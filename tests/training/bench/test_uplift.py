"""The uplift bench on tables of experiments."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.contracts.errors import ConfigError, InputError, NotEnoughDataError
from training.bench.report import table
from training.bench.uplift import bench_uplift
from training.models.uplift_config import UpliftConfig

SETTINGS = UpliftConfig.model_validate({"folds": 2, "boosting": {"leaves": (3,), "rounds": (30,), "threads": 1}})
CONFIG = """
name: letters
table:
  path: letters.csv
  treatment: arm
  control: [none]
  outcome: came
  propensity: 0.5
  features: [age, town]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(1)
    n = 8_000
    age, arm = random.integers(18, 80, n), random.choice(["none", "letter"], n)
    effect = np.where(age > 50, 0.25, 0.0) * (arm == "letter")
    rows = {"age": age, "town": random.choice(["x", "y"], n), "arm": arm, "came": random.random(n) < 0.2 + effect}
    pd.DataFrame(rows).assign(came=lambda f: f["came"].astype(int)).to_csv(tmp_path / "letters.csv", index=False)
    (tmp_path / "bench.yaml").write_text(CONFIG)
    return tmp_path


def test_an_effect_that_is_there_is_found_on_held_out_users(folder: Path) -> None:
    result = bench_uplift(folder / "bench.yaml", SETTINGS)
    ours = result["rows"][0]
    assert result["paired"]["low"] > 0
    assert ours["metrics"]["uplift@30%"] == pytest.approx(0.25, abs=0.08)
    assert result["test_users"] == result["users"] / 2 == 4_000
    assert sum(part["users"] for part in result["deciles"]) == 4_000
    assert "uplift@30%" in table(result)


@pytest.mark.parametrize(
    ("before", "after", "error", "match"),
    [
        ("outcome: came", "outcome: left", InputError, "no column 'left'"),
        ("control: [none]", "control: [nobody]", InputError, "never is 'nobody'"),
        ("outcome: came", "outcome: age", InputError, "row 1: 'age' is"),
        ("propensity: 0.5", "propensity: 0.9", NotEnoughDataError, "arms are not random"),
        ("letters.csv\n", "nothing.csv\n", InputError, r"nothing\.csv"),
        ("features: [age, town]", "features: []", ConfigError, "features"),
    ],
)
def test_what_cannot_be_judged_is_named(
    folder: Path, before: str, after: str, error: type[Exception], match: str
) -> None:
    (folder / "bench.yaml").write_text(CONFIG.replace(before, after))
    with pytest.raises(error, match=match):
        bench_uplift(folder / "bench.yaml", SETTINGS)
