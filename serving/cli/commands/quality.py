"""``mallard quality``: how clean the last log was."""

import uuid
from pathlib import Path

import click

from features.contracts.errors import QualityLimitError
from features.lake import Lake
from serving.cli.command import command, pass_session
from serving.cli.commands.ingest import report_document
from serving.cli.session import Session, as_json


@command("quality", example="mallard quality --out quality.json")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Also write it there: as JSON when the name ends in .json, else as text.")  # fmt: skip
@click.option("--allow-over-limit", is_flag=True, help="End well although too many rows were bad.")
@pass_session
def quality(session: Session, out: Path | None, allow_over_limit: bool) -> None:
    """Show the quality report of the last ingest: rows in and kept, quarantine by check, duplicates, gaps.

    Ends with code 3 when the error rate is over the limit. Every report is also kept below the home's reports.
    """
    report = Lake(session.home).last_report()
    document, text = report_document(report), report.to_text()
    if out is not None:
        _write(out, as_json(document) if out.suffix == ".json" else text)
    session.answer(document, text)
    if not report.within_limit and not allow_over_limit:
        raise QualityLimitError(
            f"{report.error_rate:.2%} of the rows of {report.source} are bad, the limit is {report.error_limit:.2%}"
        )


def _write(out: Path, text: str) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = out.with_name(f".{out.name}.{uuid.uuid4().hex}")
    staging.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    staging.replace(out)
