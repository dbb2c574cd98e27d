"""Where quality reports are kept: one per source content, and the newest under a name of its own."""

import re
from pathlib import Path

from features.quality import QualityReport

_NEWEST = "newest.json"


def save_report(folder: Path, report: QualityReport) -> Path:
    """Write ``report`` as JSON and as text under ``folder/quality``; returns the text file."""
    target = folder / "quality"
    target.mkdir(parents=True, exist_ok=True)
    stem = f"{re.sub(r'[^A-Za-z0-9]+', '-', report.source).strip('-')[-60:]}-{report.fingerprint[:8]}"
    told, words = report.to_json(), report.to_text()
    for name, text in ((f"{stem}.json", told), (f"{stem}.txt", words), (_NEWEST, told)):
        aside = target / f".{name}"
        aside.write_text(text + "\n", encoding="utf-8")
        aside.rename(target / name)
    return target / f"{stem}.txt"


def newest_report(folder: Path) -> QualityReport | None:
    """The report that was saved last, also of a run that was refused."""
    file = folder / "quality" / _NEWEST
    return QualityReport.from_json(file.read_text(encoding="utf-8")) if file.exists() else None
