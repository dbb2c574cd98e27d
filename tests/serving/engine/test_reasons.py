"""The sentences under recommended items."""

import numpy as np
import pytest

from serving.engine.reasons import WORDS, habit_with, reason_for
from serving.rules import Purchases, Text
from training.interactions import SECONDS_PER_DAY
from training.models.source import sources

NOW = 100 * SECONDS_PER_DAY
NOTHING = Purchases.of(np.empty(0, np.int32), np.empty(0, np.int64))


class Shelf:
    def title(self, item: int) -> str | None:
        return "Tea {1}" if item == 1 else None

    def category(self, item: int) -> str | None:
        return "Fruit" if item == 2 else None


def bought(*days_ago: int) -> Purchases:
    times = np.array([NOW - day * SECONDS_PER_DAY for day in days_ago], np.int64)
    return Purchases.of(np.full(len(times), 7, np.int32), times)


@pytest.mark.parametrize("name", sources())
def test_every_source_has_words_of_its_own(name: str) -> None:
    """A source without a sentence would be recommended "for you", which explains nothing."""
    words = WORDS[name]
    assert words.plain.en
    assert words.plain.zh
    others = {n: w.plain.en for n, w in WORDS.items() if n != name}
    assert words.plain.en not in others.values()
    for text in (words.because, words.category):
        assert text is None or ("{" in text.en and "{" in text.zh)


@pytest.mark.parametrize("name", WORDS)
def test_no_sentence_has_a_hole(name: str) -> None:
    for item in (2, 3):
        for because in (-1, 0, 1):
            text = reason_for(name, item, because, Shelf())
            assert "None" not in text.en + text.zh
            if because != 1:
                assert "{" not in text.en + text.zh


def test_what_speaks_for_an_item_is_named_when_it_has_a_name() -> None:
    assert reason_for("covisit", 3, 1, Shelf()).en == "often bought after “Tea {1}”"
    assert reason_for("covisit", 3, 0, Shelf()).en == "often taken after what you had"
    assert reason_for("complements", 3, 1, Shelf()).zh == "常与「Tea {1}」一起购买"
    assert reason_for("arrivals", 2, -1, Shelf()).en == "new in Fruit"
    assert reason_for("arrivals", 3, -1, Shelf()).en == "just arrived"
    assert reason_for("one nobody knows", 3, 1, Shelf()).en == "recommended for you"


def test_a_habit_is_told_with_its_interval() -> None:
    text = habit_with(7, bought(34, 22, 10), NOW)
    assert text is not None
    assert text.en == "you buy this about every 12 days, last 10 days ago"
    assert text.zh == "您大约每 12 天购买一次，上次在 10 天前"
    assert habit_with(7, bought(2, 1), NOW) == Text(
        "you buy this about every 1 day, last 1 day ago", "您大约每 1 天购买一次，上次在 1 天前"
    )
    assert habit_with(7, bought(5), NOW) == Text("you bought it before", "您曾买过")
    assert habit_with(8, bought(5), NOW) is None
    assert habit_with(7, NOTHING, NOW) is None
