"""What the readers make of good files: formats, mapping, times and ids."""

import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts import columns as c
from features.lake import read_table
from features.sources import SourceSpec, load_source, open_source
from tests.features.sources.rows import HEADER, NOW, byte_file, csv_file, csv_rows, items, read

RECORDS = [
    {"user_id": 7, "item_id": "a", "occurred_at": "2025-01-02T03:04:05Z", "event_type": "view", "amount": 1.5},
    {"user_id": 8, "item_id": "b", "occurred_at": "2025-01-02T03:04:06Z", "event_type": "purchase", "amount": None},
]


def column(table: pa.Table, name: str) -> list[object]:
    values: list[object] = table.column(name).to_pylist()
    return values


def write(folder: Path, name: str) -> None:
    if "parquet" in name:
        pq.write_table(pa.Table.from_pylist(RECORDS), folder / name)
    elif "json" in name:
        byte_file(folder, "\n".join(json.dumps(r) for r in RECORDS).encode(), name)
    else:
        mark = "\t" if "tsv" in name else ","
        lines = [mark.join(RECORDS[0]), *(mark.join("" if v is None else str(v) for v in r.values()) for r in RECORDS)]
        byte_file(folder, ("\r\n".join(lines) + "\r\n").encode("utf-8-sig"), name)


@pytest.mark.parametrize(
    "name", ["e.csv", "e.csv.gz", "e.tsv", "e.tsv.gz", "e.jsonl", "e.jsonl.gz", "e.ndjson", "e.parquet"]
)
def test_every_format_gives_the_same_events(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    loaded = read(tmp_path, name)
    assert loaded.report.quarantined == {}
    assert column(loaded.events, c.USER_ID) == ["7", "8"]
    assert column(loaded.events, c.EVENT_TYPE) == ["view", "purchase"]
    assert column(loaded.events, c.AMOUNT) == [1.5, None]
    assert column(loaded.events, c.OCCURRED_AT)[0] == datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_glob_reads_files_by_name(tmp_path: Path) -> None:
    csv_file(tmp_path, HEADER + csv_rows(1)[0], "b.csv")
    csv_file(tmp_path, HEADER + "first,i,2025-01-01,view,1,1\n", "a.csv")
    assert column(read(tmp_path, "*.csv").events, c.USER_ID) == ["first", "u0"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("2025-01-31", datetime(2025, 1, 31, tzinfo=UTC)),
        ("2025/1/5", datetime(2025, 1, 5, tzinfo=UTC)),
        ("2025-01-31 08:09:10.5", datetime(2025, 1, 31, 8, 9, 10, 500_000, tzinfo=UTC)),
        ("2025-01-31T08:00:00+08:00", datetime(2025, 1, 31, tzinfo=UTC)),
        ("2025-01-31T00:00:00Z", datetime(2025, 1, 31, tzinfo=UTC)),
        (" 2025-01-31 ", datetime(2025, 1, 31, tzinfo=UTC)),
        ("20250131", datetime(2025, 1, 31, tzinfo=UTC)),
        ("20250131080910", datetime(2025, 1, 31, 8, 9, 10, tzinfo=UTC)),
        ("1738281600", datetime(2025, 1, 31, tzinfo=UTC)),
        ("1738281600.25", datetime(2025, 1, 31, 0, 0, 0, 250_000, tzinfo=UTC)),
        ("1738281600000", datetime(2025, 1, 31, tzinfo=UTC)),
        ("1738281600000000", datetime(2025, 1, 31, tzinfo=UTC)),
    ],
)
def test_times_as_people_write_them(tmp_path: Path, given: str, meant: datetime) -> None:
    csv_file(tmp_path, f"user_id,occurred_at\nu,{given}\nv,2025-01-01\n")
    assert column(read(tmp_path).events, c.OCCURRED_AT)[0] == meant


