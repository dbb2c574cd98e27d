"""Who is due: at once after many views or an order, else within the minute; nobody forgotten, nobody built twice."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.contracts.events import EventType
from serving.refresh import Due

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERY = timedelta(seconds=60)
VIEWS_ABOVE = 5


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture
def due() -> Due:
    return Due(views_above=VIEWS_ABOVE, at_once=(EventType.ORDER, EventType.PURCHASE), every=EVERY)


def view(due: Due, user: str, *seconds: float) -> None:
    for second in seconds:
        due.add(user, EventType.VIEW, after(second), int(second * 10))


def test_the_sixth_view_makes_due_at_once(due: Due) -> None:
    view(due, "anna", 0, 1, 2, 3, 4)
    assert due.ready(after(10)) == []
    view(due, "anna", 9)
    assert due.ready(after(10)) == ["anna"]


@pytest.mark.parametrize("kind", [EventType.ORDER, EventType.PURCHASE])
def test_an_order_makes_due_at_once(due: Due, kind: EventType) -> None:
    due.add("anna", kind, START, 1)
    due.add("bert", EventType.CLICK, START, 2)
    assert due.ready(after(1)) == ["anna"]


def test_anything_else_waits_for_the_minute(due: Due) -> None:
    view(due, "anna", 0, 30)
    assert due.ready(after(59)) == []
    assert due.ready(after(60)) == ["anna"]


def test_views_count_from_the_last_refresh(due: Due) -> None:
    view(due, "anna", 0, 1, 2, 3, 4, 5)
    due.built(due.ready(after(6)), after(6))
    assert len(due) == 0
    view(due, "anna", 7, 8, 9, 10, 11)
    assert due.ready(after(12)) == []
    assert due.first_position == 70


def test_an_event_of_the_future_waits_for_its_moment(due: Due) -> None:
    due.add("anna", EventType.PURCHASE, after(100), 1)
    due.add("anna", EventType.VIEW, after(0), 2)
    assert due.ready(after(60)) == ["anna"], "for the view"
    due.built(["anna"], after(60))
    assert due.ready(after(100)) == [], "a build as of that moment would not see it"
    assert due.ready(after(101)) == ["anna"]


def test_who_has_waited_longest_comes_first(due: Due) -> None:
    view(due, "late", 0)
    due.add("order", EventType.ORDER, after(61), 900)
    assert due.ready(after(62)) == ["late", "order"]


def test_a_postponed_user_comes_again_and_holds_up_nobody(due: Due) -> None:
    view(due, "anna", 0)
    due.postpone("anna", after(600))
    assert due.ready(after(300)) == []
    assert due.ready(after(600)) == ["anna"]


ARRIVALS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from([EventType.VIEW, EventType.VIEW, EventType.CLICK, EventType.PURCHASE]),
        st.integers(0, 25),  # seconds since the arrival before
        st.sampled_from([0, 0, 0, 40]),  # seconds by which its moment lies ahead
    ),
    max_size=40,
)


@given(ARRIVALS, st.integers(1, 20), st.integers(1, 3))
def test_nobody_is_forgotten_and_nobody_is_built_twice_for_one_event(
    arrivals: list[tuple[str, EventType, int, int]], poll: int, most: int
) -> None:
    due = Due(views_above=VIEWS_ABOVE, at_once=(EventType.PURCHASE,), every=EVERY)
    unseen: dict[int, tuple[str, EventType, datetime]] = {}
    clock = 0.0
    waiting = []
    for position, (user, kind, gap, ahead) in enumerate(arrivals, 1):
        clock += gap
        waiting.append((clock, position, user, kind, after(clock + ahead)))
    now = 0.0
    while waiting or unseen:
        now += poll
        while waiting and waiting[0][0] < now:
            _, position, user, kind, at = waiting.pop(0)
            due.add(user, kind, at, position)
            unseen[position] = (user, kind, at)
        while batch := due.ready(after(now))[:most]:
            shown = {p: e for p, e in unseen.items() if e[0] in batch and e[2] < after(now)}
            assert {user for user, _, _ in shown.values()} == set(batch), "every build shows something new"
            due.built(batch, after(now))
            unseen = {p: e for p, e in unseen.items() if p not in shown}
        assert due.first_position == min(unseen, default=None)
        current = [(user, kind) for user, kind, at in unseen.values() if at < after(now)]
        assert EventType.PURCHASE not in {kind for _, kind in current}
        views = Counter(user for user, kind in current if kind == EventType.VIEW)
        assert max(views.values(), default=0) <= VIEWS_ABOVE
        assert all(at + EVERY > after(now) for _, _, at in unseen.values())
