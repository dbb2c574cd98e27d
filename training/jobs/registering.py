"""The end of a training job: the bundle is written, registered and reported, the same for every kind of model."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from features.contracts.errors import MissingStateError
from features.contracts.home import Home
from features.lake import Lake
from training.bench.provenance import code_version
from training.bundle import Bundle
from training.jobs.report import Row, TrainReport
from training.tracking import CHAMPION, Comparison, RegisteredModel, TrackedRun, Tracker
from training.tracking.promotion import refusal


class ToBundle(Protocol):
    """How a fitted model that reads tags becomes a bundle."""

    def __call__(
        self, path: Path, examples: pa.Table, *, version: str, as_of: str, code_version: str, run_id: str = ""
    ) -> Bundle: ...


@dataclass(frozen=True)
class Judged:
    """What a job found out about its model on what nothing had seen."""

    cutoff: datetime
    metric: str
    rows: Sequence[Row]
    comparisons: Sequence[Comparison]
    unfair: str = ""  # why there is no comparison with the champion


def opened(home: Home) -> Lake:
    """The lake to train on. Raises :class:`MissingStateError` for an empty one."""
    lake = Lake(home)
    if lake.is_empty:
        raise MissingStateError("the lake is empty; run 'mallard ingest' or 'mallard sample complete-journey'")
    return lake


def register(
    tracker: Tracker,
    run: TrackedRun,
    kind: str,
    write: ToBundle,
    examples: pa.Table,
    judged: Judged,
    *,
    as_of: datetime,
    started: float,
    stands_in: str = "",
) -> TrainReport:
    """Keep and register what ``write`` makes as the challenger of its kind; the report says whether it may be promoted.

    ``stands_in``: see :meth:`~training.tracking.registry.Registry.register`.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / kind
        write(
            path,
            examples,
            version=f"{kind}-{run.id[:12]}",
            as_of=as_of.isoformat(),
            code_version=code_version(),
            run_id=run.id,
        )
        registered = run.bundle(path, judged.comparisons, stands_in=stands_in)
    return reported(tracker, run, registered, judged, as_of=as_of, started=started)


def reported(
    tracker: Tracker, run: TrackedRun, registered: RegisteredModel, judged: Judged, *, as_of: datetime, started: float
) -> TrainReport:
    """What the person who started the job is told of the new version, kept beside the run."""
    champion = tracker.alias(registered.kind, CHAMPION)
    refused = judged.unfair or refusal(judged.comparisons, champion.version if champion else "")
    report = TrainReport(
        kind=registered.kind,
        version=registered.version,
        run_id=run.id,
        as_of=as_of.isoformat(),
        cutoff=judged.cutoff.isoformat(),
        metric=judged.metric,
        rows=judged.rows,
        comparisons=judged.comparisons,
        refusal=registered.stands_in or refused,
        seconds=time.monotonic() - started,
        stands_in=bool(registered.stands_in),
    )
    report.keep(run)
    return report
