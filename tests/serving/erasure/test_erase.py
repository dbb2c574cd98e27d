"""A person out of every store, and nobody else; for good."""

import shutil
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts import columns as c
from features.contracts.errors import InputError, UnknownNameError
from features.contracts.home import Home
from features.engine import EventTables, TagStore, build_tags
from features.lake import Lake
from serving.erasure import Jobs, Receipt, ask_to_erase, erase, lift
from serving.marketing import open_snapshot
from serving.store import OnlineStore
from tests.serving.erasure import malls
from tests.serving.erasure.malls import NOW, SECOND, TABLET, USER, files_that_name_him


def erased(home: Home, store: OnlineStore, user: str = USER) -> Receipt:
    return erase(home, store, ask_to_erase(home, store, user, now=NOW).id)


def events_of(home: Home) -> pa.Table:
    return pa.concat_tables([pq.ParquetFile(file).read() for file in Lake(home).event_files()])


def but_models(found: dict[str, int]) -> dict[str, int]:
    """What was found outside the bundles, which the next training replaces."""
    return {name: count for name, count in found.items() if not name.startswith("bundles/")}


def test_the_mall_holds_something_of_him_everywhere(home: Home) -> None:
    places = {tuple(name.split("/")[:2]) for name in files_that_name_him(home.root)}
    lake = {("lake", part) for part in ("events", "users", "links", "logins", "quarantine", "partials")}
    assert lake <= places
    assert {"tags", "snapshots", "online", "mails", "bundles"} <= {place[0] for place in places}


@pytest.mark.parametrize("named", [USER, SECOND])
def test_nothing_of_him_is_left_in_any_file(home: Home, store: OnlineStore, named: str) -> None:
    receipt = erased(home, store, named)
    assert but_models(files_that_name_him(home.root)) == {}
    assert not any(any(v.found.values()) for v in receipt.verified)
    found = {what: count for removed in receipt.removed for what, count in removed.found.items()}
    for what in ("lake/events", "lake/users", "lake/links", "lake/logins", "lake/quarantine", "lake/flags",
                 "lake/partials", "tags", "online", "mails/lists.parquet", "online/served"):  # fmt: skip
        assert found[what] >= 1, what
    assert found["online/served"] == 2
    assert found["lake/flags"] == 1
    assert [(kept.kind, kept.version, kept.where) for kept in receipt.kept] == [("recommend", "r1", "deployed")]


def test_the_others_stay_as_they_were(home: Home, store: OnlineStore) -> None:
    before, tags, snapshot = events_of(home), TagStore(home).read(), open_snapshot(home)
    erased(home, store)
    after = events_of(home).sort_by(c.EVENT_ID).to_pylist()
    his = {"x1", "x2", "x3"}
    kept = [
        row
        for row in before.sort_by(c.EVENT_ID).to_pylist()
        if row[c.USER_ID] not in {USER, SECOND} and row[c.EVENT_ID] not in his
    ]
    assert [row[c.EVENT_ID] for row in after] == [row[c.EVENT_ID] for row in kept]
    assert [row for row in after if row[c.EVENT_ID] != "x6"] == [row for row in kept if row[c.EVENT_ID] != "x6"]
    assert any(row[c.ANONYMOUS_ID] == TABLET for row in after), "another user of the tablet stays on it"
    assert (
        TagStore(home)
        .read()
        .equals(tags.filter(pa.array([u not in {USER, SECOND} for u in tags[c.USER_ID].to_pylist()])))
    )
    assert TagStore(home).latest().users == len(TagStore(home).read())
    now = open_snapshot(home)
    assert now.rows.equals(snapshot.rows.filter(pa.array([u != USER for u in snapshot.rows[c.USER_ID].to_pylist()])))
    assert now.info.count == snapshot.info.count - 1
    assert now.user("u04") == snapshot.user("u04")
    assert now.user(USER) is None
    assert [event.row[c.EVENT_ID] for event in store.queued(10)] == ["n3"]
    assert store.profile("u04") is not None


