"""What is being made while a person is erased does not write him back."""

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts import columns as c
from features.contracts.home import Home
from features.engine import EventTables, TagStore, build_tags
from features.lake import Lake
from serving.engine.intake import EventIntake
from serving.erasure import ask_to_erase, erase
from serving.marketing import open_snapshot, save_snapshot, snapshot
from serving.refresh import RefreshConfig
from serving.refresh.refresher import Refresher
from serving.refresh.sources import Sources
from serving.store import OnlineStore
from serving.store.drain import drain, event_table
from tests.serving import small_mall
from tests.serving.erasure import malls
from tests.serving.erasure.malls import NOW, SECOND, USER, files_that_name_him
from tests.serving.erasure.test_erase import but_models, erased


def test_a_tag_build_that_began_before(home: Home, store: OnlineStore) -> None:
    as_of = NOW + timedelta(days=3)
    table = build_tags(EventTables.from_lake(Lake(home)), as_of, malls.TAGS)

    def batches():
        yield table.slice(0, 10)
        yield table.slice(10)
        erased(home, store)

    assert USER in table[c.USER_ID].to_pylist()
    build = TagStore(home).write(batches(), as_of, "spec", table.schema)
    assert build.users == pq.read_metadata(build.path).num_rows == len(table) - 1
    assert but_models(files_that_name_him(home.root)) == {}


def test_a_fold_that_knows_the_old_links(home: Home, store: OnlineStore) -> None:
    lake = Lake(home)
    tables = EventTables.from_lake(lake)
    erased(home, store)
    more = pa.Table.from_pylist(
        [malls.row("late", "u05", None, at=-60 * 24 * 20, item_id="i01")], schema=small_mall.events().schema
    )
    lake.append_events(more, batch_id="late", now=NOW)
    build_tags(tables, NOW + timedelta(days=5), malls.TAGS)
    assert but_models(files_that_name_him(home.root)) == {}


@pytest.mark.parametrize("when", ["before it is written", "while it is written"])
def test_a_scoring_that_began_before(
    home: Home, store: OnlineStore, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_snapshot(home)
    if when == "before it is written":
        erased(home, store)
    else:
        write = snapshot.write_files

        def while_writing(folder: Path, rows: pa.Table, *, version: int) -> dict[str, str]:
            files = write(folder, rows, version=version)
            if USER in rows[c.USER_ID].to_pylist():
                monkeypatch.setattr(snapshot, "write_files", write)
                ask_to_erase(home, store, USER, now=NOW)
            return files

        monkeypatch.setattr(snapshot, "write_files", while_writing)
    info = save_snapshot(
        home, opened.rows, as_of=NOW, model_version="c1", tag_spec="s", horizon_days=30, models={}, missing=[]
    )
    assert info.count == opened.info.count - 1
    assert open_snapshot(home).user(USER) is None
    assert open_snapshot(home).user("u04") is not None


def test_a_refresh_of_his_tags(home: Home, store: OnlineStore) -> None:
    build = TagStore(home).latest()
    sources = Sources(home, malls.TAGS)
    refresher = Refresher(store, sources, RefreshConfig(), clock=lambda: NOW)
    take = sources.tags_of

    def meanwhile(*arguments):
        table = take(*arguments)
        ask_to_erase(home, store, USER, now=NOW)
        return table

    sources.tags_of = meanwhile  # type: ignore[method-assign]
    moment = build.as_of + timedelta(hours=2)
    store.add_events([malls.row("n9", USER, None, at=60 * 30), malls.row("n8", "u04", None, at=60 * 30)])
    refresher.step(moment + timedelta(days=2))
    assert store.profile("u04") is not None
    assert store.profile(USER) is None
    assert store.profile(SECOND) is None


def test_a_drain_between_the_wish_and_the_purge(home: Home, store: OnlineStore) -> None:
    queued = store.queued(10)
    job = ask_to_erase(home, store, USER, now=NOW)
    lake = Lake(home)
    drain(store, lake)
    assert lake.append_events(event_table(queued), batch_id="read-before", now=NOW) == 0
    erase(home, store, job.id)
    assert but_models(files_that_name_him(home.root)) == {}


def test_events_that_are_taken_in_while_he_is_erased(home: Home, store: OnlineStore) -> None:
    intake = EventIntake(store, erased=Lake(home).tombstones)
    rows = [
        {c.EVENT_ID: f"p{n}", c.USER_ID: user, c.EVENT_TYPE: "view", c.ITEM_ID: "i01", c.OCCURRED_AT: NOW.isoformat()}
        for n, user in enumerate((USER, "u04"))
    ]
    ask_to_erase(home, store, USER, now=NOW)
    taken = intake.take(rows, now=NOW + timedelta(days=1))
    assert [result.status.value for result in taken] == ["rejected", "accepted"]
    assert store.held_of([USER, SECOND]) == 0
