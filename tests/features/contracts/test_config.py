from pathlib import Path

import pytest

from features.contracts.config import Config, load_config, parse_config
from features.contracts.errors import ConfigError


class Window(Config):
    days: int = 7


class Sample(Config):
    name: str = "mall"
    windows: tuple[Window, ...] = ()


def test_values_are_typed_and_defaults_fill_in() -> None:
    assert parse_config(Sample, "windows: [{days: 3}, {}]", "f.yaml") == Sample(windows=(Window(days=3), Window()))
    assert parse_config(Sample, "", "f.yaml") == Sample()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("name: a\ncolour: red\n", "f.yaml:2: colour"),
        ("name: a\nwindows:\n  - days: 3\n  - days: many\n", r"f.yaml:4: windows.1.days"),
        ("- a\n- b\n", "f.yaml: expected keys and values"),
        ("name: [unclosed\n", "f.yaml: not valid YAML"),
    ],
)
def test_errors_name_file_line_and_key(text: str, where: str) -> None:
    with pytest.raises(ConfigError, match=where):
        parse_config(Sample, text, "f.yaml")


def test_a_missing_file_is_an_error_unless_optional(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: no such"):
        load_config(Sample, tmp_path / "nowhere.yaml")
    assert load_config(Sample, tmp_path / "nowhere.yaml", optional=True) == Sample()


def test_bytes_that_are_not_text_are_an_error(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"name: caf\xe9\n")
    with pytest.raises(ConfigError, match=r"latin\.yaml: cannot be read"):
        load_config(Sample, file)
