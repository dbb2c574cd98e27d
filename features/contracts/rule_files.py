"""Which folder this process takes its rule tags from.

The edges of the program know the folder and tags need it; saying so here costs no import, and nothing is read before
somebody asks for tags. A broken rule file therefore stops what builds tags and nothing else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, eq=False)
class RuleFiles:
    """The ``*.yaml`` files of ``folder``, to be read once; every object stands for a reading of its own."""

    folder: Path | None

    def files(self) -> tuple[Path, ...]:
        """The rule files in order of their names; none when there is no such folder."""
        return () if self.folder is None else tuple(sorted(self.folder.glob("*.yaml")))


class _Process:
    """What this process was told."""

    rules = RuleFiles(None)


def rule_files() -> RuleFiles:
    """Those of this process."""
    return _Process.rules


def use_rules(folder: Path | None) -> None:
    """From now on tags include the rules of ``folder``, read when tags are next asked for. ``None`` means no rules."""
    _Process.rules = RuleFiles(folder)


@contextmanager
def using_rules(folder: Path | None) -> Iterator[None]:
    """Take rules from ``folder`` inside the block."""
    before = _Process.rules.folder
    use_rules(folder)
    try:
        yield
    finally:
        use_rules(before)
