import string

import numpy as np
import pytest

from features.tags import catalogue
from training.models.reasons import PHRASES, concept, say, strongest

COLUMNS = (
    "orders_30d",
    "orders_90d",
    "days_since_purchase",
    "spend",
    "rhythm_no_purchase",
    "rhythm_expected_purchases",
)


def test_windows_of_one_tag_count_together_and_the_strongest_speaks() -> None:
    parts = np.array([[0.2, 0.3, 0.4, -0.5, 0.0, 0.0]])
    index, weight = strongest(parts, COLUMNS, np.array([True]))
    assert [COLUMNS[i] for i in index[0] if i >= 0] == ["orders_90d", "days_since_purchase"]
    np.testing.assert_allclose(weight[0], [0.5, 0.4, 0.0])


def test_safe_users_are_told_what_lowers_their_risk() -> None:
    parts = np.array([[0.2, 0.3, 0.4, -0.5, -0.1, -0.2]])
    index, weight = strongest(parts, COLUMNS, np.array([False]))
    assert [COLUMNS[i] for i in index[0] if i >= 0] == ["spend", "rhythm_expected_purchases"]
    assert (weight[0, :2] < 0).all()


def test_when_nothing_fits_the_other_kind_is_told() -> None:
    index, weight = strongest(np.array([[0.0, 0.0, 0.0, -0.5, 0.0, 0.0]]), COLUMNS, np.array([True]))
    assert COLUMNS[index[0, 0]] == "spend"
    assert weight[0, 0] == -0.5


def test_words_in_english_and_chinese() -> None:
    reason = say("orders_90d", 1.0, 0.5, {})
    assert (reason.text, reason.text_zh) == ("only 1 orders in the last 90 days", "近90天仅 1 笔订单")
    assert reason.raises
    assert say("days_since_purchase", 41.7, 0.5, {}).text == "last purchase 41.7 days ago"


def test_a_tag_without_a_phrase_or_value_is_named_by_its_title() -> None:
    titles = {"favorites_7d": ("Favourites, last 7 days", "近7天收藏次数"), "spend": ("Spend", "消费金额")}
    assert say("favorites_7d", 3.0, -0.1, titles).text_zh == "近7天收藏次数：3"
    unknown = say("spend", float("nan"), 0.1, titles)
    assert unknown.text == "Spend: unknown"
    assert unknown.value is None


@pytest.mark.parametrize("stem", sorted(PHRASES))
def test_phrases_speak_of_real_tags_and_fill_in(stem: str) -> None:
    if stem != "rhythm":
        assert any(concept(name) == stem for name in catalogue())
    for text in (*PHRASES[stem].raises, *PHRASES[stem].lowers):
        assert {field for _, field, _, _ in string.Formatter().parse(text) if field} <= {"value", "window"}
