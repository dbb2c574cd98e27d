"""YAML whose every value knows its line, so that an error can say where it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import yaml

from features.contracts.errors import ConfigError

Scalar = None | bool | int | float | str


@dataclass(frozen=True)
class Located:
    """A value of a file. The value of a key has the line of the key."""

    file: str
    line: int
    value: "Scalar | tuple[Located, ...] | dict[str, Located]"

    def error(self, message: str) -> ConfigError:
        """An error that points here."""
        return ConfigError(f"{self.file}:{self.line}: {message}")

    def mapping(self, what: str) -> "dict[str, Located]":
        """The keys and values of ``what``; anything else, and an empty one, raises :class:`ConfigError`."""
        if isinstance(self.value, dict) and self.value:
            return self.value
        raise self.error(f"{what}: expected keys with values, found {self.told}")

    def sequence(self, what: str) -> "tuple[Located, ...]":
        """The entries of a list that is not empty."""
        if isinstance(self.value, tuple) and self.value:
            return self.value
        raise self.error(f"{what}: expected a list with at least one entry, found {self.told}")

    def text(self, what: str) -> str:
        """A word that is not blank."""
        if isinstance(self.value, str) and self.value.strip():
            return " ".join(self.value.split())
        hint = "" if isinstance(self.value, str | tuple | dict | None) else "; put it in quotes if it is meant as one"
        raise self.error(f"{what}: expected a word, found {self.told}{hint}")

    @property
    def told(self) -> str:
        """The value as a message shows it."""
        if isinstance(self.value, dict):
            return "keys and values" if self.value else "nothing"
        if isinstance(self.value, tuple):
            return "a list" if self.value else "an empty list"
        if self.value is None:
            return "nothing"
        return str(self.value).lower() if isinstance(self.value, bool) else f"'{self.value}'"


def only(entries: dict[str, Located], known: Iterable[str], what: str) -> None:
    """Refuse keys that are not ``known``, naming the nearest one."""
    words = list(known)
    for key, value in entries.items():
        if key not in words:
            raise value.error(f"{what}: unknown key '{key}'{near(key, words) or '; known are ' + ', '.join(words)}")


def near(word: str, known: Iterable[str]) -> str:
    """``; near: …`` with the known words that resemble ``word``, or nothing."""
    found = get_close_matches(word, list(known), n=3)
    return f"; near: {', '.join(found)}" if found else ""


def read_located(path: Path) -> Located:
    """Read one file. :class:`ConfigError` names file and line of what is no YAML or no plain data."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{path}{line}: not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from error
    return Located(str(path), 1, None) if root is None else _located(root, str(path), root.start_mark.line + 1, ())


def _located(node: yaml.Node, file: str, line: int, above: tuple[yaml.Node, ...]) -> Located:
    if any(node is other for other in above):
        raise ConfigError(f"{file}:{line}: an alias that contains itself")
    inside = (*above, node)
    if isinstance(node, yaml.SequenceNode):
        parts = tuple(_located(part, file, part.start_mark.line + 1, inside) for part in node.value)
        return Located(file, line, parts)
    if not isinstance(node, yaml.MappingNode):
        return Located(file, line, _scalar(node, file, line))
    entries: dict[str, Located] = {}
    for key, value in node.value:
        where = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(f"{file}:{where}: a key must be a word")
        if key.value in entries:
            raise ConfigError(f"{file}:{where}: the key '{key.value}' stands here a second time")
        entries[key.value] = _located(value, file, where, inside)
    return Located(file, line, entries)


def _scalar(node: yaml.Node, file: str, line: int) -> Scalar:
    try:
        value = yaml.constructor.SafeConstructor().construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{file}:{line}: '{node.value}' cannot be read") from error
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ConfigError(f"{file}:{line}: '{node.value}' is neither a word nor a number; put it in quotes")
