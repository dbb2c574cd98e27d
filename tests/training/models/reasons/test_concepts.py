import numpy as np

from training.models.reasons import beside, concept, say, strongest

COLUMNS = (
    "orders_30d",
    "orders_90d",
    "days_since_purchase",
    "spend",
    "rhythm_no_purchase",
    "active_gap_mean",
)


def test_tags_of_one_concept_count_together_and_the_strongest_speaks() -> None:
    parts = np.array([[0.2, 0.3, 0.4, -0.5, 0.3, 0.0]])
    index, weight = strongest(parts, COLUMNS, np.array([True]))
    assert [COLUMNS[i] for i in index[0] if i >= 0] == ["days_since_purchase", "orders_90d"]
    np.testing.assert_allclose(weight[0], [0.7, 0.5, 0.0])


def test_what_says_little_in_words_leaves_the_word_to_another() -> None:
    columns = ("category_entropy_90d", "pieces_90d")
    index, weight = strongest(np.array([[0.4, 0.2]]), columns, np.array([True]))
    assert columns[index[0, 0]] == "pieces_90d"
    assert weight[0, 0] == 0.6000000000000001
    alone, _ = strongest(np.array([[0.4, -0.2]]), columns, np.array([True]))
    assert columns[alone[0, 0]] == "category_entropy_90d"


def test_safe_users_are_told_what_lowers_their_risk() -> None:
    parts = np.array([[0.2, 0.3, 0.4, -0.5, -0.1, -0.2]])
    index, weight = strongest(parts, COLUMNS, np.array([False]))
    assert [COLUMNS[i] for i in index[0] if i >= 0] == ["spend", "active_gap_mean"]
    assert (weight[0, :2] < 0).all()


def test_when_nothing_fits_the_other_kind_is_told() -> None:
    index, weight = strongest(np.array([[0.0, 0.0, 0.0, -0.5, 0.0, 0.0]]), COLUMNS, np.array([True]))
    assert COLUMNS[index[0, 0]] == "spend"
    assert weight[0, 0] == -0.5


def test_beside_a_window_stands_the_one_twice_as_long_and_beside_a_pause_what_is_usual() -> None:
    columns = ("orders_30d", "orders_60d", "days_since_purchase", "purchase_gap_mean", "orders_90d")
    assert beside(columns).tolist() == [1, -1, 3, -1, -1]


def test_a_rule_of_the_mall_is_a_concept_of_its_own_named_by_its_title() -> None:
    assert concept("tea_bought_30d") == "tea_bought"
    said = say("tea_bought_30d", 3.0, -0.1, {"tea_bought_30d": ("Tea bought", "购茶次数")})
    assert (said.text, said.text_zh) == ("Tea bought: 3", "购茶次数：3")


def test_an_unknown_value_is_said_as_unknown() -> None:
    unknown = say("spend", float("nan"), 0.1, {"spend": ("Spend", "消费金额")})
    assert (unknown.text, unknown.text_zh, unknown.value) == ("Spend: unknown", "消费金额：未知", None)