def test_folds_and_tags_that_are_made_anew_are_the_same(home: Home, store: OnlineStore) -> None:
    erased(home, store)
    lake = Lake(home)
    kept = build_tags(EventTables.from_lake(lake), NOW + timedelta(days=2), malls.TAGS)
    for folder in lake.partials.iterdir():
        folder.rename(home.root / f"away-{folder.name}")
    anew = build_tags(EventTables.from_lake(lake), NOW + timedelta(days=2), malls.TAGS)
    assert anew.sort_by(c.USER_ID).to_pylist() == kept.sort_by(c.USER_ID).to_pylist()


def test_no_old_file_brings_him_back(home: Home, store: OnlineStore) -> None:
    erased(home, store)
    added = malls.ingest(home, "old.csv", malls.LOG)
    assert added == 0, "the file is known by its content"
    assert malls.ingest(home, "old-and-more.csv", malls.LOG + "u04,,i09,view,2025-01-05T10:00:00Z\n") == 1
    assert Lake(home).last_report().erased == 3
    assert but_models(files_that_name_him(home.root)) == {}


def test_erasing_again_finds_nothing_and_says_so(home: Home, store: OnlineStore) -> None:
    first = erased(home, store)
    second = erased(home, store)
    assert second.erasure != first.erasure
    assert second.records == 0
    assert erase(home, store, first.erasure) == first
    with pytest.raises(UnknownNameError):
        erase(home, store, "20260101T000000Z-00000000")


def test_an_id_that_was_never_seen_is_refused_from_now_on(home: Home, store: OnlineStore) -> None:
    receipt = erased(home, store, "never-seen")
    assert receipt.records == 0
    assert Lake(home).tombstones.has("user", "never-seen")


def test_a_lift_waits_for_models_that_remember_him(home: Home, store: OnlineStore) -> None:
    job = ask_to_erase(home, store, USER, now=NOW)
    with pytest.raises(InputError, match="under way"):
        lift(home, USER)
    receipt = erase(home, store, job.id)
    with pytest.raises(InputError, match="r1"):
        lift(home, USER)
    for file in (home.bundles / "recommend").rglob("users.npy"):
        file.unlink()
    erased(home, store, USER)
    assert lift(home, SECOND) == len(receipt.ids) == 3
    assert not Lake(home).tombstones.hashes()
    with pytest.raises(UnknownNameError):
        lift(home, USER)
    assert malls.ingest(home, "new.csv", malls.LOG.replace("2025-01-01", "2025-02-01")) == 2
    assert Jobs(home).last_of(receipt.ids[1]) == receipt.erasure


def test_the_only_user_of_a_mall_can_go(home: Home, store: OnlineStore, tmp_path: object) -> None:
    lonely = Home(home.root.parent / "lonely", home.configs, home.mlruns)
    lake = Lake(lonely)
    lake.append_events(events_of(home).filter(pa.array([u == USER for u in events_of(home)[c.USER_ID].to_pylist()])),
                       batch_id="b", now=NOW)  # fmt: skip
    receipt = erased(lonely, store, USER)
    assert receipt.records > 0
    assert len(pa.concat_tables([pq.ParquetFile(file).read() for file in lake.event_files()])) == 0
    assert files_that_name_him(lonely.root) == {}


def test_registered_models_that_remember_him_are_named(home: Home, store: OnlineStore) -> None:
    (bundle,) = (home.bundles / "recommend").iterdir()
    shutil.copytree(bundle, home.mlruns / "artifacts" / "1" / "model")
    receipt = erased(home, store)
    assert [kept.where for kept in receipt.kept] == ["deployed", "tracked"]
    assert "2 models were trained before" in receipt.statement["en"]
    assert receipt.is_signed_by(Lake(home).identity_key)
    assert not receipt.model_copy(update={"kept": ()}).is_signed_by(Lake(home).identity_key)
