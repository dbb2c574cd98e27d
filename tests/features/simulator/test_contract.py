"""The mall speaks the event contract, and the lake takes it in."""

from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from features.contracts.catalogue import ITEM_SCHEMA, USER_SCHEMA
from features.contracts.events import EVENT_SCHEMA, EVENT_TYPES
from features.contracts.home import Home
from features.lake import Lake
from features.sources import load_source

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def lake(mall, tmp_path_factory):
    root = tmp_path_factory.mktemp("home")
    lake = Lake(Home(root=root / "var", configs=root / "configs", mlruns=root / "mlruns"))
    lake.ingest(load_source(mall.folder / "source.yaml"), now=NOW)
    return lake


def test_the_lake_takes_every_row_of_it(mall, lake):
    report = lake.last_report()
    assert (report.rows_in, report.quarantined, report.duplicates) == (mall.events, {}, 0)
    assert report.added == mall.events
    assert len(report.daily) == 56
    assert len(lake.read_items()) == 400
    assert len(lake.read_users()) == mall.accounts - round(1_000 * 0.03) - round(500 * 0.03)  # ghosts have no account


def test_files_have_the_schemas_of_the_contract(mall):
    for file in (mall.folder / "events").iterdir():
        assert pq.read_schema(file).equals(EVENT_SCHEMA)
    assert pq.read_schema(mall.folder / "items.parquet").equals(ITEM_SCHEMA)
    assert pq.read_schema(mall.folder / "users.parquet").equals(USER_SCHEMA)


def test_a_file_is_one_day_sorted_by_account_and_time(mall):
    for file in sorted((mall.folder / "events").iterdir())[:4]:
        rows = pq.read_table(file).to_pandas()
        assert (rows.occurred_at.dt.strftime("%Y-%m-%d") == file.name[:10]).all()
        known = rows[rows.user_id.notna()]
        assert known[["user_id", "occurred_at"]].apply(tuple, axis=1).is_monotonic_increasing


def test_every_event_type_happens(ask):
    assert {kind for (kind,) in ask("SELECT DISTINCT event_type FROM events")} == {str(kind) for kind in EVENT_TYPES}


def test_ids_are_unique_and_everything_is_received_later(ask):
    rows, ids, early, late = ask(
        "SELECT count(*), count(DISTINCT event_id), count(*) FILTER (received_at < occurred_at), "
        "avg(CAST(received_at > occurred_at + INTERVAL 1 HOUR AS INT)) FROM events"
    )[0]
    assert (rows, early) == (ids, 0)
    assert 0.01 < late < 0.05


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("dwell", "dwell_seconds"),
        ("review", "rating"),
        ("purchase", "discount"),
        ("coupon_receive", "coupon_id"),
        ("coupon_redeem", "coupon_id"),
        ("invite", "invited_user_id"),
        ("session_start", "device_id"),
        ("search", "query"),
        ("message_sent", "message_id"),
        ("message_sent", "campaign_id"),
        ("message_sent", "propensity"),
        ("message_open", "message_id"),
        ("impression", "position"),
        ("impression", "propensity"),
    ],
)
def test_properties_stand_on_the_events_that_carry_them(ask, kind, key):
    query = f"SELECT count(*), count(json_extract(properties, '$.{key}')) FROM events WHERE event_type = '{kind}'"
    assert len(set(ask(query)[0])) == 1


def test_money_adds_up(ask):
    wrong = ask(
        "SELECT order_id FROM (SELECT order_id, sum(amount) FILTER (event_type = 'order') AS asked, "
        "sum(amount) FILTER (event_type = 'purchase') AS paid FROM events WHERE event_type IN ('order', 'purchase') "
        'AND properties IS DISTINCT FROM \'{"payment": "failed"}\' GROUP BY order_id) '
        "WHERE abs(asked - coalesce(paid, 0)) > 0.006"
    )
    assert wrong == []
    failed = ask('SELECT count(*) FROM events WHERE properties = \'{"payment": "failed"}\'')[0][0]
    assert failed > 0


def test_an_anonymous_visit_ends_in_a_login_that_names_both_ids(ask):
    sessions = ask(
        "SELECT count(*), count(*) FILTER (logins = 1) FROM (SELECT session_id, "
        "count(*) FILTER (user_id IS NOT NULL AND anonymous_id IS NOT NULL) AS logins FROM events "
        "WHERE session_id IS NOT NULL GROUP BY 1 "
        "HAVING count(anonymous_id) > count(*) FILTER (user_id IS NOT NULL AND anonymous_id IS NOT NULL) "
        "AND count(user_id) > 0)"
    )[0]
    assert sessions[0] == sessions[1] > 0


def test_references_point_at_what_there_is(ask):
    assert ask("SELECT count(*) FROM events ANTI JOIN items USING (item_id) WHERE item_id IS NOT NULL")[0][0] == 0
    assert ask("SELECT count(*) FROM events ANTI JOIN accounts USING (user_id) WHERE user_id IS NOT NULL")[0][0] == 0
    assert ask("SELECT count(*) FROM events JOIN items USING (item_id) WHERE occurred_at < published_at")[0][0] == 0
    assert ask("SELECT count(*) FROM events JOIN accounts USING (user_id) WHERE occurred_at < registered_at")[0][0] == 0
