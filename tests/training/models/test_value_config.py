"""The files that ship show the defaults, and nonsense in them is refused by key."""

import pytest

from features.contracts.config import load_config, parse_config
from features.contracts.errors import ConfigError
from tests.docs.test_pages import ROOT
from training.models.uplift_config import UpliftConfig
from training.models.value_config import ValueConfig


def test_the_shipped_files_show_the_defaults() -> None:
    assert load_config(ValueConfig, ROOT / "configs" / "value.yaml") == ValueConfig()
    assert load_config(UpliftConfig, ROOT / "configs" / "uplift.yaml") == UpliftConfig()


def test_nonsense_is_refused_by_key() -> None:
    with pytest.raises(ConfigError, match="horizons must be different and ascending"):
        parse_config(ValueConfig, "horizons: [90, 30]", "value.yaml")
    with pytest.raises(ConfigError, match="only such as need no message"):
        parse_config(UpliftConfig, "outcome: {events: [message_open]}", "uplift.yaml")
    with pytest.raises(ConfigError, match="half_life"):
        parse_config(UpliftConfig, "half_life: 3", "uplift.yaml")
