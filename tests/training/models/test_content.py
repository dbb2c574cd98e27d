"""Likeness by what the catalogue says, with and without events."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.models.logs import PURCHASE, VIEW, history, make_log
from training.interactions import ItemCatalogue
from training.models.content import Content, ContentConfig
from training.models.item_features import FieldWeights, item_features


def codes(*values):
    return np.array(values, dtype=np.int32)


def words(*rows):
    start = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return {"word_start": start, "word": np.array([w for row in rows for w in row], dtype=np.int32)}


def knowing(n, **fields):
    return replace(ItemCatalogue.unknown(n), **fields)


def fitted(catalogue, **settings):
    log = make_log([(0, 0, 0, PURCHASE)], items=len(catalogue.category))
    return Content.fit(replace(log, catalogue=catalogue), ContentConfig(**settings))


def liked(catalogue, events, n=5, **settings):
    return fitted(catalogue, **settings).retrieve(history(events), n, exclude_seen=True).item.tolist()


def test_items_without_events_are_found_by_each_field():
    asked = [(0, 10, PURCHASE)]
    assert liked(knowing(4, category=codes(1, 2, 1, 2), department=codes(0, 1, 0, 1)), asked) == [2]
    assert liked(knowing(4, brand=codes(1, -1, 2, 1)), asked) == [3]
    assert liked(knowing(4, shop=codes(5, 5, -1, 2)), asked) == [1]
    assert liked(knowing(4, price=np.array([10, 11, 400, np.nan], dtype=np.float32)), asked) == [1]
    assert liked(knowing(4, **words([3], [4], [3, 4], [])), asked) == [2]


def test_a_deeper_common_path_says_more():
    names = ("FOOD", "FOOD > TEA", "FOOD > TEA > GREEN", "TOYS")
    catalogue = knowing(8, category=codes(2, 1, 0, 3, 2, 1, 0, 3), category_names=names)
    assert liked(catalogue, [(0, 10, PURCHASE)]) == [4, 1, 5, 2, 6]


def test_a_rare_word_says_more_than_a_common_one():
    catalogue = knowing(6, **words([0, 1], [1, 2], [0, 2], [0, 3], [0, 3], [0, 3]))
    assert liked(catalogue, [(0, 10, PURCHASE)])[0] == 1


def test_the_newest_and_the_bought_weigh_most():
    catalogue = knowing(4, brand=codes(1, 2, 1, 2))
    assert liked(catalogue, [(0, 1, PURCHASE), (1, 9, PURCHASE)]) == [3, 2]
    assert liked(catalogue, [(0, 1, PURCHASE), (1, 9, VIEW)]) == [2, 3]


def test_the_score_is_a_cosine():
    catalogue = knowing(3, brand=codes(1, 1, 1))
    found = fitted(catalogue).retrieve(history([(0, 1, PURCHASE)]), 5, exclude_seen=False)
    assert found.score == pytest.approx([1, 1, 1])


def test_no_more_than_so_many_items_are_looked_up_per_feature():
    catalogue = knowing(50, brand=np.zeros(50, dtype=np.int32))
    assert len(liked(catalogue, [(0, 1, PURCHASE)], n=50, postings=10)) == 9


def test_it_names_the_item_that_is_most_alike():
    source = fitted(knowing(5, brand=codes(1, 2, 1, 2, -1)))
    asked = history([(0, 1, PURCHASE), (1, 9, PURCHASE)])
    answer = source.because(asked, np.zeros(3, dtype=np.int32), codes(2, 3, 4))
    assert answer.tolist() == [0, 1, -1]


def test_vectors_have_length_one_or_none():
    catalogue = knowing(4, brand=codes(1, 1, -1, 2), shop=codes(3, 4, -1, 3))
    length = np.sqrt((item_features(catalogue, FieldWeights()).toarray() ** 2).sum(axis=1))
    assert length == pytest.approx([1, 1, 0, 1])


def test_a_field_without_weight_is_left_out():
    catalogue = knowing(3, brand=codes(1, 1, 2), shop=codes(1, 2, 1))
    assert liked(catalogue, [(0, 1, PURCHASE)], fields=FieldWeights(brand=0)) == [2]
