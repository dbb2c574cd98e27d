"""Flags in the lake: whole judgements or nothing, the newest of a day counts."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts.errors import InputError
from features.contracts.home import Home
from features.contracts.knowledge import FLAG_SCHEMA
from features.lake import Lake
from features.lake.commits import Commit, CommitLog
from features.lake.flags import Judgement
from tests.features.sources.rows import NOW

ONE, TWO = date(2025, 1, 1), date(2025, 1, 2)


class PowerCutError(Exception):
    """Stands for the machine going away at the worst moment."""


def judged(day: date, *events: str, rule: str = "burst", basis: str = "a") -> Judgement:
    at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=23, minutes=59, seconds=59, microseconds=7)
    rows = [
        {"event_id": event, "occurred_at": at, "rule": rule, "score": 0.5, "flagged_at": at + timedelta(hours=1)}
        for event in events
    ]
    return Judgement(day, pa.Table.from_pylist(rows, schema=FLAG_SCHEMA), {"own": basis})


def marked(lake: Lake) -> list[str]:
    return [event for file in lake.flag_files() for event in pq.ParquetFile(file).read()["event_id"].to_pylist()]


def test_flags_are_kept_by_day_and_replaced_by_a_newer_judgement(lake: Lake, home: Home) -> None:
    assert lake.flag_files() == []
    lake.commit_flags([judged(ONE, "b", "a"), judged(TWO, "c")], now=NOW)
    assert marked(lake) == ["a", "b", "c"]
    assert [file.parent.name for file in lake.flag_files()] == ["date=2025-01-01", "date=2025-01-02"]
    before = lake.fingerprint()
    lake.commit_flags([judged(ONE, "d", basis="b")], now=NOW)
    assert marked(lake) == ["d", "c"]
    assert Lake(home).flag_days()[ONE].basis == {"own": "b"}
    assert lake.fingerprint() != before


def test_a_day_may_be_cleared_and_keeps_its_judgement(lake: Lake) -> None:
    lake.commit_flags([judged(ONE, "a")], now=NOW)
    lake.commit_flags([judged(ONE, basis="b")], now=NOW)
    assert lake.flag_files() == []
    assert lake.flag_days()[ONE].basis == {"own": "b"}


def test_a_day_whose_marks_stay_keeps_its_file(lake: Lake) -> None:
    lake.commit_flags([judged(ONE, "a"), judged(TWO, "c")], now=NOW)
    files = lake.flag_files()
    lake.commit_flags([judged(ONE, "a", basis="b"), Judgement(TWO, None, {"own": "c"})], now=NOW)
    assert lake.flag_files() == files
    assert [found.basis["own"] for found in lake.flag_days().values()] == ["b", "c"]
    assert [found.rows for found in lake.flag_days().values()] == [1, 1]


def test_a_crash_shows_the_old_flags_and_the_next_commit_cleans_up(
    lake: Lake, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.commit_flags([judged(ONE, "a")], now=NOW)

    def cut(log: CommitLog, commit: Commit) -> None:
        raise PowerCutError

    with monkeypatch.context() as patched:
        patched.setattr(CommitLog, "append", cut)
        with pytest.raises(PowerCutError):
            lake.commit_flags([judged(ONE, "b"), judged(TWO, "c")], now=NOW)
    assert marked(Lake(home)) == ["a"]
    assert len(list((home.lake / "flags").rglob("*.parquet"))) == 3
    lake.commit_flags([judged(TWO, "d")], now=NOW)
    assert marked(Lake(home)) == ["a", "d"]
    assert len(list((home.lake / "flags").rglob("*.parquet"))) == 2


def test_a_judge_that_fails_half_way_changes_nothing(lake: Lake, home: Home) -> None:
    def failing() -> Iterator[Judgement]:
        yield judged(ONE, "a")
        raise PowerCutError

    with pytest.raises(PowerCutError):
        lake.commit_flags(failing(), now=NOW)
    assert lake.flag_days() == {}
    assert not (home.lake / "flags").exists()
    assert lake.commit_flags([], now=NOW) == []
    assert CommitLog(home.lake).commits() == []


@pytest.mark.parametrize(
    ("judgement", "message"),
    [
        (Judgement(TWO, judged(ONE, "a").marks, {}), "1 of the marked events occurred on another day"),
        (judged(ONE, "a", "a"), "marked twice by one rule"),
        (Judgement(ONE, None, {}), "never judged"),
    ],
)
def test_judgements_that_cannot_be(lake: Lake, judgement: Judgement, message: str) -> None:
    with pytest.raises(InputError, match=message):
        lake.commit_flags([judgement], now=NOW)
    assert lake.flag_days() == {}
