"""The lake: date-partitioned Parquet that changes by whole commits only.

::

    lake/events/date=YYYY-MM-DD/*.parquet    EVENT_SCHEMA, sorted by user and time within a file
    lake/items/*.parquet, users/*.parquet    the whole table as of a commit; the newest commit counts
    lake/quarantine/*.parquet                rows that failed a check, one file per source content
    lake/flags/date=YYYY-MM-DD/*.parquet     marks of fake traffic, by the day of the marked event
    lake/links/*.parquet, logins/*.parquet   which ids are one user, as facts and retractions
    lake/erased/*                            keyed hashes of ids whose rows are refused
    lake/commits/00000001.json ...           the log: what is not in it does not exist for readers
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from features.contracts import columns as c
from features.contracts.catalogue import ITEM_SCHEMA, USER_SCHEMA
from features.contracts.errors import InputError, MissingStateError, QualityLimitError, UnreadableSourceError
from features.contracts.events import EVENT_SCHEMA
from features.contracts.home import Home
from features.contracts.progress import step
from features.identity import LINK_SCHEMA, LOGIN_SCHEMA, IdentityKey, canonical_users, hash_identities, merged_users
from features.lake.commits import Commit, CommitLog, EventFile, FlagDay, Staging, flush
from features.lake.flags import Judgement, commit_key, flag_days, publish, stage, sweep
from features.lake.identities import Aliases, logins_of, new_links, write_rows
from features.lake.master_tables import merge, read_or_empty
from features.lake.quarantine import QuarantineWriter, read_quarantine
from features.lake.reports import newest_report, save_report
from features.lake.staged import StagedEvents
from features.lake.tombstones import Tombstones
from features.quality import QualityConfig, QualityReport, Screened, Tally, screen
from features.sources import RawBatch, Source


class Lake:
    """The events, items and users of one mall. Holding it creates nothing; many may read while one writes."""

    def __init__(self, home: Home) -> None:
        self._root = home.lake
        self._reports = home.reports
        self._log = CommitLog(home.lake)
        self._aliases = Aliases(home.lake)
        self.identity_key = IdentityKey.of(home)
        self.tombstones = Tombstones(home.lake, self.identity_key)

    # --- reading --------------------------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """Whether no event was committed yet."""
        return not any(commit.added for commit in self._log.commits())

    def event_files(self) -> list[Path]:
        """Every committed event file, oldest commit first, by day within one."""
        return [self._root / "events" / file.path for commit in self._log.commits() for file in commit.added]

    @property
    def partials(self) -> Path:
        """The folder in which an engine keeps what it folded from the events; it can be made anew at any time."""
        return self._root / "partials"

    def flag_days(self) -> dict[date, FlagDay]:
        """Every UTC day that was judged for fake traffic, in order, and the judgement that counts."""
        return flag_days(self._log.commits())

    def flag_files(self) -> list[Path]:
        """Every committed file of marks (``FLAG_SCHEMA``, one row per event and rule), one per day that has any."""
        return [self._root / "flags" / found.path for found in self.flag_days().values() if found.path is not None]

    def read_items(self) -> pa.Table:
        """The catalogue in ``ITEM_SCHEMA``, sorted by item id; without rows when none was given."""
        return read_or_empty(self._root, self._newest("items"), ITEM_SCHEMA)

    def read_users(self, columns: Sequence[str] | None = None) -> pa.Table:
        """The users in ``USER_SCHEMA``, sorted by user id; ``columns`` of it, or all. No rows when none was given."""
        return read_or_empty(self._root, self._newest("users"), USER_SCHEMA, columns)

    def users_stamp(self) -> tuple[str, int, int] | None:
        """Another one whenever :meth:`read_users` would give other rows; None without a table of users."""
        newest = self._newest("users")
        if newest is None:
            return None
        entry = (self._root / newest).stat()
        return newest, entry.st_mtime_ns, entry.st_size

    def read_aliases(self) -> pa.Table:
        """Which user the events of an id count for, over time (``ALIAS_SCHEMA``)."""
        return self._aliases.read(self._log.commits())

    def canonical_users(self) -> dict[str, str]:
        """Merged user id -> the user he counts for as known now. Who used which device is not asked, so it is quick."""
        return canonical_users(merged_users(self.read_links()))

    def admitted_aliases(self, aliases: pa.Table) -> pa.Table:
        """``aliases`` (``ALIAS_SCHEMA``) that were read before, without ids that were erased since."""
        return self.tombstones.kept_aliases(aliases)

    def read_links(self) -> pa.Table:
        """The log of links (``LINK_SCHEMA``): facts and retractions in the order of their commits."""
        return self._aliases.links(self._log.commits())

    def read_logins(self) -> pa.Table:
        """Who logged in where (``LOGIN_SCHEMA``): facts and retractions in the order of their commits."""
        return self._aliases.logins(self._log.commits())

    def links_version(self) -> int:
        """Number of the last commit that may have made one user of two, or parted them; 0 before the first."""
        return max((commit.number for commit in self._log.commits() if commit.links is not None), default=0)

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
            erased = self.tombstones.hashes()
            tally = self._read(source, staged, quarantine, now, limits)
            items, users = source.items(), self._hashed(self._admitted(source.users()))
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
                if not self.tombstones.hashes() <= erased:
                    raise InputError(
                        f"{source.name}: somebody was erased while it was read; nothing is written, ingest it again"
                    )
                written = staged.write(self.event_files(), _short(fingerprint))
                new = {"added": written.rows, "duplicates": tally.accepted - written.rows}
                report = preview.model_copy(update=new)
                logins = logins_of([folder / file.path for file in written.files])
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
                        links=self._link(users, _short(fingerprint), now),
                        logins=write_rows(self._root, logins, f"logins/{_short(fingerprint)}.parquet"),
                        report=report,
                    )
                )
        save_report(self._reports, report)
        return report

    def append_events(self, events: pa.Table, *, batch_id: str, now: datetime | None = None) -> int:
        """Commit ``events`` (``EVENT_SCHEMA``, screened already, each with a time); returns how many were new.

        A batch id is committed once, an event id is stored once, so that a batch may be handed in again.
        Events of erased ids are left out. ``now`` is only noted in the log.
        """
        if events.column(c.OCCURRED_AT).null_count:
            raise InputError(f"batch {batch_id}: an event has no {c.OCCURRED_AT}")
        if not len(events) or self._log.find(batch_id) is not None:
            return 0
        with Staging.open(self._root) as folder, StagedEvents(folder) as staged, self._log.locked():
            if self._log.find(batch_id) is not None:
                return 0
            keep = self.tombstones.kept_events(events)
            admitted = self.tombstones.without_mentions(events if keep is None else events.filter(keep))
            staged.add(batch_id, admitted.select(EVENT_SCHEMA.names).cast(EVENT_SCHEMA))
            written = staged.write(self.event_files(), _short(batch_id))
            logins = logins_of([folder / file.path for file in written.files])
            self._publish(folder, written.files)
            self._log.append(
                Commit(
                    number=self._log.next_number(),
                    key=batch_id,
                    kind="append",
                    committed_at=now or datetime.now(UTC),
                    added=written.files,
                    last_event_at=written.last_event_at,
                    logins=write_rows(self._root, logins, f"logins/{_short(batch_id)}.parquet"),
                )
            )
        return written.rows

    def upsert(
        self, *, items: pa.Table | None = None, users: pa.Table | None = None, now: datetime | None = None
    ) -> None:
        """Lay ``items`` (``ITEM_SCHEMA``) and ``users`` (``USER_SCHEMA``) over what is there.

        The newest row of an id counts, as a whole row.
        """
        users, moment = self._hashed(users), now or datetime.now(UTC)
        with self._log.locked():
            users = self._admitted(users)
            number = self._log.next_number()
            new_items, new_users = self._merge(items, users, f"{number:08d}")
            links = self._link(users, f"{number:08d}", moment)
            if new_items is None and new_users is None and links is None:
                return
            self._log.append(
                Commit(
                    number=number,
                    key=f"upsert-{number}",
                    kind="upsert",
                    committed_at=moment,
                    items=new_items,
                    users=new_users,
                    links=links,
                )
            )

    def identify(
        self, *, links: pa.Table | None = None, logins: pa.Table | None = None, batch_id: str, now: datetime
    ) -> bool:
        """Add ``links`` (``LINK_SCHEMA``) and ``logins`` (``LOGIN_SCHEMA``) to the log of links.

        False when there are none, or a batch of that id was added before. ``now`` is only noted.
        """
        told = LINK_SCHEMA.empty_table() if links is None else links.cast(LINK_SCHEMA)
        visits = LOGIN_SCHEMA.empty_table() if logins is None else logins.cast(LOGIN_SCHEMA)
        if not len(told) and not len(visits):
            return False
        with self._log.locked():
            if self._log.find(batch_id) is not None:
                return False
            told, visits = self.tombstones.kept_links(told), self.tombstones.kept_links(visits)
            self._log.append(
                Commit(
                    number=self._log.next_number(),
                    key=batch_id,
                    kind="identify",
                    committed_at=now,
                    links=write_rows(self._root, told, f"links/{_short(batch_id)}.parquet"),
                    logins=write_rows(self._root, visits, f"logins/{_short(batch_id)}.parquet"),
                )
            )
        return True

    def commit_flags(self, judgements: Iterable[Judgement], *, now: datetime) -> list[FlagDay]:
        """Commit judgements of days at once; each replaces what was marked on its day. Marked events are kept.

        ``judgements`` may be made while they are read: one is held at a time. Returns the days as they stand now;
        without any, nothing is committed.
        """
        known, erased = self.flag_days(), self.tombstones.hashes()
        with Staging.open(self._root) as folder:
            staged = [stage(judgement, known.get(judgement.day), folder) for judgement in judgements]
            if not staged:
                return []
            with self._log.locked():
                if not self.tombstones.hashes() <= erased:
                    raise InputError("somebody was erased while days were judged; nothing is marked, judge them again")
                sweep(self._log.commits(), self._root / "flags")
                publish(staged, folder, self._root / "flags")
                number = self._log.next_number()
                key = commit_key(number, staged)
                self._log.append(Commit(number=number, key=key, kind="flags", committed_at=now, flags=tuple(staged)))
        return staged

    # --- parts ----------------------------------------------------------------------------------------

    def _read(
        self, source: Source, staged: StagedEvents, quarantine: QuarantineWriter, now: datetime, limits: QualityConfig
    ) -> Tally:
        tally = Tally()
        with step(f"reading {source.name}", total=source.size(), unit="bytes") as task:
            for screened in screen(_with_times(source.events()), now=now, limits=limits, key=self.identity_key):
                batch = _admitted(screened, self.tombstones)
                tally.erased += len(screened.accepted) - len(batch.accepted)
                tally.erased += len(screened.quarantined) - len(batch.quarantined)
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

    def _hashed(self, users: pa.Table | None) -> pa.Table | None:
        return None if users is None else hash_identities(users, self.identity_key)

    def _admitted(self, users: pa.Table | None) -> pa.Table | None:
        return None if users is None else self.tombstones.kept_users(users)

    def _link(self, users: pa.Table | None, name: str, now: datetime) -> str | None:
        """Write what ``users`` add to the log of links. Call under the lock."""
        if users is None or users.column(c.IDENTITIES).null_count == len(users):
            return None
        return write_rows(self._root, new_links(self.read_links(), users, now), f"links/{name}.parquet")

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


def _admitted(batch: Screened, erased: Tombstones) -> Screened:
    """``batch`` without rows of erased ids, good ones and bad ones, and without mentions of them."""
    keep, held = erased.kept_events(batch.accepted), erased.kept_raw(batch.quarantined.column("raw"))
    if keep is not None:
        batch = replace(batch, accepted=batch.accepted.filter(keep), numbers=batch.numbers.filter(keep))
    if held is not None:
        batch = replace(batch, quarantined=batch.quarantined.filter(held))
    return replace(batch, accepted=erased.without_mentions(batch.accepted))


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
