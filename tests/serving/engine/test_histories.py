import numpy as np

from features.contracts.events import EventType
from features.contracts.ids import IdMap
from serving.engine.histories import visitor_history
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


def test_recent_events_join_the_history_in_time_order() -> None:
    recent = [RecentEvent("c", VIEW, 150, 1.0, None), RecentEvent("a", BUY, 300, 2.0, "o9")]
    history = visitor_history(past(), 0, recent, as_of=NOW).histories
    assert history.item.tolist() == [0, 2, 1, 0]
    assert history.time.tolist() == [100, 150, 200, 300]
    assert history.quantity.tolist() == [1, 1, 1, 2]
    assert history.basket.tolist() == [0, -1, 1, 2]
    assert history.indptr.tolist() == [0, 4]
    assert (history.item.dtype, history.kind.dtype, history.time.dtype) == (np.int32, np.int8, np.int64)


def test_an_event_that_was_trained_on_counts_once() -> None:
    recent = [RecentEvent("a", BUY, 100, 1.0, "o1"), RecentEvent("a", VIEW, 100, 1.0, None)]
    history = visitor_history(past(), 0, recent, as_of=NOW).histories
    assert history.kind.tolist() == [BUY, VIEW, BUY]


def test_unknown_items_are_told_and_unknown_users_have_what_they_just_did() -> None:
    recent = [RecentEvent("new", VIEW, 5, 1.0, None), RecentEvent("b", VIEW, 6, 1.0, None)]
    joined = visitor_history(past(), -1, [*recent, recent[0]], as_of=NOW)
    assert joined.unknown_items == ("new",)
    assert joined.histories.item.tolist() == [1]
    assert joined.histories.user.tolist() == [-1]


def test_nothing_known_is_an_empty_history() -> None:
    history = visitor_history(past(), 1, [], as_of=NOW).histories
    assert len(history) == 1
    assert history.item.tolist() == []


def test_history_ends_before_the_moment_and_news_count_just_before_it() -> None:
    history = visitor_history(past(), 0, [RecentEvent("c", VIEW, 9_999, 1.0, None)], as_of=200).histories
    assert history.item.tolist() == [0, 2]
    assert history.time.tolist() == [100, 199]


def test_lines_of_one_order_share_a_basket() -> None:
    recent = [RecentEvent(i, BUY, 300, 1.0, order) for i, order in (("a", "x"), ("b", "y"), ("c", "x"))]
    basket = visitor_history(past(), -1, recent, as_of=NOW).histories.basket.tolist()
    assert basket[0] == basket[2] != basket[1]
