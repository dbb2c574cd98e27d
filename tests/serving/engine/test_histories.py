import numpy as np

from features.contracts.events import EventType
from features.contracts.ids import IdMap
from serving.engine.histories import VisitorHistories, visitor_histories
from serving.store import RecentEvent
from training.interactions import Clock, Interactions, ItemCatalogue

BUY, VIEW = EventType.PURCHASE.code, EventType.VIEW.code
NOW = 1_000


def past() -> Interactions:
    """User ``u`` bought ``a`` at 100 and ``b`` at 200 in one order each."""
    items = IdMap.of(["a", "b", "c"])
    return Interactions(
        users=IdMap.of(["u", "v"]),
        items=items,
        user=np.array([0, 0], np.int32),
        item=items.indices(["a", "b"]),
        kind=np.array([BUY, BUY], np.int8),
        time=np.array([100, 200], np.int64),
        quantity=np.ones(2, np.float32),
        amount=np.full(2, np.nan, np.float32),
        basket=np.array([0, 1], np.int64),
        clock=Clock.TIMED,
        catalogue=ItemCatalogue.unknown(3),
    )


def alone(user: int, recent: list[RecentEvent], as_of: int = NOW) -> VisitorHistories:
    return visitor_histories(past(), [user], [recent], [as_of])


def test_recent_events_join_the_history_in_time_order() -> None:
    recent = [RecentEvent("c", VIEW, 150, 1.0, None), RecentEvent("a", BUY, 300, 2.0, "o9")]
    history = alone(0, recent).histories
    assert history.item.tolist() == [0, 2, 1, 0]
    assert history.time.tolist() == [100, 150, 200, 300]
    assert history.quantity.tolist() == [1, 1, 1, 2]
    assert history.basket.tolist() == [0, -1, 1, 2]
    assert history.indptr.tolist() == [0, 4]
    assert (history.item.dtype, history.kind.dtype, history.time.dtype) == (np.int32, np.int8, np.int64)


def test_an_event_that_was_trained_on_counts_once() -> None:
    recent = [RecentEvent("a", BUY, 100, 1.0, "o1"), RecentEvent("a", VIEW, 100, 1.0, None)]
    history = alone(0, recent).histories
    assert history.kind.tolist() == [BUY, VIEW, BUY]


def test_unknown_items_are_told_and_unknown_users_have_what_they_just_did() -> None:
    recent = [RecentEvent("new", VIEW, 5, 1.0, None), RecentEvent("b", VIEW, 6, 1.0, None)]
    joined = alone(-1, [*recent, recent[0]])
    assert joined.unknown_items == (("new",),)
    assert joined.histories.item.tolist() == [1]
    assert joined.histories.user.tolist() == [-1]


def test_nothing_known_is_an_empty_history() -> None:
    history = alone(1, []).histories
    assert len(history) == 1
    assert history.item.tolist() == []


def test_history_ends_before_the_moment_and_news_count_just_before_it() -> None:
    history = alone(0, [RecentEvent("c", VIEW, 9_999, 1.0, None)], as_of=200).histories
    assert history.item.tolist() == [0, 2]
    assert history.time.tolist() == [100, 199]


def test_lines_of_one_order_share_a_basket() -> None:
    recent = [RecentEvent(i, BUY, 300, 1.0, order) for i, order in (("a", "x"), ("b", "y"), ("c", "x"))]
    basket = alone(-1, recent).histories.basket.tolist()
    assert basket[0] == basket[2] != basket[1]


def test_visitors_together_have_what_each_has_alone() -> None:
    recent = [
        [
            RecentEvent("c", BUY, 150, 1.0, "o1"),
            RecentEvent("a", BUY, 100, 1.0, "o1"),
            RecentEvent("x", VIEW, 7, 1.0, None),
        ],
        [],
        [RecentEvent("b", BUY, 2_000, 3.0, "o1"), RecentEvent("a", VIEW, 1_999, 1.0, None)],
        [RecentEvent("y", VIEW, 3, 1.0, None)],
    ]
    users, moments = [0, 0, -1, 1], [NOW, 150, 2_000, NOW]
    together = visitor_histories(past(), users, recent, moments)
    for row in range(len(users)):
        own = visitor_histories(past(), [users[row]], [recent[row]], [moments[row]])
        part = together.histories.slice(row, row + 1)
        assert together.unknown_items[row] == own.unknown_items[0]
        for name in ("user", "as_of", "item", "kind", "time", "quantity", "channel", "region", "hour"):
            assert getattr(part, name).tolist() == getattr(own.histories, name).tolist()
            assert getattr(part, name).dtype == getattr(own.histories, name).dtype
    assert together.histories.item.tolist() == [0, 2, 1, 0, 1, 0]
    assert together.histories.time.tolist() == [100, 150, 200, 100, 1_999, 1_999]
    bought_on = together.histories.basket.tolist()
    assert bought_on[5] == -1
    assert len({bought_on[place] for place in (0, 1, 2, 4)}) == 4  # an order is its visitor's own
