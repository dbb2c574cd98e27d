"""The lake: date-partitioned Parquet that changes by whole commits only.

::

    lake/events/date=YYYY-MM-DD/*.parquet    EVENT_SCHEMA, sorted by user and time within a file
    lake/items/*.parquet, users/*.parquet    the whole table as of a commit; the newest commit counts
    lake/quarantine/*.parquet                rows that failed a check, one file per source content
    lake/commits/00000001.json ...           the log: what is not in it does not exist for readers
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from features.contracts import columns as c
from features.contracts.catalogue import ITEM_SCHEMA, USER_SCHEMA
from features.contracts.errors import InputError, MissingStateError, QualityLimitError, UnreadableSourceError
from features.contracts.events import EVENT_SCHEMA
from features.contracts.home import Home
from features.contracts.progress import step
from features.lake.commits import Commit, CommitLog, EventFile, Staging, flush
from features.lake.master_tables import merge, read_or_empty
from features.lake.quarantine import QuarantineWriter, read_quarantine
from features.lake.reports import newest_report, save_report
from features.lake.staged import StagedEvents
from features.quality import QualityConfig, QualityReport, Tally, screen
from features.sources import RawBatch, Source


class Lake:
    """The events, items and users of one mall. Holding it creates nothing; many may read while one writes."""

    def __init__(self, home: Home) -> None:
        self._root = home.lake
        self._reports = home.reports
        self._log = CommitLog(home.lake)

    # --- reading --------------------------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """Whether no event was committed yet."""
        return not any(commit.added for commit in self._log.commits())

    def event_files(self) -> list[Path]:
        """Every committed event file, oldest commit first, by day within one."""
        return [self._root / "events" / file.path for commit in self._log.commits() for file in commit.added]

    def read_items(self) -> pa.Table:
        """The catalogue in ``ITEM_SCHEMA``, sorted by item id; without rows when none was given."""
        return read_or_empty(self._root, self._newest("items"), ITEM_SCHEMA)

    def read_users(self) -> pa.Table:
        """The users in ``USER_SCHEMA``, sorted by user id; without rows when none was given."""
        return read_or_empty(self._root, self._newest("users"), USER_SCHEMA)

    def read_quarantine(self) -> pa.Table:
        """Every quarantined row in ``QUARANTINE_SCHEMA``."""
        return read_quarantine(self._root / "quarantine")

    def last_event_at(self) -> datetime:
        """The latest ``occurred_at``, UTC. Raises :class:`MissingStateError` when there are no events."""
        moments = [commit.last_event_at for commit in self._log.commits() if commit.last_event_at is not None]
        if not moments:
            raise MissingStateError("the lake holds no events yet; ingest some first: mallard ingest")
        return max(moments)

    def fingerprint(self) -> str:
        """SHA-256 that changes with every commit; equal for lakes that took in the same sources in the same order."""
        return self._log.fingerprint()

    def last_report(self) -> QualityReport:
        """The quality report of the newest run, also of one that was refused.

        Raises :class:`MissingStateError` when there was none.
        """
        report = newest_report(self._reports)
        if report is None:
            raise MissingStateError("nothing was ingested yet, so there is no quality report: mallard ingest")
        return report

    # --- writing --------------------------------------------------------------------------------------

    def ingest(
        self, source: Source, *, now: datetime, limits: QualityConfig | None = None, allow_over_limit: bool = False
    ) -> QualityReport:
        """Read, screen and commit ``source``; its report and quarantine are saved as well.

        ``now`` (aware) decides what lies in the future. The same content a second time is recognised and not read.
        Raises ``UnreadableSourceError`` (nothing is left behind) and :class:`QualityLimitError` (nothing is
        committed, the report and the quarantine are kept) unless ``allow_over_limit``.
        """
        limits = limits or QualityConfig()
        fingerprint = source.fingerprint()
        known = self._log.find(fingerprint)
        if known is not None and known.report is not None:
            return known.report.model_copy(update={"already_ingested": True, "added": 0})
        with Staging.open(self._root) as folder, ExitStack() as stack:
            staged = stack.enter_context(StagedEvents(folder))
            quarantine = stack.enter_context(QuarantineWriter(folder))
            tally = self._read(source, staged, quarantine, now, limits)
            items, users = source.items(), source.users()
            preview = tally.report(source.name, fingerprint, limits.error_limit)
            quarantine.publish(self._root / "quarantine" / f"{_short(fingerprint)}.parquet")
            if not preview.within_limit and not allow_over_limit:
                saved = save_report(self._reports, preview)
                raise QualityLimitError(_over_limit(preview, saved))
            with step(f"writing {source.name} into the lake"), self._log.locked():
                self._sweep()
                known = self._log.find(fingerprint)  # another process may have been faster
                if known is not None and known.report is not None:
                    return known.report.model_copy(update={"already_ingested": True, "added": 0})
                written = staged.write(self.event_files(), _short(fingerprint))
                new = {"added": written.rows, "duplicates": tally.accepted - written.rows}
                report = preview.model_copy(update=new)
                self._publish(folder, written.files)
                new_items, new_users = self._merge(items, users, _short(fingerprint))
                self._log.append(
                    Commit(
                        number=self._log.next_number(),
                        key=fingerprint,
                        kind="ingest",
                        committed_at=now,
                        added=written.files,
                        last_event_at=written.last_event_at,
                        items=new_items,
                        users=new_users,
                        report=report,
                    )
                )
        save_report(self._reports, report)
        return report

    def append_events(self, events: pa.Table, *, batch_id: str, now: datetime | None = None) -> int:
        """Commit ``events`` (``EVENT_SCHEMA``, screened already, each with a time); returns how many were new.

        A batch id is committed once, an event id is stored once, so that a batch may be handed in again.
        ``now`` is only noted in the log.
        """
        if events.column(c.OCCURRED_AT).null_count:
            raise InputError(f"batch {batch_id}: an event has no {c.OCCURRED_AT}")
        if not len(events) or self._log.find(batch_id) is not None:
            return 0
        with Staging.open(self._root) as folder, StagedEvents(folder) as staged:
            staged.add(batch_id, events.select(EVENT_SCHEMA.names).cast(EVENT_SCHEMA))
            with self._log.locked():
                if self._log.find(batch_id) is not None:
                    return 0
                written = staged.write(self.event_files(), _short(batch_id))
                self._publish(folder, written.files)
                self._log.append(
                    Commit(
                        number=self._log.next_number(),
                        key=batch_id,
                        kind="append",
                        committed_at=now or datetime.now(UTC),
                        added=written.files,
                        last_event_at=written.last_event_at,
                    )
                )
        return written.rows

    def upsert(
        self, *, items: pa.Table | None = None, users: pa.Table | None = None, now: datetime | None = None
    ) -> None:
        """Lay ``items`` (``ITEM_SCHEMA``) and ``users`` (``USER_SCHEMA``) over what is there.

        The newest row of an id counts, as a whole row.
        """
        with self._log.locked():
            number = self._log.next_number()
            new_items, new_users = self._merge(items, users, f"{number:08d}")
            if new_items is None and new_users is None:
                return
            self._log.append(
                Commit(
                    number=number,
                    key=f"upsert-{number}",
                    kind="upsert",
                    committed_at=now or datetime.now(UTC),
                    items=new_items,
                    users=new_users,
                )
            )

    # --- parts ----------------------------------------------------------------------------------------

    def _read(
        self, source: Source, staged: StagedEvents, quarantine: QuarantineWriter, now: datetime, limits: QualityConfig
    ) -> Tally:
        tally = Tally()
        with step(f"reading {source.name}", total=source.size(), unit="bytes") as task:
            for batch in screen(_with_times(source.events()), now=now, limits=limits):
                tally.add(batch)
                staged.add(batch.file, batch.accepted)
                quarantine.add(batch.quarantined)
                task.advance(batch.read_bytes)
        return tally

    def _sweep(self) -> None:
        """Remove event files that a crash left without a commit. Call under the lock."""
        known = set(self.event_files())
        for file in (self._root / "events").glob("date=*/*.parquet"):
            if file not in known:
                file.unlink()

    def _publish(self, folder: Path, files: tuple[EventFile, ...]) -> None:
        for file in files:
            target = self._root / "events" / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            flush(folder / file.path)
            (folder / file.path).rename(target)

    def _merge(self, items: pa.Table | None, users: pa.Table | None, name: str) -> tuple[str | None, str | None]:
        return (
            merge(self._root, self._newest("items"), items, ITEM_SCHEMA, f"items/{name}.parquet"),
            merge(self._root, self._newest("users"), users, USER_SCHEMA, f"users/{name}.parquet"),
        )

    def _newest(self, table: str) -> str | None:
        paths: list[str] = [p for commit in self._log.commits() if (p := getattr(commit, table)) is not None]
        return paths[-1] if paths else None


def _with_times(batches: Iterable[RawBatch]) -> Iterator[RawBatch]:
    for batch in batches:
        if c.OCCURRED_AT not in batch.columns:
            raise UnreadableSourceError(
                f"{batch.file}: no column is mapped to '{c.OCCURRED_AT}'; the lake needs to know when events happened"
            )
        yield batch


def _short(key: str) -> str:
    """A file name for a commit key of any text."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _over_limit(report: QualityReport, saved: Path) -> str:
    worst = ", ".join(f"{name} {count:,}" for name, count in report.quarantined.items())
    first = f" First: {e.file} row {e.row}: {e.reason}." if (e := next(iter(report.examples), None)) else ""
    return (
        f"{report.source}: {report.rejected:,} of {report.rows_in:,} rows ({report.error_rate:.2%}) failed a check, "
        f"the limit is {report.error_limit:.2%}; nothing was ingested. {worst}.{first} Report: {saved}"
    )
