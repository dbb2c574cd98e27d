"""What an ingest leaves in the lake, and that doing it again leaves the same."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.contracts import columns as c
from features.contracts.errors import MissingStateError, QualityLimitError, UnreadableSourceError
from features.contracts.events import EVENT_SCHEMA
from features.contracts.home import Home
from features.lake import Lake
from features.quality import QualityReport
from tests.features.lake.conftest import Ingest, events_of
from tests.features.sources.rows import HEADER, csv_rows

TEXT = HEADER + "".join(csv_rows(700))


def test_an_empty_lake(lake: Lake, home: Home) -> None:
    assert lake.is_empty
    assert lake.event_files() == []
    assert len(lake.read_items()) == len(lake.read_users()) == len(lake.read_quarantine()) == 0
    assert lake.read_users([c.USER_ID]).column_names == [c.USER_ID]
    with pytest.raises(MissingStateError, match="mallard ingest"):
        lake.last_event_at()
    with pytest.raises(MissingStateError):
        lake.last_report()
    assert not home.root.exists()


def test_events_lie_by_day_sorted_by_user(lake: Lake, ingest: Ingest) -> None:
    report = ingest("events.csv", TEXT)
    assert (report.rows_in, report.accepted, report.added, report.duplicates) == (700, 700, 700, 0)
    assert len(lake.event_files()) == 28
    for file in lake.event_files():
        parquet = pq.ParquetFile(file)
        assert parquet.schema_arrow.equals(EVENT_SCHEMA)
        assert parquet.metadata.row_group(0).column(0).compression == "ZSTD"
        events = parquet.read()
        assert {f"date={day}" for day in pc.strftime(events.column(c.OCCURRED_AT), "%Y-%m-%d").to_pylist()} == {
            file.parent.name
        }
        assert events.column(c.USER_ID).to_pylist() == sorted(events.column(c.USER_ID).to_pylist())
    assert lake.last_event_at() == datetime(2025, 1, 28, tzinfo=UTC)
    assert not lake.is_empty


def test_equal_lines_of_one_file_are_all_kept(lake: Lake, ingest: Ingest) -> None:
    row = "u1,i1,2025-01-01,purchase,1,5\n"
    assert ingest("events.csv", HEADER + row * 3 + csv_rows(1)[0]).added == 4
    ids = events_of(lake).column(c.EVENT_ID).to_pylist()
    assert len(set(ids)) == 4


def test_the_same_file_again_changes_nothing_and_is_not_read(lake: Lake, ingest: Ingest) -> None:
    first = ingest("events.csv", TEXT)
    before, fingerprint = events_of(lake), lake.fingerprint()
    again = ingest("events.csv", TEXT)
    assert again.already_ingested
    assert (again.added, again.rows_in) == (0, first.rows_in)
    assert lake.fingerprint() == fingerprint
    assert events_of(lake).equals(before)
    assert "nothing was read again" in again.to_text()


def test_the_same_rows_in_another_file_add_nothing(lake: Lake, ingest: Ingest) -> None:
    row = "u1,i1,2025-01-01,purchase,1,5\n"
    ingest("events.csv", TEXT + row * 2)
    report = ingest("copy.csv", TEXT + row * 2 + "\n")
    assert (report.added, report.duplicates, report.already_ingested) == (0, 702, False)
    assert len(events_of(lake)) == 702


def test_an_overlapping_file_adds_what_is_new(lake: Lake, ingest: Ingest) -> None:
    rows = csv_rows(700)
    ingest("first.csv", HEADER + "".join(rows[:400]))
    report = ingest("second.csv", HEADER + "".join(rows[300:]))
    assert (report.added, report.duplicates) == (300, 100)
    assert len(events_of(lake)) == 700


def test_an_event_id_is_stored_once_and_the_first_row_wins(lake: Lake, ingest: Ingest) -> None:
    head = "event_id,user_id,occurred_at,amount\n"
    assert ingest("a.csv", head + "e1,u1,2025-01-01,1\ne2,u1,2025-01-01,2\ne1,u9,2025-01-02,9\n").duplicates == 1
    report = ingest("b.csv", head + "e2,u9,2025-01-05,9\ne3,u1,2025-01-03,3\n")
    assert (report.added, report.duplicates, report.error_rate) == (1, 1, 0)
    found = {row[c.EVENT_ID]: row[c.AMOUNT] for row in events_of(lake).to_pylist()}
    assert found == {"e1": 1.0, "e2": 2.0, "e3": 3.0}


def test_a_source_without_times_is_refused(lake: Lake, ingest: Ingest, home: Home) -> None:
    with pytest.raises(UnreadableSourceError, match=r"events\.csv: .*'occurred_at'"):
        ingest("events.csv", "user_id,item_id\nu,i\n")
    assert lake.is_empty


def test_bad_rows_go_to_quarantine_and_the_rest_is_committed(lake: Lake, ingest: Ingest, home: Home) -> None:
    report = ingest("events.csv", TEXT + "u1,i1,2025-01-01,view,-1,1\n")
    assert report.within_limit
    assert report.quarantined == {"negative_quantity": 1}
    (row,) = lake.read_quarantine().to_pylist()
    assert (row["check"], row["row"]) == ("negative_quantity", 701)
    saved = {file.suffix: file.read_text() for file in (home.reports / "quality").iterdir()}
    assert QualityReport.from_json(saved[".json"]) == report == lake.last_report()
    assert "negative_quantity" in saved[".txt"]


def test_over_the_limit_nothing_is_committed_but_report_and_quarantine_are_kept(
    lake: Lake, ingest: Ingest, home: Home
) -> None:
    text = TEXT + "u1,i1,2025-01-01,view,-1,1\n" * 10
    with pytest.raises(QualityLimitError, match=r"10 of 710 rows \(1\.41%\).*negative_quantity 10") as caught:
        ingest("events.csv", text)
    assert caught.value.exit_code == 3
    assert lake.is_empty
    assert len(lake.read_quarantine()) == 10
    assert list((home.reports / "quality").glob("*.txt"))
    assert lake.last_report().rejected == 10
    report = ingest("events.csv", text, allow_over_limit=True)
    assert (report.added, report.within_limit) == (700, False)
    assert len(lake.read_quarantine()) == 10


def test_an_unreadable_file_leaves_nothing(lake: Lake, ingest: Ingest, home: Home, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_bytes((TEXT + "用户,i,2025-01-01,view,1,1\n").encode("gbk"))
    ingest("events.csv", TEXT + "u1,i1,2025-01-01,view,-1,1\n")
    before = Counter(f for f in home.root.rglob("*"))
    with pytest.raises(UnreadableSourceError):
        ingest("bad.csv", TEXT + "u1,i1,2025-01-01,view,-1,1\n", items="item_id,price\ni1,cheap\n")
    assert Counter(f for f in home.root.rglob("*")) == before


def test_items_are_laid_over_by_id(lake: Lake, ingest: Ingest) -> None:
    ingest("a.csv", TEXT, items="item_id,title,price\ni2,Tea,2\ni1,Milk,1\n")
    assert lake.read_items().column(c.TITLE).to_pylist() == ["Milk", "Tea"]
    ingest("b.csv", TEXT, items="item_id,title,price\ni3,Rice,3\ni1,Oat milk,1\n")
    assert lake.read_items().column(c.TITLE).to_pylist() == ["Oat milk", "Tea", "Rice"]
    assert len(events_of(lake)) == 700


def test_equal_ingests_give_equal_fingerprints(lake: Lake, ingest: Ingest, tmp_path: Path) -> None:
    ingest("events.csv", TEXT)
    one = lake.fingerprint()
    ingest("more.csv", HEADER + "u,i,2025-02-01,view,1,1\n")
    assert lake.fingerprint() != one
