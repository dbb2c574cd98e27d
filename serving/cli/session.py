"""What every command is handed: where things lie and how to answer."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from features.contracts.home import Home


@dataclass
class Session:
    """The global options of one call. They may stand before or after the command's name."""

    home: Home = field(default_factory=Home.from_environment)
    quiet: bool = False
    as_json: bool = False
    debug: bool = False

    def use_home(self, root: Path) -> None:
        self.home = replace(self.home, root=root)

    def answer(self, document: Mapping[str, Any] | Sequence[Any], text: str) -> None:
        """The result of a command on standard output: ``document`` for machines, else ``text`` for people."""
        click.echo(as_json(document) if self.as_json else text.rstrip("\n"))


def as_json(document: Any) -> str:
    """One JSON document. What JSON has no word for becomes text; numbers that are not finite become ``null``."""
    return json.dumps(_plain(document), ensure_ascii=False, indent=1, default=str, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def columns(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows as aligned plain text under ``header``; numbers stand to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(header), *cells]) for i in range(len(header))]
    right = [bool(rows) and all(isinstance(row[i], int | float) for row in rows) for i in range(len(header))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if flush else text.ljust(width)
            for text, width, flush in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in [list(header), *cells]
    )


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
