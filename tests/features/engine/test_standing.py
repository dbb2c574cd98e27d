import pyarrow as pa
import pytest

from features.engine.standing import standing
from features.engine.summary import summary_of

USERS = 1000


def share(value, values):
    found = standing(value, summary_of(pa.chunked_array([values])), len(values))
    return None if found is None else found.share


def test_a_number_is_unusual_towards_both_ends():
    values = [float(n) for n in range(USERS)]
    assert share(500.0, values) == pytest.approx(1.0, abs=0.01)
    assert share(950.0, values) == pytest.approx(0.1, abs=0.01)
    assert share(50.0, values) == pytest.approx(0.1, abs=0.01)
    assert share(999.0, values) == pytest.approx(0.02), "no rarer than the outermost quantile shows"
    assert share(5000.0, values) == pytest.approx(1 / USERS)


def test_nothing_is_not_unusual_where_most_have_nothing():
    values = [0] * 900 + [1] * 90 + [5] * 10
    assert share(0, values) == 1.0
    assert share(1, values) == pytest.approx(0.2)
    assert share(5, values) <= share(1, values)


def test_something_is_usual_where_all_have_it():
    values = [3] * USERS
    assert share(3, values) == 1.0
    assert share(4, values) == pytest.approx(1 / USERS)
    assert share(2, values) == pytest.approx(1 / USERS)


def test_a_word_counts_all_that_are_as_rare():
    values = ["often"] * 700 + ["some"] * 200 + ["rare"] * 60 + ["too"] * 40
    assert share("often", values) == pytest.approx(1.0)
    assert share("some", values) == pytest.approx(0.3)
    assert share("rare", values) == pytest.approx(0.1)
    assert share("unheard", values) == pytest.approx(1 / USERS)
    assert share("u7", [f"u{n}" for n in range(USERS)]) == pytest.approx(1.0, abs=0.02), "everybody has one of his own"


def test_a_flag_is_unusual_when_few_have_it():
    values = [True] * 30 + [False] * 970
    assert share(True, values) == pytest.approx(0.03)
    assert share(False, values) == 1.0


def test_nulls_do_not_count_and_say_nothing():
    values = [None] * 900 + [True] * 10 + [False] * 90
    assert share(None, values) is None
    assert share(True, values) == pytest.approx(0.1)
    assert share(1.0, [None, None]) is None


def test_bits_double_the_rarity():
    summary = summary_of(pa.chunked_array([[True] * 25 + [False] * 75]))
    found = standing(True, summary, 100)
    assert found is not None
    assert found.bits == pytest.approx(2.0)
