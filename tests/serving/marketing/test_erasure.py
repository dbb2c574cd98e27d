"""Erased users in risk snapshots: hidden from every reader at once, then out of the files; cursors stay."""

import json
import shutil
from pathlib import Path

import pytest

from features.contracts import columns as c
from features.contracts.home import Home
from serving.marketing import ChurnLists, Cursor, ListFilter, Snapshot, open_snapshot
from serving.marketing.erasure import SnapshotErasure
from serving.marketing.snapshot import churn_folder
from tests.serving import small_churn
from tests.serving.conftest import home_at, score

EVERYBODY = ListFilter()


@pytest.fixture
def home(deployed: Home, tmp_path: Path) -> Home:
    """A copy of the deployed mall, which has a snapshot."""
    copy = home_at(tmp_path)
    shutil.copytree(deployed.root, copy.root)
    return copy


def users(snapshot: Snapshot) -> list[str]:
    listed: list[str] = snapshot.rows[c.USER_ID].to_pylist()
    return listed


def folder_of(home: Home) -> list[str]:
    return sorted(file.name for file in churn_folder(home).glob("[0-9]*/*"))


def test_a_reader_that_has_it_open_hides_him_in_its_next_page(home: Home) -> None:
    lists = ChurnLists(home)
    before = lists.snapshot()
    whole = users(before)
    gone = whole[3]
    SnapshotErasure(home).mask([gone, "nobody"])
    now = lists.snapshot()
    assert users(now) == [user for user in whole if user != gone]
    assert (now.user(gone), now.user(whole[4])) == (None, before.user(whole[4]))
    assert now.number.tolist() == [n for n in range(len(whole)) if n != 3]
    assert lists.snapshot() is not before
    assert lists.snapshot() is now, "nothing is read again while nothing changes"
    # What names him is a number.
    (mask,) = churn_folder(home).glob("*/erased.json")
    assert json.loads(mask.read_text()) == [3]


def test_after_the_purge_he_is_in_no_file_and_rows_keep_their_numbers(home: Home) -> None:
    erasure, whole = SnapshotErasure(home), users(open_snapshot(home))
    old = ChurnLists(home)
    opened = old.snapshot()
    first, second = whole[2], whole[7]
    (name,) = erasure.count([first])
    erasure.purge([first])
    assert erasure.count([first]) == {}
    assert folder_of(home) == ["erased.json", "manifest.json", "rows.1.npy", "scores.1.arrow", "users.1.npy"]
    erasure.purge([second])
    erasure.purge([second])
    assert folder_of(home) == ["erased.json", "manifest.json", "rows.2.npy", "scores.2.arrow", "users.2.npy"]
    now = open_snapshot(home)
    assert users(now) == [user for user in whole if user not in {first, second}]
    assert now.number.tolist() == [n for n in range(len(whole)) if n not in {2, 7}]
    assert (now.gone, now.info.removed, now.info.version) == ((2, 7), [2, 7], 2)
    assert [now.user(user) for user in (first, second)] == [None, None]
    assert all(now.user(user) == opened.user(user) for user in users(now))
    assert users(old.snapshot()) == users(now), "a worker opens the new files"
    assert erasure.files([name])[name] == now.info.files


def test_a_cursor_goes_on_where_it_was(home: Home) -> None:
    lists, whole = ChurnLists(home), users(open_snapshot(home))
    following = lists.page(EVERYBODY, Cursor(lists.snapshot().info.id, None, 0), 5).next
    assert following is not None
    SnapshotErasure(home).purge([whole[0], whole[5], whole[6]])
    page = lists.page(EVERYBODY, following, 5)
    assert page.rows[c.USER_ID].to_pylist() == whole[7:12]
    assert page.total == len(whole) - 3
    assert page.next == Cursor(following.snapshot, None, 12)


def test_what_changed_since_an_older_snapshot_does_not_show_him(home: Home) -> None:
    older = open_snapshot(home)
    table = small_churn.tags()
    score(home, table.slice(10))
    lists, newer = ChurnLists(home), open_snapshot(home)
    start = Cursor(newer.info.id, older.info.id, 0)
    removed = lists.page(EVERYBODY, start, None).rows
    him = removed[c.USER_ID].to_pylist()[-1]
    SnapshotErasure(home).mask([him])
    left = lists.page(EVERYBODY, start, None).rows
    assert him not in left[c.USER_ID].to_pylist()
    assert len(left) == len(removed) - 1
    SnapshotErasure(home).purge([him])
    assert lists.page(EVERYBODY, start, None).rows.equals(left)


@pytest.mark.parametrize("left", ["scores.1.arrow", ".manifest.json"])
def test_what_a_crash_left_is_removed(home: Home, left: str) -> None:
    (manifest,) = churn_folder(home).glob("*/manifest.json")
    manifest.with_name(left).write_bytes(b"half")
    aside = churn_folder(home) / ".20260101T000000Z-00000000.999999999"
    aside.mkdir()
    (aside / "scores.arrow").write_bytes(b"half")
    SnapshotErasure(home).purge(["u03"])
    assert not aside.exists()
    assert folder_of(home) == ["erased.json", "manifest.json", "rows.1.npy", "scores.1.arrow", "users.1.npy"]
    assert open_snapshot(home).user("u03") is None
