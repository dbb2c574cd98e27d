from datetime import timedelta
from pathlib import Path

import pytest

from features.contracts.config import load_config, parse_config
from features.contracts.errors import ConfigError
from training.models.churn_config import ChurnConfig, ChurnLabel

SHIPPED = Path(__file__).parents[3] / "configs" / "churn.yaml"


def test_the_shipped_file_loads_and_names_every_setting() -> None:
    config = load_config(ChurnConfig, SHIPPED)
    assert config.label.horizon == timedelta(days=28)
    assert config.model_copy(update={"label": ChurnLabel()}) == ChurnConfig()
    assert config.model_fields_set == set(ChurnConfig.model_fields)


@pytest.mark.parametrize(("text", "expected"), [("90d", 90), ("4w", 28), ("36h", 1.5), ("7", 7)])
def test_durations(text: str, expected: float) -> None:
    label = ChurnLabel.model_validate({"horizon": text})
    assert label.horizon_days == expected
    assert ChurnLabel.model_validate(label.model_dump(mode="json")) == label


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("label: {horizon: soon}", "label.horizon"),
        ("label: {horizon: 0d}", "label.horizon"),
        ("label: {event: message_sent}", "label.event"),
        ("tiers: {red: 0.4}", "tiers"),
        ("boosting: {rounds: [60, 30]}", "boosting.rounds"),
        ("populaton: {}", "populaton"),
    ],
)
def test_what_is_wrong_is_named(text: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        parse_config(ChurnConfig, text, "churn.yaml")
