"""Words of titles and attributes."""

import pytest

from training.words import attribute_words, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Whole Milk, 2% fat", {"whole", "milk", "2", "fat"}),
        ("运动鞋", {"运动", "动鞋"}),
        ("大", {"大"}),
        ("Nike男鞋 AIR-90", {"nike", "男鞋", "air", "90"}),
        ("ＭＩＬＫ_Milk", {"milk"}),
        ("抹茶 & café", {"抹茶", "café"}),
        (" -- ", set()),
    ],
)
def test_english_goes_by_word_and_chinese_by_pairs(text, words):
    assert words_of(text) == words


def test_attributes_keep_their_names_and_what_is_empty_says_nothing():
    assert attribute_words('{"size": "14.5 OZ", "maker": 7, "gone": null, "blank": ""}') == {"size=14.5 oz", "maker=7"}


@pytest.mark.parametrize("text", ["", "no json", "[1]", "3"])
def test_what_is_no_object_has_no_attributes(text):
    assert attribute_words(text) == set()
