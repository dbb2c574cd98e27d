"""The YAML blocks: what they refuse, with file, line and key."""

from pathlib import Path

import pytest

from features.contracts.config import load_config, parse_config
from features.contracts.errors import ConfigError
from features.sources import SourceFile


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("{}", "exactly one of path, sequences and sample"),
        ("{path: a.csv, sample: cdnow}", "exactly one of"),
        ("{sample: nothing}", "there is no sample 'nothing'; known are complete-journey, cdnow"),
        ("{path: a.csv, columns: {user: u}}", "'user' is not a column"),
        ("{path: a.csv, columns: {item_id: u}}", "one of user_id, anonymous_id must be mapped"),
        ("{path: a.csv, event_map: {buy: bought}}", "Input should be 'impression'"),
        ("{sequences: a.txt, columns: {user_id: u}}", "belong to path"),
        ("{path: a.csv, colums: {}}", "Extra inputs are not permitted"),
    ],
)
def test_wrong_blocks_are_refused(block: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(SourceFile, f"name: x\ninteractions: {block}\n", "my.yaml")
    assert words in str(caught.value)
    assert "my.yaml:2: interactions" in str(caught.value)


def test_an_item_column_of_events_is_refused() -> None:
    with pytest.raises(ConfigError, match="'quantity' is not a column"):
        parse_config(
            SourceFile, "name: x\ninteractions: {sample: cdnow}\nitems: {path: i.csv, columns: {quantity: q}}", "m"
        )


@pytest.mark.parametrize("file", sorted(Path("configs/sources").glob("*.yaml")), ids=lambda file: str(file.name))
def test_the_shipped_examples_are_valid(file: Path) -> None:
    assert load_config(SourceFile, file).name
