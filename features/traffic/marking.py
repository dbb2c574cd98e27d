"""Which days of a lake need judging, and their judgement.

The marks on the events of a day are a function of the event files within ``reach_days`` of it, of the files that its
forest is fitted on and of the configuration; fingerprints of these are kept with each day. Judging day after day, or
everything at once, therefore ends in the same marks.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.contracts.errors import MissingStateError
from features.contracts.knowledge import FLAG_SCHEMA, RULE
from features.contracts.progress import track
from features.lake import Lake
from features.lake.commits import FlagDay
from features.lake.flags import Judgement
from features.traffic.behaviour import NOTHING, behaviour
from features.traffic.config import TrafficConfig
from features.traffic.forest import Forest, period_start, reference_days, sample_key
from features.traffic.judge import OWN, DayJudge
from features.traffic.rows import DayRows

#: Changes when the same configuration finds other marks.
VERSION: Final = 1

# What a day was judged from (FlagDay.basis): its own files, the files around it, the files its forest is fitted on and
# the rows that came of them. Rows that are received after a forest was fitted change files, not rows.
_OWN: Final = "own"
_SPAN: Final = "span"
_REFERENCE: Final = "reference"
_SAMPLE: Final = "sample"

_SAMPLED: Final = "SELECT * FROM measured WHERE seen < $before ORDER BY md5(actor || seen), actor LIMIT $most"


@dataclass(frozen=True)
class Marked:
    """What a run of the detector did."""

    judged: tuple[FlagDay, ...]
    """Days that were judged in this run."""
    days: int
    """Days of the lake."""


def files_by_day(lake: Lake) -> dict[date, list[Path]]:
    """Event files of the lake by UTC day, in order."""
    days: dict[date, list[Path]] = {}
    for file in lake.event_files():
        days.setdefault(date.fromisoformat(file.parent.name.removeprefix("date=")), []).append(file)
    return dict(sorted(days.items()))


def mark(lake: Lake, config: TrafficConfig, *, now: datetime, since: date | None = None) -> Marked:
    """Judge the days of ``lake`` whose marks could have changed, from ``since`` on, and commit them at once.

    ``now`` is noted in the log only. Raises :class:`MissingStateError` when the lake is empty.
    """
    files = files_by_day(lake)
    if not files:
        raise MissingStateError("the lake holds no events yet; ingest some first: mallard ingest")
    with TemporaryDirectory(prefix="mallard-traffic-") as spill:
        run = _Run(lake, files, config, DayRows(Path(spill)))
        due = [day for day in files if (since is None or day >= since) and run.is_due(day)]
        judged = lake.commit_flags(run.judgements(track(due, "judging traffic", unit="days"), due), now=now)
        run.rows.close()
    return Marked(tuple(judged), len(files))


class _Run:
    """One run over days in order. Every file is read once, but for those that a forest is fitted on."""

    def __init__(self, lake: Lake, files: Mapping[date, list[Path]], config: TrafficConfig, rows: DayRows) -> None:
        self._files = files
        self._config = config
        self._before = lake.flag_days()
        self._marks = dict(zip((d for d, f in self._before.items() if f.path), lake.flag_files(), strict=True))
        self.rows = rows
        self._judge = DayJudge(rows, config)
        self._configured = f"{VERSION} {config.fingerprint()}"
        self._forests: dict[date, tuple[str, Forest | None]] = {}
        self._own: dict[date, tuple[pa.Table, str]] = {}
        self._opened: date | None = None

    def is_due(self, day: date) -> bool:
        """Whether anything that the marks of ``day`` come from was changed since they were found."""
        return any(self._known(day, part) != found for part, found in self._basis(day).items())

    def judgements(self, days: Iterable[date], due: list[date]) -> Iterator[Judgement]:
        """The judgement of each of ``days`` (ascending), which ``due`` lists as well."""
        wanted = set(due)
        reach = timedelta(days=self._config.reach_days)
        for day in days:
            self.rows.forget_commerce(day - reach)
            for other in self._files:
                if day - reach <= other <= day + reach and (self._opened is None or other > self._opened):
                    self._open(other, due=other in wanted)
            own, sample = self._own.pop(day)
            marks = pa.concat_tables([own, self._judge.span_marks(day, self._files[day])])
            yield Judgement(day, marks, {**self._basis(day), _SAMPLE: sample})

    def _open(self, day: date, *, due: bool) -> None:
        """Read ``day``: its own marks, when they are due, and its orders."""
        kept = self._kept_own(day) if due else None
        if due and kept is None:
            sample, forest = self._forest(day)
            self.rows.load(self._files[day])
            self._own[day] = (self._judge.own_marks(day, forest), sample)
        else:
            self.rows.load_buyers(self._files[day])
            if kept is not None:
                self._own[day] = kept
        self.rows.keep_commerce(day)
        self._opened = day

    def _kept_own(self, day: date) -> tuple[pa.Table, str] | None:
        """The marks that ``day`` has from its own rows, when these and its forest are as they were."""
        basis = self._basis(day)
        sample = self._known(day, _SAMPLE)
        if sample is None or self._known(day, _OWN) != basis[_OWN]:
            return None
        if self._known(day, _REFERENCE) != basis[_REFERENCE] and self._forest(day)[0] != sample:
            return None
        if day not in self._marks:
            return FLAG_SCHEMA.empty_table(), sample
        marks = pq.ParquetFile(self._marks[day]).read()
        return marks.filter(pc.is_in(marks.column(RULE), pa.array(OWN))).cast(FLAG_SCHEMA), sample

    def _forest(self, day: date) -> tuple[str, Forest | None]:
        """The forest that judges ``day`` and the fingerprint of the rows that it was fitted on."""
        config = self._config.forest
        start = period_start(day, config)
        if start not in self._forests:
            sample = self._sample(start, reference_days(day, config))
            self._forests = {start: (sample_key(sample), Forest.fit(sample, config))}  # days come in order
        return self._forests[start]

    def _sample(self, start: date, days: list[date]) -> pa.Table:
        """Actor-days of ``days`` as they were known when ``start`` began."""
        most = -(-self._config.forest.sample_rows // len(days))
        tables = [NOTHING]
        for day in days:
            if day not in self._files:
                continue
            self.rows.load(self._files[day])
            self.rows.connection.register("measured", behaviour(self.rows.connection, self._config))
            values = {"before": start, "most": most}
            tables.append(self.rows.connection.sql(_SAMPLED, params=values).to_arrow_table())
        return pa.concat_tables(tables)

    def _known(self, day: date, part: str) -> str | None:
        before = self._before.get(day)
        return None if before is None else before.basis.get(part)

    def _basis(self, day: date) -> dict[str, str]:
        reach = self._config.reach_days
        around = [day + timedelta(days=away) for away in range(-reach, reach + 1)]
        return {
            _OWN: self._fingerprint([day]),
            _SPAN: self._fingerprint(around),
            _REFERENCE: self._fingerprint(reference_days(day, self._config.forest)),
        }

    def _fingerprint(self, days: Iterable[date]) -> str:
        names = sorted(f"{day} {file.name}" for day in days for file in self._files.get(day, ()))
        return hashlib.sha256("\n".join([self._configured, *names]).encode()).hexdigest()[:16]
