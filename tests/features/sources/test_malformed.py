"""Rows that cannot be split into columns go to quarantine with their row number; the rows around them are whole."""

from pathlib import Path

import pytest

from features.contracts import columns as c
from tests.features.sources.rows import HEADER, csv_file, csv_rows, read

STRAY = "a quote sign is missing or there is one too many"


def test_too_few_and_too_many_columns(tmp_path: Path) -> None:
    rows = csv_rows(100)
    rows[10], rows[50], rows[99] = "u1,i1\n", "a,b,c,d,e,f,g,h\n", "last"
    rows.insert(20, "\n")
    loaded = read(csv_file(tmp_path, HEADER + "".join(rows)).parent)
    assert len(loaded.events) == 97
    assert loaded.report.quarantined == {"malformed_row": 3}
    assert [e.row for e in loaded.report.examples] == [11, 52, 101]


def test_the_numbers_of_rows_after_a_malformed_one_are_right(tmp_path: Path) -> None:
    rows = csv_rows(100)
    rows[10], rows[60] = "u1,i1\n", "u1,i1,2025-01-01,view,-1,1\n"
    loaded = read(csv_file(tmp_path, HEADER + "".join(rows)).parent)
    assert {e.row for e in loaded.report.examples} == {11, 61}


@pytest.mark.parametrize("count", [50, 1_000, 150_000], ids=["at the end", "more than a row may take", "over blocks"])
def test_a_quote_that_is_never_closed_costs_one_row(tmp_path: Path, count: int) -> None:
    rows = csv_rows(count)
    rows[20] = 'u1,i1,2025-01-01,view,1,"1\n'
    loaded = read(csv_file(tmp_path, HEADER + "".join(rows)).parent)
    assert len(loaded.events) == count - 1
    assert [(e.row, e.reason) for e in loaded.report.examples] == [(21, STRAY)]


def test_two_stray_quotes_cost_two_rows(tmp_path: Path) -> None:
    rows = csv_rows(100)
    rows[20], rows[30] = 'u1,"i1,2025-01-01,view,1,1\n', 'u1,i"1,2025-01-01,view,1,1\n'
    loaded = read(csv_file(tmp_path, HEADER + "".join(rows)).parent)
    assert len(loaded.events) == 98
    assert [e.row for e in loaded.report.examples] == [21, 31]


def test_a_value_of_several_lines_is_one_row_and_rows_count_as_lines(tmp_path: Path) -> None:
    text = 'user_id,occurred_at,amount,note\nu1,2025-01-01,1,"one\ntwo\nthree"\nu2,2025-01-01,-1,x\n'
    columns = {"user_id": "user_id", "occurred_at": "occurred_at", "amount": "amount"}
    loaded = read(csv_file(tmp_path, text).parent, columns=columns)
    assert loaded.events.column(c.USER_ID).to_pylist() == ["u1"]
    assert [(e.check, e.row) for e in loaded.report.examples] == [("negative_amount", 4)]


def test_a_value_of_several_lines_over_the_border_of_two_blocks(tmp_path: Path) -> None:
    row = 'u1,i1,2025-01-01,view,1,1,"a\nb"\n'
    text = HEADER.replace("amount", "amount,note") + row * 200_000
    columns = {n: n for n in HEADER.strip().split(",")}
    loaded = read(csv_file(tmp_path, text).parent, columns=columns)
    assert len(loaded.events) == 200_000
    assert loaded.report.quarantined == {}
