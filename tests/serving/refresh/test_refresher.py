"""The refresher on a real lake and a real store: what it builds, when, and what it knows after a crash."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from features.contracts import columns as c
from features.contracts.errors import MissingStateError, UnknownNameError
from features.contracts.events import EventType
from features.contracts.home import Home
from features.engine import EventTables, TagStore, build_tags
from features.lake import Lake
from features.lake.operators import merge_users
from features.tags import catalogue
from serving.refresh import RefreshConfig, Refresher
from serving.refresh.freshest import freshest
from serving.refresh.refresher import CURSOR
from serving.refresh.sources import Sources
from serving.store import OnlineStore, open_store
from serving.store.drain import drain
from tests.features import mall
from tests.serving.refresh.malls import CUT, build, event, fill

NAMES = ["views_7d", "orders", "spend", "days_since_purchase", "orders_365d", "spend_365d", "rfm_score"]
NOW = CUT + timedelta(hours=2)
CONFIG = RefreshConfig()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "var", tmp_path / "configs", tmp_path / "mlruns")


@pytest.fixture
def store(request: pytest.FixtureRequest, home: Home) -> Iterator[OnlineStore]:
    if "built" in request.fixturenames:
        request.getfixturevalue("built")  # a folder is copied to where nothing is yet
    opened = open_store(home)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    home = Home(root / "var", root / "configs", root / "mlruns")
    fill(home)
    build(home, NAMES)
    return home.root


@pytest.fixture
def built(made: Path, home: Home) -> Home:
    """A lake and a build of everybody, to do with as a test likes."""
    shutil.copytree(made, home.root)
    return home


def refresher(home: Home, store: OnlineStore, config: RefreshConfig = CONFIG) -> Refresher:
    return Refresher(store, Sources(home, NAMES), config)


def views(user: str, count: int, at: datetime, *, first: int = 0) -> list[dict[str, Any]]:
    return [event(first + n, user, EventType.VIEW, at + timedelta(seconds=n)) for n in range(count)]


def shown(store: OnlineStore, user: str) -> Any:
    profile = store.profile(user)
    return None if profile is None else profile.tags["views_7d"]


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_many_views_show_at_once_and_a_single_one_after_a_minute(built: Home, store: OnlineStore) -> None:
    before = TagStore(built).profile("u01")["views_7d"]
    at_work = refresher(built, store)
    store.add_events(views("u01", 6, NOW) + views("u02", 1, NOW, first=50))
    at_work.step(later(10))
    assert shown(store, "u01") == before + 6
    assert shown(store, "u02") is None
    store.add_events(views("u01", 1, later(20), first=20))
    at_work.step(later(30))
    assert shown(store, "u01") == before + 6
    at_work.step(later(80))
    assert shown(store, "u01") == before + 7
    assert shown(store, "u02") is not None
    fresh = freshest(store, TagStore(built), "u01")
    assert (fresh.source, fresh.as_of) == ("real_time", later(80))


def test_a_new_user_is_there_after_his_first_order(built: Home, store: OnlineStore) -> None:
    bought = event(1, "new", EventType.PURCHASE, NOW, **{c.AMOUNT: 30.0, c.ORDER_ID: "o"})
    at_work = refresher(built, store)
    store.add_events([bought])
    at_work.step(later(1))
    profile = store.profile("new")
    assert profile is not None
    assert (profile.tags["orders"], profile.tags["spend"]) == (1, 30.0)


def test_a_merged_visit_and_a_merged_user_count_for_the_user(built: Home, store: OnlineStore) -> None:
    merge_users(Lake(built), "u01", "u02", reason="one person", now=CUT + timedelta(hours=1))
    as_one = sum(TagStore(built).profile(user)["orders"] for user in ("u01", "u02"))
    anonymous = event(1, "", EventType.PURCHASE, NOW, **{c.USER_ID: None, c.ANONYMOUS_ID: "a"})
    store.add_events([anonymous | {c.ORDER_ID: "oa"}, event(2, "u02", EventType.PURCHASE, NOW, **{c.ORDER_ID: "ob"})])
    store.merge("a", "u02")
    assert freshest(store, TagStore(built), "u01", "u02").user_id == "u01"
    assert freshest(store, TagStore(built), "nobody", "u02").user_id == "u02"
    with pytest.raises(UnknownNameError, match="no user 'no one'"):
        freshest(store, TagStore(built), "nobody", "no one")
    refresher(built, store).step(later(5))
    profile = store.profile("u01")
    assert profile is not None
    assert profile.tags["orders"] == as_one + 2
    assert store.profile("u02") is None


def test_all_due_users_are_built_in_batches(built: Home, store: OnlineStore) -> None:
    at_work = refresher(built, store, RefreshConfig(batch_users=2))
    users = ["u01", "u03", "u05"]
    store.add_events([event(n, user, EventType.ORDER, NOW) for n, user in enumerate(users)])
    assert at_work.step(later(1)), "more is to do"
    assert sum(store.profile(user) is not None for user in users) == 2
    assert not at_work.step(later(1))
    assert all(store.profile(user) for user in users)


def test_after_a_crash_nothing_is_forgotten_and_nothing_is_built_again(built: Home, store: OnlineStore) -> None:
    first = refresher(built, store)
    store.add_events([*views("u01", 2, NOW), event(9, "u03", EventType.ORDER, NOW)])
    first.step(later(10))
    assert store.cursor(CURSOR) == 0, "the views wait"
    ordered = store.profile("u03")
    assert ordered is not None
    second = refresher(built, store)
    second.step(later(20))
    assert store.profile("u03") == ordered
    assert shown(store, "u01") is None
    drain(store, Lake(built))  # they count all the same, from the lake
    second.step(later(61))
    assert shown(store, "u01") == TagStore(built).profile("u01")["views_7d"] + 2
    assert store.profile("u03") == ordered
    assert store.cursor(CURSOR) == 3


def test_it_waits_for_a_lake_and_a_build(home: Home, store: OnlineStore) -> None:
    at_work = refresher(home, store)
    store.add_events([event(1, "u01", EventType.ORDER, NOW)])
    assert not at_work.step(later(1))
    with pytest.raises(MissingStateError, match="tags build"):
        freshest(store, TagStore(home), "u01")
    fill(home)
    build(home, ["orders"])
    assert not at_work.step(later(2)), "a build of other declarations"
    assert store.profile("u01") is None
    build(home, NAMES)
    at_work.step(later(3))
    assert store.profile("u01") is not None


def test_a_later_build_answers_and_what_it_has_not_seen_is_built_again(built: Home, store: OnlineStore) -> None:
    at_work = refresher(built, store)
    store.add_events(views("u01", 6, NOW))
    at_work.step(later(10))
    drain(store, Lake(built))
    store.add_events([event(20, "u03", EventType.ORDER, later(11))])
    at_work.step(later(12))
    build(built, NAMES, later(30))
    assert freshest(store, TagStore(built), "u01").source == "batch"
    at_work.step(later(40))
    assert store.profile("u01") is None
    waiting = store.profile("u03")
    assert waiting is not None
    assert waiting.as_of == later(40)


def test_a_user_who_cannot_be_built_holds_up_nobody(
    built: Home, store: OnlineStore, caplog: pytest.LogCaptureFixture
) -> None:
    at_work = refresher(built, store)
    endless = event(1, "u05", EventType.PURCHASE, NOW, **{c.AMOUNT: 1e305, c.ORDER_ID: "o"})
    store.add_events([endless, event(2, "u03", EventType.ORDER, NOW), event(3, "u01", EventType.ORDER, NOW)])
    at_work.step(later(1))
    assert [store.profile(user) is None for user in ("u01", "u03", "u05")] == [False, False, True]
    (line,) = caplog.messages
    assert "spend" in line
    at_work.step(later(2))
    assert len(caplog.messages) == 1, "set aside for a while"


def test_refreshed_tags_equal_a_build_of_the_same_events(home: Home, store: OnlineStore) -> None:
    """All tags. The offline build reads everything from a lake and is compared with the same others."""
    names = list(catalogue())
    lake = fill(home)
    others = build(home, names)
    arrived = [
        *views("u01", 7, NOW),
        event(20, "u03", EventType.PURCHASE, NOW, **{c.AMOUNT: 12.5, c.QUANTITY: 2.0, c.ORDER_ID: "o20"}),
        event(21, "u03", EventType.REVIEW, later(1), **{c.PROPERTIES: '{"rating": 2}'}),
        event(22, "new", EventType.ORDER, later(2), **{c.PROPERTIES: '{"payment": "failed"}'}),
        event(23, "u07", EventType.MESSAGE_OPEN, NOW - timedelta(days=9), **{c.RECEIVED_AT: NOW}),
    ]
    store.add_events(arrived)
    users = ["new", "u01", "u03", "u07"]
    Refresher(store, Sources(home), CONFIG).step(later(100))
    lake.append_events(mall.table(arrived), batch_id="late", now=later(50))
    table = build_tags(
        EventTables.from_lake(lake), later(100), names, users, others=TagStore(home).read(list(others.tags))
    )
    assert table[c.USER_ID].to_pylist() == users
    for row in table.to_pylist():
        profile = store.profile(row.pop(c.USER_ID))
        assert profile is not None
        assert profile.tags == orjson.loads(orjson.dumps(row))