@pytest.mark.parametrize(
    "moments",
    [
        pa.array([datetime(2025, 1, 31)], pa.timestamp("ns")),
        pa.array([datetime(2025, 1, 31)], pa.timestamp("s", tz="UTC")),
        pa.array([datetime(2025, 1, 31)], pa.timestamp("ms", tz="Asia/Shanghai")),
        pa.array([date(2025, 1, 31)], pa.date32()),
        pa.array([1738281600], pa.int64()),
        pa.array([1738281600000], pa.int64()),
        pa.array([20250131], pa.int32()),
        pa.array([1738281600.0], pa.float64()),
        pa.array(["2025-01-31"], pa.large_string()),
        pa.array(["2025-01-31"]).dictionary_encode(),
    ],
    ids=lambda a: str(a.type),
)
def test_times_by_column_type(tmp_path: Path, moments: pa.Array) -> None:
    pq.write_table(pa.table({"user_id": ["u"], "occurred_at": moments}), tmp_path / "e.parquet")
    assert column(read(tmp_path, "e.parquet").events, c.OCCURRED_AT) == [datetime(2025, 1, 31, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        (pa.array([12], pa.int64()), "12"),
        (pa.array([12.0, 1.5], pa.float64()), "12"),
        (pa.array(["0012"]), "0012"),
        (pa.array(["12"]).dictionary_encode(), "12"),
        (pa.array([31198570044], pa.uint64()), "31198570044"),
    ],
    ids=lambda v: str(v.type) if isinstance(v, pa.Array) else v,
)
def test_ids_become_text(tmp_path: Path, ids: pa.Array, text: str) -> None:
    day = pa.array(["2025-01-01"] * len(ids))
    pq.write_table(pa.table({"user_id": ids, "item_id": ids, "occurred_at": day}), tmp_path / "e.parquet")
    loaded = read(tmp_path, "e.parquet")
    assert column(loaded.events, c.USER_ID)[0] == text
    assert column(loaded.events, c.ITEM_ID)[0] == text


def test_event_map_translates_words_and_numbers(tmp_path: Path) -> None:
    csv_file(tmp_path, "u,t,k\nu1,2025-01-01,buy\nu1,2025-01-01,3\nu1,2025-01-01, VIEW \n")
    columns = {"user_id": "u", "occurred_at": "t", "event_type": "k"}
    loaded = read(tmp_path, columns=columns, event_map={"buy": "purchase", 3: "cart_add"})
    assert column(loaded.events, c.EVENT_TYPE) == ["purchase", "cart_add", "view"]


def test_an_absent_event_type_means_purchase_but_an_empty_one_does_not(tmp_path: Path) -> None:
    csv_file(tmp_path, "user_id,occurred_at,kind\nu1,2025-01-01,\n")
    columns = {"user_id": "user_id", "occurred_at": "occurred_at"}
    assert column(read(tmp_path, columns=columns).events, c.EVENT_TYPE) == ["purchase"]
    assert read(tmp_path, columns={**columns, "event_type": "kind"}).report.quarantined == {"unknown_event_type": 1}


def test_only_mapped_columns_are_read(tmp_path: Path) -> None:
    csv_file(tmp_path, HEADER + csv_rows(1)[0])
    loaded = read(tmp_path, columns={"user_id": "user_id", "occurred_at": "occurred_at"})
    assert column(loaded.events, c.ITEM_ID) == [None]


def test_quoted_values_may_hold_commas_and_line_ends(tmp_path: Path) -> None:
    csv_file(tmp_path, 'user_id,occurred_at,channel\n"a,b",2025-01-01,"x ""y"""\nu2,2025-01-02,z\n')
    loaded = read(tmp_path)
    assert column(loaded.events, c.USER_ID) == ["a,b", "u2"]
    assert column(loaded.events, c.CHANNEL) == ['x "y"', "z"]


def test_properties_may_be_a_struct_or_an_object(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"user_id": ["u"], "occurred_at": ["2025-01-01"], "properties": [{"a": 1}]}), tmp_path / "e.parquet"
    )
    byte_file(tmp_path, b'{"user_id": "u", "occurred_at": "2025-01-01", "properties": {"a": 1}}', "e.jsonl")
    for name in ("e.parquet", "e.jsonl"):
        assert json.loads(str(column(read(tmp_path, name).events, c.PROPERTIES)[0])) == {"a": 1}


