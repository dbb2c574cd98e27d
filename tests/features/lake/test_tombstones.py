"""Ids that were erased: no old file, batch or table brings them back, and the others on their devices stay."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from features.contracts import columns as c
from features.contracts.catalogue import USER_SCHEMA
from features.contracts.errors import InputError
from features.contracts.home import Home
from features.contracts.knowledge import ANONYMOUS, USER
from features.identity.links import login_rows
from features.lake import Lake
from features.quality import QualityReport
from features.sources import Source, SourceSpec, open_source
from tests.features.lake.conftest import Ingest, events_of
from tests.features.sources.rows import NOW

LOG = """user_id,anonymous_id,item_id,event_type,occurred_at
ann,,i1,view,2025-01-01T10:00:00Z
ann,phone,i2,purchase,2025-01-01T11:00:00Z
bob,phone,i1,view,2025-01-02T10:00:00Z
,phone,i3,view,2025-01-03T10:00:00Z
,tablet,i3,view,2025-01-03T11:00:00Z
"""


def who(lake: Lake) -> list[tuple[str | None, str | None]]:
    rows = events_of(lake).sort_by(c.OCCURRED_AT)
    return list(zip(rows.column(c.USER_ID).to_pylist(), rows.column(c.ANONYMOUS_ID).to_pylist(), strict=True))


def test_an_old_file_brings_nothing_of_an_erased_person_back(lake: Lake, ingest: Ingest) -> None:
    assert lake.tombstones.add(USER, ["ann"], now=NOW) == 1
    assert lake.tombstones.add(ANONYMOUS, ["phone"], now=NOW) == 1
    assert lake.tombstones.add(USER, ["ann"], now=NOW) == 0
    report = ingest("log.csv", LOG)
    assert (report.rows_in, report.accepted, report.erased, report.rejected, report.added) == (5, 2, 3, 0, 2)
    assert "of erased ids            3" in report.to_text()
    assert QualityReport.from_json(report.to_json()).erased == 3
    assert who(lake) == [("bob", "phone"), (None, "tablet")]


def test_a_lift_admits_the_id_again(lake: Lake, ingest: Ingest) -> None:
    lake.tombstones.add(USER, ["ann"], now=NOW)
    assert ingest("log.csv", LOG).erased == 2
    assert lake.tombstones.lift(USER, ["ann", "bob"]) == 1
    assert not lake.tombstones.has(USER, "ann")
    report = ingest("more.csv", LOG + ",tablet,i1,view,2025-01-04T11:00:00Z\n")
    assert (report.erased, report.added) == (0, 3)
    assert sum(user == "ann" for user, _ in who(lake)) == 2


def test_the_id_is_kept_as_a_keyed_hash_only(home: Home, lake: Lake) -> None:
    lake.tombstones.add(USER, ["the-very-id"], now=NOW)
    files = [file for file in home.root.rglob("*") if file.is_file()]
    assert [file for file in files if b"the-very-id" in file.read_bytes() or "the-very-id" in str(file)] == []
    (kept,) = (home.lake / "erased").iterdir()
    assert json.loads(kept.read_text()) == {"id_kind": "user", "erased_at": NOW.isoformat()}
    # A user and a visitor of one name are two.
    assert not lake.tombstones.has(ANONYMOUS, "the-very-id")


def test_what_another_process_erases_counts_at_once(home: Home, lake: Lake) -> None:
    other = Lake(home)
    for number in range(20):
        assert not other.tombstones.has(USER, f"u{number}")
        lake.tombstones.add(USER, [f"u{number}"], now=NOW)
        assert other.tombstones.has(USER, f"u{number}")


def test_batches_tables_and_logins_of_erased_ids_are_left_out(lake: Lake, ingest: Ingest) -> None:
    ingest("log.csv", LOG)
    before = events_of(lake)
    lake.tombstones.add(USER, ["ann"], now=NOW)
    again = before.set_column(0, before.schema.field(0), pa.array([f"e{n}" for n in range(len(before))]))
    assert lake.append_events(again, batch_id="again", now=NOW) == 3
    rows = [{**dict.fromkeys(USER_SCHEMA.names), c.USER_ID: user} for user in ("ann", "bob")]
    lake.upsert(users=pa.Table.from_pylist(rows, schema=USER_SCHEMA), now=NOW)
    assert lake.read_users().column(c.USER_ID).to_pylist() == ["bob"]
    logins = login_rows([("new-phone", "ann", NOW), ("new-tablet", "bob", NOW)])
    lake.identify(logins=logins, batch_id="logins", now=NOW)
    assert "new-phone" not in str(lake.read_aliases().to_pydict())
    assert "new-tablet" in str(lake.read_aliases().to_pydict())


def test_an_erasure_while_a_file_is_read_writes_nothing(
    lake: Lake, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log.csv").write_text(LOG, encoding="utf-8")
    source = open_source(SourceSpec(path="log.csv"), tmp_path)
    read = type(source).items

    def while_reading(self: Source) -> pa.Table | None:
        Lake(home).tombstones.add(USER, ["ann"], now=NOW)
        return read(source)

    monkeypatch.setattr(type(source), "items", while_reading)
    with pytest.raises(InputError, match="ingest it again"):
        lake.ingest(source, now=NOW)
    assert lake.is_empty
    assert lake.ingest(source, now=NOW).erased == 2
