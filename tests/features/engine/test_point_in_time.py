"""Nothing that happens or arrives at or after ``as_of`` is seen, for any tag."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.contracts import columns as c
from features.contracts.events import EVENT_TYPES, EventType
from features.engine import EventTables, build_tags
from features.tags import catalogue
from tests.features import mall
from tests.features.engine.compare import assert_equal_tables

EVENTS = mall.events()
MOMENTS = st.integers(0, mall.DAYS * 24 * 60).map(lambda minute: mall.START + timedelta(days=30, minutes=minute))
UNSEEN = st.lists(
    st.tuples(
        st.sampled_from(EVENT_TYPES), st.integers(0, 31), st.integers(-200, 200), st.integers(0, 90), st.integers(0, 11)
    ),
    min_size=1,
    max_size=40,
)


def unseen(as_of: datetime, drawn: list[tuple[EventType, int, int, int, int]]) -> list[dict[str, Any]]:
    """Events that cannot be known at ``as_of``: they happen at or after it, or arrive after it."""
    rows = []
    for number, (kind, user, hours, delay, item) in enumerate(drawn):
        when = as_of + timedelta(hours=hours)
        arrived = max(when, as_of) + timedelta(minutes=delay, microseconds=1) if hours < 0 else None
        more = {c.EVENT_ID: f"x{number}", c.RECEIVED_AT: arrived, c.ITEM_ID: f"i{item:02}", c.AMOUNT: 1e6}
        rows.append(mall.event(kind, f"u{user:02}", when, **more))
    return rows


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(as_of=MOMENTS, drawn=UNSEEN)
def test_what_is_not_known_yet_changes_nothing(as_of: datetime, drawn: list[tuple[EventType, int, int, int, int]]):
    everything = mall.table(EVENTS + unseen(as_of, drawn))
    known = [row for row in EVENTS if row[c.OCCURRED_AT] < as_of and (row[c.RECEIVED_AT] or as_of) <= as_of]
    # The plainest input there is: no rows to leave out, no arrival times, nothing kept from another build.
    plain = mall.table([row | {c.RECEIVED_AT: None} for row in known])
    expected = build_tags(EventTables.from_arrow(plain, mall.items(), mall.users()), as_of)
    tables = EventTables.from_arrow(everything, mall.items(), mall.users())
    assert_equal_tables(build_tags(tables, as_of), expected)


def test_builds_on_kept_days_equal_first_builds(mall_tables: EventTables, mall_tags: Callable[[datetime], pa.Table]):
    """Going back in time on tables that have seen later moments gives what fresh tables give."""
    mall_tags(mall.MIDDAY)
    earlier = mall.START + timedelta(days=99, hours=7)
    fresh = EventTables.from_arrow(mall.table(EVENTS), mall.items(), mall.users())
    assert_equal_tables(build_tags(mall_tables, earlier), build_tags(fresh, earlier))


def test_some_users_have_the_values_of_the_full_build(
    mall_tables: EventTables, mall_tags: Callable[[datetime], pa.Table]
):
    full = mall_tags(mall.MIDDAY)
    some = full["user_id"].to_pylist()[3:20:4]
    expected = full.filter(pa.compute.is_in(full["user_id"], pa.array(some)))
    assert_equal_tables(build_tags(mall_tables, mall.MIDDAY, users=[*some, "nobody"]), expected)


def test_one_user_without_ranks_among_all(mall_tables: EventTables, mall_tags: Callable[[datetime], pa.Table]):
    """Tags that need no other user are computed from the user's own rows alone, to the same values."""
    alone = [name for name, tag in catalogue().items() if not tag.of_population and tag.family.name != "value"]
    full = mall_tags(mall.MIDDAY)
    user = full["user_id"].to_pylist()[5]
    expected = full.filter(pa.compute.equal(full["user_id"], user)).select(["user_id", *alone])
    assert_equal_tables(build_tags(mall_tables, mall.MIDDAY, tags=alone, users=[user]), expected)