def test_json_lines_with_a_key_that_comes_late(tmp_path: Path) -> None:
    byte_file(tmp_path, b'{"user_id": 1, "occurred_at": 1738281600}\n{"user_id": 2, "amount": "3"}\n', "e.jsonl")
    loaded = read(tmp_path, "e.jsonl", timed=False)
    assert column(loaded.events, c.AMOUNT) == [None, 3.0]
    assert column(loaded.events, c.EVENT_TYPE) == ["purchase", "purchase"]


def test_without_time_the_order_of_the_file_stays(tmp_path: Path) -> None:
    csv_file(tmp_path, "user_id,item_id\n" + "".join(f"u{i % 3},i{i}\n" for i in range(500)))
    loaded = read(tmp_path, timed=False)
    assert column(loaded.events, c.ITEM_ID) == [f"i{i}" for i in range(500)]
    assert loaded.events.column(c.OCCURRED_AT).null_count == 500


@pytest.mark.parametrize("name", ["s.txt", "s.txt.gz"])
def test_sequences(tmp_path: Path, name: str) -> None:
    content = b"1 10 11 10\n2\t20\n\n3\n"
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    source = open_source(SourceSpec(sequences=name), tmp_path)
    loaded = read_table(source, now=NOW, timed=False)
    assert source.ordered
    assert column(loaded.events, c.USER_ID) == ["1", "1", "1", "2"]
    assert column(loaded.events, c.ITEM_ID) == ["10", "11", "10", "20"]
    assert loaded.report.quarantined == {"malformed_row": 1}
    assert loaded.report.examples[0].row == 4


def test_items_by_mapping_with_the_last_row_of_an_id(tmp_path: Path) -> None:
    csv_file(tmp_path, HEADER + csv_rows(1)[0])
    pq.write_table(
        pa.table({"i": [3, 1, 3], "c": [["A", "B"], ["A"], ["C"]], "p": [1, 2, 3]}), tmp_path / "items.parquet"
    )
    found = items(tmp_path, "items.parquet", {"item_id": "i", "category": "c", "price": "p"})
    assert column(found, c.ITEM_ID) == ["1", "3"]
    assert column(found, c.CATEGORY) == ["A", "C"]
    assert column(found, c.PRICE) == [2.0, 3.0]


def test_a_yaml_file_describes_a_source(tmp_path: Path) -> None:
    csv_file(tmp_path, HEADER + csv_rows(1)[0])
    csv_file(tmp_path, "item_id,title\ni0,Tea\n", "items.csv")
    csv_file(tmp_path, "user_id,consent_marketing,registered_at\nu0,false,2024-05-06\n", "users.csv")
    text = "name: my-mall\ninteractions: {path: events.csv}\nitems: {path: items.csv}\nusers: {path: users.csv}\n"
    (tmp_path / "mall.yaml").write_text(text)
    source = load_source(tmp_path / "mall.yaml")
    loaded = read_table(source, now=NOW)
    assert source.name == "my-mall"
    assert loaded.items is not None
    assert column(loaded.items, c.TITLE) == ["Tea"]
    assert loaded.users is not None
    assert column(loaded.users, c.CONSENT_MARKETING) == [False]
    assert column(loaded.users, c.REGISTERED_AT) == [datetime(2024, 5, 6, tzinfo=UTC)]


def test_the_fingerprint_follows_content_and_mapping(tmp_path: Path) -> None:
    def fingerprint(**spec: object) -> str:
        return open_source(SourceSpec.model_validate({"path": "events.csv", **spec}), tmp_path).fingerprint()

    csv_file(tmp_path, HEADER + csv_rows(1)[0])
    first = fingerprint()
    assert fingerprint() == first
    assert fingerprint(columns={"user_id": "user_id"}) != first
    assert fingerprint(event_map={"x": "view"}) != first
    csv_file(tmp_path, HEADER + csv_rows(2)[1])
    assert fingerprint() != first
