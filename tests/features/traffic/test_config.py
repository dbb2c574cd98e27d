"""Limits come from a file, and what is wrong with it is named."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts.config import load_config, parse_config
from features.contracts.errors import ConfigError, MissingStateError, UnreadableSourceError
from features.contracts.knowledge import FLAG_SCHEMA
from features.lake import Lake
from features.lake.flags import Judgement
from features.traffic import RULES, TrafficConfig, evaluate, mark, report
from features.traffic.rule import Rule
from tests.features.traffic.mall import NOW

FILE = Path(__file__).parents[3] / "configs" / "traffic.yaml"


def test_the_file_that_ships_says_the_defaults() -> None:
    assert load_config(TrafficConfig, FILE) == TrafficConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("burst:\n  second: 5\n", "traffic.yaml:2: burst.second: Extra inputs"),
        ("burst:\n  limits:\n    viev: 5\n", "burst.limits.viev"),
        ("burst:\n  limits:\n    impression: 5\n", "impression is what the mall does"),
        ("metronome:\n  spread: 2\n", "traffic.yaml:2: metronome.spread: Input should be less than 1"),
        ("window_days: 0\n", "traffic.yaml:1: window_days"),
        ("forest:\n  night_hours: [3, 24]\n", "forest.night_hours must be hours"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("[", r"\[")):
        parse_config(TrafficConfig, text, "traffic.yaml")


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_says_what_it_means_in_both_languages_and_has_limits(rule: Rule) -> None:
    assert rule.meaning.isascii()
    assert not rule.meaning_zh.isascii()
    assert rule.name in TrafficConfig.model_fields


def test_an_empty_lake_has_nothing_to_judge(lake: Lake) -> None:
    with pytest.raises(MissingStateError, match="mallard ingest"):
        mark(lake, TrafficConfig(), now=NOW)
    with pytest.raises(MissingStateError, match="mallard traffic mark"):
        report(lake)
    with pytest.raises(MissingStateError, match="mallard traffic mark"):
        evaluate(lake, FILE)
    assert lake.flag_days() == {}


def test_a_truth_that_is_none(lake: Lake, tmp_path: Path) -> None:
    lake.commit_flags([Judgement(NOW.date(), FLAG_SCHEMA.empty_table(), {})], now=NOW)
    with pytest.raises(UnreadableSourceError, match="not a Parquet file"):
        evaluate(lake, FILE)
    with pytest.raises(UnreadableSourceError, match="no such file"):
        evaluate(lake, tmp_path / "fraud.parquet")
    pq.write_table(pa.table({"item_id": ["i1"]}), tmp_path / "items.parquet")
    with pytest.raises(UnreadableSourceError, match="no column event_id, kind"):
        evaluate(lake, tmp_path / "items.parquet")
