"""Crashes and competition: readers see whole commits or nothing."""

import multiprocessing
from pathlib import Path

import pytest

from features.contracts import columns as c
from features.contracts.home import Home
from features.lake import Lake
from features.lake.commits import Commit, CommitLog, Staging
from features.sources import SourceSpec, open_source
from tests.features.lake.conftest import Ingest, events_of
from tests.features.sources.rows import HEADER, NOW, csv_rows

TEXT = HEADER + "".join(csv_rows(700))


class PowerCutError(Exception):
    """Stands for the machine going away at the worst moment."""


def test_a_crash_before_the_commit_shows_nothing_and_the_next_ingest_cleans_up(
    lake: Lake, home: Home, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(log: CommitLog, commit: Commit) -> None:
        raise PowerCutError

    with monkeypatch.context() as patched:
        patched.setattr(CommitLog, "append", cut)
        with pytest.raises(PowerCutError):
            ingest("events.csv", TEXT)
    orphans = list((home.lake / "events").rglob("*.parquet"))
    assert len(orphans) == 28
    assert lake.is_empty
    assert Lake(home).event_files() == []
    ingest("other.csv", HEADER + "u,i,2025-06-01,view,1,1\n")
    assert list((home.lake / "events").rglob("*.parquet")) == lake.event_files()
    assert len(events_of(lake)) == 1
    assert ingest("events.csv", TEXT).added == 700


def test_staging_of_a_dead_process_is_removed_and_of_a_living_one_is_not(home: Home) -> None:
    staging = home.lake / "staging"
    dead = staging / "dead"
    dead.mkdir(parents=True)
    (dead / "staged.parquet").write_bytes(b"half")
    dead.with_suffix(".lock").touch()
    with Staging.open(home.lake) as living:
        assert not dead.exists()
        with Staging.open(home.lake):
            assert living.exists()
    assert list(staging.iterdir()) == []


def test_another_reader_sees_new_commits(lake: Lake, home: Home, ingest: Ingest) -> None:
    other = Lake(home)
    assert other.is_empty
    ingest("events.csv", TEXT)
    assert len(events_of(other)) == 700
    assert other.fingerprint() == lake.fingerprint()


def _ingest_in_process(root: Path, name: str) -> None:
    home = Home(root=root / "var", configs=root, mlruns=root)
    Lake(home).ingest(open_source(SourceSpec(path=name), root), now=NOW)


def test_writers_at_once_lose_nothing_and_double_nothing(lake: Lake, tmp_path: Path) -> None:
    rows = csv_rows(700)
    parts = {"a.csv": rows[:400], "b.csv": rows[300:]}
    for name, part in parts.items():
        (tmp_path / name).write_text(HEADER + "".join(part))
    start = multiprocessing.get_context("spawn")
    writers = [start.Process(target=_ingest_in_process, args=(tmp_path, name)) for name in parts]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    ids = events_of(lake).column(c.EVENT_ID).to_pylist()
    assert len(ids) == len(set(ids)) == 700
    assert len(list((tmp_path / "var" / "lake" / "commits").glob("*.json"))) == 2
