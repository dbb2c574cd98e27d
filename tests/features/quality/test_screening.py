"""Quarantine: which row, which column, why, and the row as it came."""

import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contracts import columns as c
from features.quality import QUARANTINE_SCHEMA, Screened, screen
from features.sources import Chunk, RawBatch, SourceSpec, open_source
from tests.features.sources.rows import HEADER, NOW, byte_file, csv_file, csv_rows


def screened(folder: Path, path: str) -> list[Screened]:
    return list(screen(open_source(SourceSpec(path=path), folder).events(), now=NOW))


def quarantine(batches: Iterable[Screened]) -> list[dict[str, object]]:
    return [row for batch in batches for row in batch.quarantined.to_pylist()]


def test_a_quarantined_row_tells_its_file_row_column_reason_and_itself(tmp_path: Path) -> None:
    rows = csv_rows(30)
    rows[7] = "u1,i1,2025-01-01,view,-2,1\n"
    file = csv_file(tmp_path, HEADER + "".join(rows))
    (row,) = quarantine(screened(tmp_path, "events.csv"))
    assert set(row) == set(QUARANTINE_SCHEMA.names)
    assert (row["check"], row["column"], row["row"], row["file"]) == ("negative_quantity", "quantity", 8, str(file))
    assert "'-2'" in str(row["reason"])
    assert json.loads(str(row["raw"])) == dict(
        zip(HEADER.strip().split(","), ["u1", "i1", "2025-01-01", "view", "-2", "1"], strict=True)
    )
    assert row["quarantined_at"] == NOW


def test_a_json_line_is_kept_as_it_stands(tmp_path: Path) -> None:
    line = '{"user_id":"u", "occurred_at":"2025-01-01",  "extra": [1]}'
    byte_file(tmp_path, f"{line}\nnot json\n{line.replace('2025', '1970')}\n".encode(), "e.jsonl")
    malformed, old = quarantine(screened(tmp_path, "e.jsonl"))
    assert (malformed["check"], malformed["row"], malformed["raw"]) == ("malformed_row", 2, "not json")
    assert (old["check"], old["row"], old["raw"]) == ("impossible_date", 3, line.replace("2025", "1970"))


def test_nan_and_infinity_of_a_parquet_file(tmp_path: Path) -> None:
    amounts = pa.array([1.0, float("nan"), float("inf"), None])
    table = pa.table({"user_id": ["u"] * 4, "occurred_at": ["2025-01-01"] * 4, "amount": amounts})
    pq.write_table(table, tmp_path / "e.parquet")
    found = quarantine(screened(tmp_path, "e.parquet"))
    assert [(r["check"], r["row"]) for r in found] == [("not_finite", 2), ("not_finite", 3)]


def test_now_decides_what_the_future_is(tmp_path: Path) -> None:
    csv_file(tmp_path, "user_id,occurred_at\nu,2026-01-03\n")
    source = open_source(SourceSpec(path="events.csv"), tmp_path)
    assert len(quarantine(screen(source.events(), now=NOW))) == 1
    assert quarantine(screen(source.events(), now=NOW + timedelta(days=1))) == []


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.text(max_size=6)),
            st.sampled_from(["2025-01-01", "1970-01-01", "", "x", "0"]),
            st.sampled_from(["1", "-1", "NaN", "inf", "", "x", "1e400"]),
        ),
        max_size=20,
    )
)
def test_every_row_is_accepted_or_quarantined_and_none_is_lost(rows: list[tuple[str | None, str, str]]) -> None:
    users, times, amounts = ([row[i] for row in rows] for i in range(3))
    table = pa.table(
        {"u": pa.array(users, pa.string()), "t": pa.array(times, pa.string()), "a": pa.array(amounts, pa.string())}
    )
    chunk = Chunk(table, pa.array(range(1, len(rows) + 1), pa.int64()))
    batch = RawBatch("made up", chunk, {c.USER_ID: "u", c.OCCURRED_AT: "t", c.AMOUNT: "a"})
    (found,) = screen([batch], now=NOW)
    numbers = found.numbers.to_pylist() + found.quarantined.column("row").to_pylist()
    assert sorted(numbers) == list(range(1, len(rows) + 1))
    assert len(found.accepted) == len(found.numbers)
