"""Files that cannot be read at all: a clear error that names file, row and column."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts.errors import UnreadableSourceError
from tests.features.sources.rows import HEADER, byte_file, csv_file, csv_rows, read

TEXT = HEADER + "".join(csv_rows(200))


def refusal(folder: Path, path: str = "events.csv", **spec: object) -> str:
    with pytest.raises(UnreadableSourceError) as caught:
        read(folder, path, **spec)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_missing_mapped_column_is_named_with_what_the_file_has(tmp_path: Path) -> None:
    csv_file(tmp_path, TEXT)
    message = refusal(tmp_path, columns={"user_id": "member", "occurred_at": "occurred_at"})
    assert "events.csv" in message
    assert "'member'" in message
    assert "item_id" in message


def test_a_file_without_any_user_column_says_so(tmp_path: Path) -> None:
    csv_file(tmp_path, TEXT.replace("user_id", "uid", 1))
    assert "no column 'user_id'" in refusal(tmp_path)


def test_a_missing_column_in_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({"u": [1]}), tmp_path / "e.parquet")
    assert "no column 'user'" in refusal(tmp_path, "e.parquet", columns={"user_id": "user"})


def test_a_key_that_no_json_line_has(tmp_path: Path) -> None:
    byte_file(tmp_path, b'{"u": 1}\n{"u": 2}\n', "e.jsonl")
    assert "'user' is in no row" in refusal(tmp_path, "e.jsonl", columns={"user_id": "user"})


def test_one_file_of_a_glob_lacks_the_column(tmp_path: Path) -> None:
    csv_file(tmp_path, TEXT, "a.csv")
    csv_file(tmp_path, "user_id,other\nu1,x\n", "b.csv")
    message = refusal(tmp_path, "*.csv", columns={"user_id": "user_id", "occurred_at": "occurred_at"})
    assert "b.csv" in message
    assert "occurred_at" in message


@pytest.mark.parametrize("encoding", ["gbk", "latin-1"])
def test_a_wrong_encoding_names_row_and_column(tmp_path: Path, encoding: str) -> None:
    word = "用户" if encoding == "gbk" else "é"
    byte_file(tmp_path, (TEXT + f"u1,{word},2025-01-01,view,1,1\n").encode(encoding))
    message = refusal(tmp_path)
    assert "row 201, column 'item_id'" in message
    assert "UTF-8" in message


def test_a_wrong_encoding_in_a_row_with_too_few_columns(tmp_path: Path) -> None:
    byte_file(tmp_path, (TEXT + "用户,i1\n").encode("gbk"))
    assert "row 201, column 'user_id'" in refusal(tmp_path)


def test_a_wrong_encoding_in_the_header(tmp_path: Path) -> None:
    byte_file(tmp_path, ("用户," + TEXT).encode("gbk"))
    assert "row 0" in refusal(tmp_path)


def test_a_character_cut_by_a_block_border_is_not_a_wrong_encoding(tmp_path: Path) -> None:
    row = "用户,i1,2025-01-01,view,1,1\n"
    csv_file(tmp_path, HEADER + row * 200_000)  # several blocks whose borders fall anywhere
    assert len(read(tmp_path).events) == 200_000


def test_utf16(tmp_path: Path) -> None:
    byte_file(tmp_path, TEXT.encode("utf-16"))
    assert "UTF-16" in refusal(tmp_path)


def test_a_wrong_encoding_in_json_lines(tmp_path: Path) -> None:
    byte_file(tmp_path, b'{"user_id": "a"}\n{"user_id": "\xff"}\n', "e.jsonl")
    assert "row 2" in refusal(tmp_path, "e.jsonl")


@pytest.mark.parametrize("name", ["events.csv.gz", "events.jsonl.gz"])
def test_a_truncated_gzip(tmp_path: Path, name: str) -> None:
    content = TEXT if "csv" in name else '{"user_id": "a", "occurred_at": "2025-01-01"}\n' * 5000
    (tmp_path / name).write_bytes(gzip.compress(content.encode())[:-30])
    assert "gzip compression is broken or cut off" in refusal(tmp_path, name)


def test_not_gzip_at_all(tmp_path: Path) -> None:
    (tmp_path / "e.csv.gz").write_text(TEXT)
    assert "gzip compression is broken" in refusal(tmp_path, "e.csv.gz")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("e.csv", b"", "empty"),
        ("e.csv.gz", b"", "no rows"),
        ("e.csv", HEADER.encode(), "no rows"),
        ("e.jsonl", b"\n\n", "no rows"),
        ("e.xlsx", b"PK", "ending '.xlsx'"),
        ("events", b"x", "ending ''"),
        ("e.parquet.gz", b"x", "known are"),
        ("e.parquet", b"PAR1 no PAR1", "not a whole Parquet file"),
        ("e.csv", b"user_id,user_id\n1,2\n", "more than once"),
    ],
)
def test_nothing_that_can_be_read(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    byte_file(tmp_path, content, name)
    message = refusal(tmp_path, name)
    assert name in message
    assert words in message


def test_a_truncated_parquet_file(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user_id": ["a"] * 100}), tmp_path / "e.parquet")
    whole = (tmp_path / "e.parquet").read_bytes()
    (tmp_path / "e.parquet").write_bytes(whole[:-20])
    assert "not a whole Parquet file" in refusal(tmp_path, "e.parquet")


def test_a_parquet_file_without_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user_id": pa.array([], pa.string())}), tmp_path / "e.parquet")
    assert "no rows" in refusal(tmp_path, "e.parquet")


@pytest.mark.parametrize(
    ("path", "words"), [("none.csv", "no such file"), ("*.csv", "no file matches"), (".", "folder")]
)
def test_nothing_there(tmp_path: Path, path: str, words: str) -> None:
    assert words in refusal(tmp_path, path)
