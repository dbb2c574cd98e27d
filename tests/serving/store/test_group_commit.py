"""Many threads, one transaction."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from features.contracts.errors import OverloadedError, StoreFullError
from serving.store import EmbeddedStore, EventRow, GroupCommit
from tests.serving.store.test_conformance import event


class SlowStore(EmbeddedStore):
    """The embedded store, whose first write waits until the test lets it go."""

    def __init__(self, file: Path, **more: Any) -> None:
        super().__init__(file, **more)
        self.go, self.sizes = threading.Event(), list[int]()
        self.began = threading.Event()

    def add_events(self, rows: Sequence[EventRow]) -> list[bool]:
        self.sizes.append(len(rows))
        self.began.set()
        assert self.go.wait(10)
        return super().add_events(rows)


def run(commit: GroupCommit, batches: list[list[dict[str, Any]]]) -> tuple[list[threading.Thread], dict[int, Any]]:
    results: dict[int, Any] = {}

    def add(number: int) -> None:
        try:
            results[number] = commit.add(batches[number])
        except (OverloadedError, StoreFullError) as error:
            results[number] = error

    threads = [threading.Thread(target=add, args=(number,)) for number in range(len(batches))]
    return threads, results


def test_what_waits_is_written_at_once_and_each_gets_its_own_answer(tmp_path: Path) -> None:
    store = SlowStore(tmp_path / "store.sqlite")
    commit = GroupCommit(store, most_waiting=8)
    threads, results = run(commit, [[event(0)], [event(1), event(1)], [event(0), event(2)], [event(3)]])
    threads[0].start()
    assert store.began.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(commit._waiting) < 3:
        pass
    store.go.set()
    for thread in threads:
        thread.join(10)
    assert store.sizes == [1, 5]
    assert results[0] == [True]
    assert sorted(map(tuple, (results[1], results[2], results[3]))) == [(False, True), (True,), (True, False)]
    assert store.queue_length() == 4
    store.close()


def test_more_than_may_wait_is_refused_at_once(tmp_path: Path) -> None:
    store = SlowStore(tmp_path / "store.sqlite")
    commit = GroupCommit(store, most_waiting=1)
    threads, results = run(commit, [[event(0)]])
    threads[0].start()
    assert store.began.wait(10)
    with pytest.raises(OverloadedError, match="1 batches"):
        commit.add([event(1)])
    store.go.set()
    threads[0].join(10)
    assert results[0] == [True]
    assert commit.add([event(1)]) == [True]
    store.close()


def test_a_full_store_is_told_to_all_that_wait_and_takes_events_again_when_there_is_room(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store.sqlite", max_bytes=1_000_000)
    commit = GroupCommit(store, most_waiting=8)
    kept = 0

    def fill() -> None:
        nonlocal kept
        for part in range(1000):
            commit.add([event(part * 100 + n, properties="x" * 500) for n in range(100)])
            kept += 100

    with pytest.raises(StoreFullError, match="no room"):
        fill()
    assert store.queue_length() == kept > 0, "reads go on, and none of the refused batch is there"
    store.mark_drained([queued.position for queued in store.queued(kept)])
    assert commit.add([event(10**6)]) == [True]
    store.close()
