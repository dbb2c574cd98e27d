"""Thresholds of the mall's own: read from its file, part of what a tag means."""

from pathlib import Path

import pytest

from features.contracts.errors import ConfigError
from features.contracts.tag_settings import TagSettings, read_settings, tag_settings, using_settings
from features.tags import spec_hash

CONFIGS = Path(__file__).parents[3] / "configs"


def test_the_file_that_comes_with_mallard_gives_the_defaults():
    assert read_settings(CONFIGS) == TagSettings()


def test_without_a_file_the_defaults_hold(tmp_path: Path):
    assert read_settings(tmp_path) == TagSettings()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("price_bands: [10, 50, 40, 1000]", "price_bands: each threshold must be above the one before"),
        ("level_spend: [1, 2]", "level_spend"),
        ("level_spent: [1, 2, 3, 4]", "level_spent"),
        ("lifecycle:\n  active_days: 90", "silent_days .90. must be above active_days .90."),
    ],
)
def test_what_is_wrong_is_told_and_stops_only_who_asks(tmp_path: Path, text: str, told: str):
    (tmp_path / "tags.yaml").write_text(text)
    with using_settings(tmp_path), pytest.raises(ConfigError, match=rf"tags.yaml:\d+: .*{told}"):
        tag_settings()
    assert tag_settings() == TagSettings()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("member_level", TagSettings(level_spend=(1, 2, 3, 4))),
        ("high_value", TagSettings(high_value_monthly_spend=5)),
        ("main_price_band", TagSettings(price_bands=(1, 2, 3, 4))),
        ("tired_of_category", TagSettings(tired_after_days=9)),
    ],
)
def test_a_threshold_is_part_of_what_a_tag_means(name: str, settings: TagSettings):
    before, other = spec_hash([name]), spec_hash(["orders"])
    with using_settings(settings):
        assert spec_hash([name]) != before
        assert spec_hash(["orders"]) == other
    assert spec_hash([name]) == before
