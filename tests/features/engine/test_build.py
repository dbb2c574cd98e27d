from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts.errors import InputError, MissingStateError, UnknownNameError
from features.contracts.events import EventType
from features.engine import EventTables, build_tags
from features.tags import catalogue, tag
from features.tags.spec import Choices, Family, Kind, Range, Value, real
from features.tags.spec.bases import UserDays
from features.tags.spec.registry import registered
from features.tags.spec.vocabulary import Dtype, absent
from tests.features import mall
from tests.features.engine.compare import assert_equal_tables
from tests.features.engine.lakes import Files

FAMILY = Family("trial", "试验", "Tags of a test.")


def test_all_tags_in_catalogue_order_sorted_by_user(mall_tags):
    table = mall_tags(mall.AS_OF)
    assert table.column_names == ["user_id", *catalogue()]
    users = table["user_id"].to_pylist()
    assert users == sorted(set(users))


def test_tags_come_in_the_order_asked_for_without_those_they_build_on(mall_tables: EventTables):
    table = build_tags(mall_tables, mall.AS_OF, tags=["rfm_tier", "orders_30d", "rfm_tier"])
    assert table.column_names == ["user_id", "rfm_tier", "orders_30d"]
    assert table.schema.field("orders_30d").type == pa.int64()


def test_a_lake_of_parquet_files_gives_the_same_table(tmp_path: Path, mall_tables: EventTables):
    lake = Files(tmp_path)
    events = mall.table(mall.events())
    for number, slice_ in enumerate((events.slice(0, 1000), events.slice(1000))):
        lake.add(slice_, f"part-{number}")
    names = ["orders", "top_category", "days_since_active", "age", "rfm_score", "best_send_hour"]
    from_lake = build_tags(EventTables.from_lake(lake), mall.MIDDAY, tags=names)
    assert_equal_tables(from_lake, build_tags(mall_tables, mall.MIDDAY, tags=names))


def test_an_empty_lake_says_what_to_do(tmp_path: Path):
    with pytest.raises(MissingStateError, match="mallard ingest"):
        EventTables.from_lake(Files(tmp_path))


def test_events_with_only_user_type_and_time_are_enough():
    when = datetime(2024, 3, 1, 10, tzinfo=UTC)
    events = pa.table({"user_id": ["a", "a"], "event_type": ["purchase"] * 2, "occurred_at": [when, when]})
    row = build_tags(EventTables.from_arrow(events), when + timedelta(days=2)).to_pylist()[0]
    assert row["orders"] == 2, "without ids every purchase is an order of its own"
    assert row["days_since_purchase"] == 2.0
    assert row["top_category"] is None


def test_a_column_that_cannot_be_missing_is_named():
    with pytest.raises(InputError, match="occurred_at"):
        EventTables.from_arrow(pa.table({"user_id": ["a"], "event_type": ["view"]}))


def test_windows_are_whole_days_back_from_midnight():
    midnight = datetime(2024, 3, 10, tzinfo=UTC)
    times = [
        midnight - timedelta(days=7),
        midnight - timedelta(days=7, microseconds=1),
        midnight - timedelta(microseconds=1),
        midnight,
    ]
    events = mall.table([mall.event(EventType.VIEW, "a", when) for when in times])
    tables = EventTables.from_arrow(events)
    assert build_tags(tables, midnight, tags=["views_7d", "views"]).to_pylist() == [
        {"user_id": "a", "views_7d": 2, "views": 3}
    ]
    # In the middle of a day the running day comes on top of the seven whole ones.
    noon = midnight + timedelta(hours=12)
    assert build_tags(tables, noon, tags=["views_7d", "views"]).to_pylist() == [
        {"user_id": "a", "views_7d": 3, "views": 4}
    ]


def test_time_zones_do_not_matter(mall_tables: EventTables):
    there = mall.MIDDAY.astimezone(tz=datetime.strptime("+0800", "%z").tzinfo)
    names = ["active_days_7d", "days_since_active"]
    assert build_tags(mall_tables, there, names).equals(build_tags(mall_tables, mall.MIDDAY, names))


def test_a_moment_without_time_zone_is_refused(mall_tables: EventTables):
    with pytest.raises(InputError, match="time zone"):
        build_tags(mall_tables, datetime(2024, 5, 1))


def test_a_moment_before_the_first_event_is_refused(mall_tables: EventTables):
    with pytest.raises(InputError, match="first event"):
        build_tags(mall_tables, mall.START - timedelta(days=1))


def test_nobody_of_the_users_asked_for_gives_an_empty_table(mall_tables: EventTables):
    table = build_tags(mall_tables, mall.AS_OF, tags=["orders", "rfm_score"], users=["nobody"])
    assert table.column_names == ["user_id", "orders", "rfm_score"]
    assert table.num_rows == 0


def test_an_unknown_tag_is_named_with_near_ones(mall_tables: EventTables):
    with pytest.raises(UnknownNameError, match="no tag is called 'order_30d'; near: orders_30d"):
        build_tags(mall_tables, mall.AS_OF, tags=["order_30d"])


def test_values_outside_the_range_are_refused_with_an_example(mall_tables: EventTables):
    with registered():

        @tag("odd_share", FAMILY, real("share", "never", Range(0, 1)), title=("Odd", "奇"))
        def odd_share(actions: Value) -> Value:
            """Too large on purpose."""
            return actions * 1.0

        @tag("odd_word", FAMILY, Kind(Dtype.WORD, "word", absent("never"), Choices(("a", "b"))), title=("Odd", "奇"))
        def odd_word(lifecycle_stage: Value) -> Value:
            """A word that was not announced."""
            return lifecycle_stage

        @tag("odd_number", FAMILY, real("number", "never", Range()), title=("Odd", "奇"))
        def odd_number(days: UserDays) -> Value:
            """Not a number."""
            return days.actions.sum() / 0

        with pytest.raises(InputError) as refused:
            build_tags(mall_tables, mall.AS_OF, tags=["odd_share", "odd_word", "odd_number", "orders"])
    message = str(refused.value)
    assert "odd_share: valid is 0 … 1, 29 users are outside" in message
    assert "for instance user u" in message
    assert "odd_word: valid is a | b" in message
    assert "odd_number: valid is any number" in message
    assert "orders" not in message


def test_items_and_users_may_repeat_in_their_tables():
    """A catalogue with an item twice must not double what was bought."""
    when = datetime(2024, 3, 1, 10, tzinfo=UTC)
    events = mall.table([mall.event(EventType.PURCHASE, "u00", when, **{c.ITEM_ID: "i01", c.AMOUNT: 5.0})])
    items = pa.concat_tables([mall.items(), mall.items()])
    users = pa.concat_tables([mall.users(), mall.users()])
    table = build_tags(EventTables.from_arrow(events, items, users), when + timedelta(days=1))
    assert table.num_rows == 1
    assert table["distinct_categories_bought"].to_pylist() == [1]
    assert table["top_department"].to_pylist() == ["D1"]
