"""``mallard ingest``: a behaviour log into the lake."""

from datetime import UTC, datetime
from pathlib import Path

import click
from pydantic import Field

from features.contracts.config import Config, load_config
from features.contracts.events import EventType
from features.contracts.home import Home
from features.lake import Lake
from features.quality import QualityConfig, QualityReport
from features.sources import SAMPLES, Source, SourceSpec, load_source, open_source
from serving.cli.command import command, pass_session
from serving.cli.session import Session
from serving.store import open_store
from serving.store.drain import Drained, drain

_INBOX = "inbox"


class Mapping(Config):
    """A column mapping on its own, for ``--mapping``."""

    columns: dict[str, str] = Field(default_factory=dict)
    """Canonical column -> column of the file."""
    event_map: dict[str, EventType] = Field(default_factory=dict)
    """Word of the file -> event type."""


def ingest_source(home: Home, source: Source, *, allow_over_limit: bool = False) -> QualityReport:
    """Take ``source`` into the lake of ``home`` under the limits of ``configs/quality.yaml``."""
    limits = load_config(QualityConfig, home.configs / "quality.yaml", optional=True)
    return Lake(home).ingest(source, now=datetime.now(UTC), limits=limits, allow_over_limit=allow_over_limit)


def drain_inbox(home: Home) -> Drained:
    """Move what the server has received since the last time into the lake of ``home``."""
    store = open_store(home)
    try:
        return drain(store, Lake(home))
    finally:
        store.close()


@command(
    "ingest",
    example="mallard ingest events.csv.gz --mapping mapping.yaml\n"
    "mallard ingest my-mall.yaml\nmallard ingest --sample complete-journey\nmallard ingest inbox",
)
@click.argument("path", required=False)
@click.option("--mapping", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.yaml",
              help="What the columns and words of the file mean: 'columns:' and 'event_map:'.")  # fmt: skip
@click.option("--sample", type=click.Choice(list(SAMPLES)), help="A data set that comes inside a package.")
@click.option("--allow-over-limit", is_flag=True, help="Keep the good rows although too many are bad.")
@pass_session
def ingest(
    session: Session, path: str | None, mapping: Path | None, sample: str | None, allow_over_limit: bool
) -> None:
    """Read, check and store a behaviour log. The same file twice changes nothing.

    PATH is a csv, jsonl (each also .gz) or parquet file or glob, or a .yaml file that describes a whole data set with
    items and users; the word 'inbox' means what the server has received. Bad rows go to quarantine with the reason;
    too many of them, and nothing is stored.
    """
    if path == _INBOX and sample is None:
        moved = drain_inbox(session.home)
        session.answer(
            vars(moved),
            f"{moved.events:,} events, {moved.items:,} items, {moved.users:,} users, {moved.logins:,} logins "
            "from the inbox",
        )
        return
    source = _source(path, mapping, sample)
    report = ingest_source(session.home, source, allow_over_limit=allow_over_limit)
    session.answer(report_document(report), report_text(report))


def report_document(report: QualityReport) -> dict[str, object]:
    """A quality report for machines."""
    return {**report.model_dump(mode="json"), "error_rate": report.error_rate, "within_limit": report.within_limit}


def report_text(report: QualityReport) -> str:
    """A quality report for people, after what became of it."""
    if report.already_ingested:
        return f"{report.source} is in the lake already, nothing was read again"
    return f"{report.added:,} events of {report.source} are new in the lake\n\n{report.to_text()}"


def _source(path: str | None, mapping: Path | None, sample: str | None) -> Source:
    if (path is None) == (sample is None):
        raise click.UsageError("give either a PATH or --sample")
    if sample is not None:
        return SAMPLES[sample]()
    assert path is not None
    if path.endswith((".yaml", ".yml")):
        if mapping is not None:
            raise click.UsageError(f"{path} describes its own columns; leave out --mapping")
        return load_source(Path(path))
    meaning = Mapping() if mapping is None else load_config(Mapping, mapping)
    return open_source(SourceSpec(path=path, columns=meaning.columns, event_map=meaning.event_map), Path())
