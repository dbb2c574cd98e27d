from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from features.contracts.errors import InputError
from features.contracts.events import EventType
from training.dataset import interactions_from_events
from training.interactions import Clock

START = datetime(2026, 1, 1, tzinfo=UTC)


def events(rows: list[tuple[str, str | None, str, int | None]]) -> pa.Table:
    return pa.table(
        {
            "user_id": [r[0] for r in rows],
            "item_id": pa.array([r[1] for r in rows], pa.string()),
            "event_type": [r[2] for r in rows],
            "occurred_at": pa.array(
                [None if r[3] is None else START + timedelta(hours=r[3]) for r in rows], pa.timestamp("us", tz="UTC")
            ),
        }
    )


def test_rows_are_sorted_by_user_then_time_and_ties_keep_their_order() -> None:
    data = interactions_from_events(
        events([("b", "x", "view", 2), ("a", "y", "view", 5), ("a", "z", "purchase", 1), ("a", "w", "view", 1)])
    )
    assert data.users.ids(data.user) == ["a", "a", "a", "b"]
    assert data.items.ids(data.item) == ["z", "w", "y", "x"]
    assert data.kind.tolist() == [
        EventType.PURCHASE.code,
        EventType.VIEW.code,
        EventType.VIEW.code,
        EventType.VIEW.code,
    ]
    assert data.clock is Clock.TIMED


def test_only_item_events_count_and_none_left_is_an_error() -> None:
    with pytest.raises(InputError, match="nothing to learn from"):
        interactions_from_events(events([("a", None, "purchase", 1), ("a", "x", "impression", 2)]))


def test_without_times_the_order_of_rows_is_kept_or_means_nothing() -> None:
    rows = events([("b", "x", "purchase", None), ("a", "y", "purchase", None), ("b", "z", "purchase", None)])
    ordered = interactions_from_events(rows, ordered=True)
    assert ordered.clock is Clock.ORDERED
    assert ordered.time.tolist() == [0, 0, 1]
    unordered = interactions_from_events(rows, ordered=False)
    assert unordered.clock is Clock.NONE
    assert not unordered.time.any()


def test_times_for_some_rows_only_are_refused() -> None:
    with pytest.raises(InputError, match="1 of 2 events have no occurred_at"):
        interactions_from_events(events([("a", "x", "view", 1), ("a", "y", "view", None)]))


def test_histories_see_strictly_before_the_moment() -> None:
    data = interactions_from_events(events([("a", "x", "view", 1), ("a", "y", "view", 2), ("b", "x", "view", 3)]))
    at_two = int((START + timedelta(hours=2)).timestamp())
    known = data.histories(np.array([0, 1], dtype=np.int32), at_two)
    assert known.indptr.tolist() == [0, 1, 1]
    assert data.items.ids(known.item) == ["x"]
    assert known.slice(0, 1).item.tolist() == known.item.tolist()


def test_the_catalogue_is_aligned_and_unsold_items_have_an_index() -> None:
    items = pa.table(
        {
            "item_id": ["x", "new"],
            "category": ["FOOD > FRUIT", "HOME"],
            "brand": pa.array([None, "acme"], pa.string()),
            "price": [1.5, None],
        }
    )
    data = interactions_from_events(events([("a", "x", "view", 1), ("a", "other", "view", 2)]), items)
    x, new, other = (data.items.index(i) for i in ("x", "new", "other"))
    names = data.catalogue.category_names
    assert names[data.catalogue.category[x]] == "FOOD > FRUIT"
    assert data.catalogue.department[x] != data.catalogue.department[new]
    assert data.catalogue.brand[x] == -1
    assert data.catalogue.brand_names[data.catalogue.brand[new]] == "acme"
    assert data.catalogue.price[x] == pytest.approx(1.5)
    assert np.isnan(data.catalogue.price[[new, other]]).all()
    assert data.catalogue.category[other] == -1


def test_an_anonymous_visitor_is_a_user_of_his_own() -> None:
    table = pa.table(
        {
            "user_id": pa.array([None, "a"], pa.string()),
            "anonymous_id": pa.array(["anon-1", None], pa.string()),
            "item_id": ["x", "x"],
            "event_type": ["view", "view"],
            "occurred_at": pa.array([START, START], pa.timestamp("us", tz="UTC")),
        }
    )
    data = interactions_from_events(table)
    assert data.users.ids(data.user) == ["a", "anon-1"]


def test_shop_date_and_shared_words_of_items_are_kept() -> None:
    items = pa.table(
        {
            "item_id": ["b", "a", "c"],
            "title": ["Green tea", "TEA 绿茶", None],
            "attributes": [None, '{"size": "M"}', '{"size": "m", "only": 1}'],
            "shop": ["s", None, "s"],
            "published_at": pa.array([START, None, START], pa.timestamp("us", tz="UTC")),
        }
    )
    known = interactions_from_events(events([("u", "a", "view", 0), ("u", "z", "view", 1)]), items).catalogue
    assert (known.shop == [-1, 0, 0, -1]).all()
    assert (known.published_at == [-1, START.timestamp(), START.timestamp(), -1]).all()
    # "tea" and "size=m" are shared by two items each, the other words lead nowhere.
    size, tea = 0, 1
    assert known.word_start.tolist() == [0, 2, 3, 4, 4]
    assert known.word.tolist() == [size, tea, tea, size]

    part = known.where(np.array([False, True, True, False]))
    assert (part.shop.tolist(), part.word_start.tolist(), part.word.tolist()) == ([0, 0], [0, 1, 2], [tea, size])


def test_a_catalogue_that_knows_nothing_has_rows_for_all() -> None:
    known = interactions_from_events(events([("u", "a", "view", 0), ("u", "z", "view", 1)])).catalogue
    assert known.shop.tolist() == known.published_at.tolist() == [-1, -1]
    assert known.word_start.tolist() == [0, 0, 0]


def test_channels_and_regions_stay_with_their_events() -> None:
    rows = events([("b", "x", "view", 2), ("a", "y", "view", 5), ("a", "z", "purchase", 1)])
    rows = rows.append_column("channel", pa.array(["web", None, "app"]))
    data = interactions_from_events(rows, regions={"b": "Chengdu", "nobody": "Beijing"})
    assert [data.channel_names[code] if code >= 0 else None for code in data.channel] == ["app", None, "web"]
    assert [data.region_names[code] if code >= 0 else None for code in data.region] == [None, None, "Chengdu"]
    assert interactions_from_events(events([("a", "x", "view", 1)])).channel.tolist() == [-1]
