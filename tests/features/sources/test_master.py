"""Items and users must be right: a bad value is an error that names file, row and column."""

from pathlib import Path

import pytest

from features.contracts.errors import UnreadableSourceError
from tests.features.sources.rows import HEADER, csv_file, csv_rows, items


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("item_id,price\ni1,2\ni2,cheap\n", "row 2, column 'price': 'cheap' is not a number"),
        ("item_id,price\n,2\n", "row 1, column 'item_id': the id is missing"),
        ("item_id,price\ni1,2,3\n", "row 1: the row has 3 columns"),
        ("item_id,published_at\ni1,soon\n", "row 1, column 'published_at': 'soon' is not a date or time"),
        ("id,price\ni1,2\n", "no column 'item_id'"),
    ],
)
def test_bad_items_are_refused(tmp_path: Path, text: str, words: str) -> None:
    csv_file(tmp_path, HEADER + csv_rows(1)[0])
    csv_file(tmp_path, text, "items.csv")
    with pytest.raises(UnreadableSourceError) as caught:
        items(tmp_path, "items.csv")
    assert words in str(caught.value)
    assert "items.csv" in str(caught.value)
