"""What reasons say, and of what they may speak: every tag that churn may read is found by itself."""

import re

import numpy as np
import pytest

from features.tags import catalogue
from features.tags.spec import Privacy, closure
from training.models.churn import required_tags
from training.models.churn_features import RHYTHM_COLUMNS
from training.models.reasons import CHINESE, concept, say, stem
from training.models.reasons.concepts import CONCEPTS
from training.pipelines.churn_data import candidate_tags

NAN = float("nan")
READ = sorted(required_tags(candidate_tags()))
STEMS = [name for phrases in CONCEPTS.values() for name in phrases]
OF_RHYTHM = set(RHYTHM_COLUMNS)
SENSITIVE = re.compile(
    r"\b(age|aged|old|gender|sex|man|men|woman|women|male|female|his|her|he|she|city|province|region|married|children|"
    r"religion|health|income)\b|年龄|岁|性别|男|女|城市|省|地区|婚|孩|宗教|健康|收入",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", READ)
def test_every_tag_that_churn_may_read_has_a_concept_and_words_in_both_languages(name: str) -> None:
    assert concept(name) in CONCEPTS
    for value in (0.0, 1.0, 3.0, 0.37, 41.7, 1234.5):
        for weight in (0.3, -0.3):
            said = say(name, value, weight, {})
            assert not said.text.startswith(f"{name}:")
            assert re.search(r"[\u4e00-\u9fff]", said.text_zh)
            assert not re.search(r"[\u4e00-\u9fff{}]|nan", said.text)
            assert not SENSITIVE.search(said.text), said.text
            assert not SENSITIVE.search(said.text_zh), said.text_zh


def test_words_are_kept_for_tags_of_behaviour_alone_each_once() -> None:
    assert len(STEMS) == len(set(STEMS))
    assert set(CHINESE) == set(CONCEPTS)
    tags: dict[str, list[str]] = {}
    for name in catalogue():
        tags.setdefault(stem(name), []).append(name)
    for name in set(STEMS) - OF_RHYTHM:
        assert all(tag.privacy is Privacy.BEHAVIOUR for tag in closure(tags[name]))


@pytest.mark.parametrize(
    ("name", "value", "beside", "weight", "english", "chinese"),
    [
        ("sessions_30d", 2.0, 11.0, 0.5, "visits fell from 9 to 2 in a month", "近30天访问由之前30天的 9 降至 2"),
        ("sessions_30d", 9.0, 11.0, -0.5, "visits rose from 2 to 9 in a month", "近30天访问由之前30天的 2 升至 9"),
        ("sessions_30d", 9.0, 11.0, 0.5, "only 9 visits in the last 30 days", "近30天仅 9 次访问"),
        ("orders_90d", 1.0, NAN, 0.5, "only 1 order in the last 90 days", "近90天仅 1 笔订单"),
        ("orders_90d", 0.0, NAN, 0.5, "no orders in the last 90 days", "近90天没有订单"),
        ("messages_since_opened", 4.0, NAN, 0.5, "opened none of the last 4 messages", "最近 4 条消息均未打开"),
        (
            "purchase_overdue",
            3.0,
            10.2,
            0.5,
            "pause between purchases is 3 times the usual one (10 days)",
            "停购时长已达平时（10 天）的 3 倍",
        ),
        (
            "days_since_purchase",
            41.0,
            14.0,
            0.5,
            "last purchase 41 days ago, usually every 14 days",
            "上次购买在 41 天前，平时约每 14 天一次",
        ),
        ("days_since_search", NAN, NAN, 0.5, "has never searched", "从未搜索"),
        ("refunds_30d", 2.0, NAN, 0.5, "2 refunds in the last 30 days", "近30天有 2 次退款"),
        (
            "message_open_rate_30d",
            0.25,
            NAN,
            0.5,
            "25 % of the messages opened in the last 30 days",
            "近30天消息打开率 25%",
        ),
        ("purchase_weekday", 0.0, NAN, 0.5, "mostly buys on Mondays", "多在周一购买"),
        ("orders_trend_30d", -0.5, NAN, 0.5, "fewer orders than in the 30 days before", "近30天订单少于之前30天"),
        (
            "rhythm_no_purchase",
            0.9,
            NAN,
            0.5,
            "by the own rhythm a purchase in this period is unlikely (10 %)",
            "按自身节奏，本期内购买的可能性低（10%）",
        ),
    ],
)
def test_sentences(name: str, value: float, beside: float, weight: float, english: str, chinese: str) -> None:
    said = say(name, value, weight, {}, beside)
    assert (said.text, said.text_zh) == (english, chinese)
    assert said.raises == (weight > 0)
    assert said.value is None if np.isnan(value) else said.value == value
