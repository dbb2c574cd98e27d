"""Examples in quality reports quote a value of a bad row, which may be somebody's id; they lie in commits, too."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from features.lake.commits import Commit, flush
from features.lake.person import Person
from features.lake.quarantine import values_of
from features.quality import QualityReport


def count_examples(commits: Path, reports: Path, person: Person) -> int:
    """How many examples quote an id of his."""
    return sum(len(report.examples) - len(_without(report, person).examples) for _, report, _ in _all(commits, reports))


def forget_examples(commits: Path, reports: Path, person: Person) -> None:
    """Take those examples out of the commits below ``commits`` and the reports below ``reports``."""
    for file, report, commit in _all(commits, reports):
        fewer = _without(report, person)
        if fewer == report:
            continue
        if commit is not None:
            _replace(file, commit.model_copy(update={"report": fewer}).model_dump_json())
            continue
        # The text is made from the same report: it follows first, so that a second try finds the report again.
        if file.with_suffix(".txt").exists():
            _replace(file.with_suffix(".txt"), fewer.to_text() + "\n")
        _replace(file, fewer.to_json() + "\n")


def _without(report: QualityReport, person: Person) -> QualityReport:
    ids = frozenset((*person.users, *person.visitors))
    kept = tuple(example for example in report.examples if ids.isdisjoint(_quoted(example.reason)))
    return report.model_copy(update={"examples": kept})


def _quoted(reason: str) -> Iterator[str]:
    """What a reason quotes: it shows values between quotation marks."""
    for mark in "'\"":
        for part in reason.split(mark)[1:]:
            yield part
            yield from values_of(part)


def _all(commits: Path, reports: Path) -> Iterator[tuple[Path, QualityReport, Commit | None]]:
    for file in sorted(commits.glob("[0-9]*.json")):
        commit = Commit.model_validate_json(file.read_bytes())
        if commit.report is not None:
            yield file, commit.report, commit
    for file in sorted((reports / "quality").glob("[!.]*.json")):
        yield file, QualityReport.from_json(file.read_text(encoding="utf-8")), None


def _replace(file: Path, text: str) -> None:
    aside = file.with_name(f".{uuid4().hex}")
    aside.write_text(text, encoding="utf-8")
    flush(aside)
    aside.replace(file)
