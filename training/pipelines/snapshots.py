"""Rolling snapshots: past moments at which users are described as they were known, and labelled by what followed.

A snapshot teaches only when its label window closes by the cut-off. None carries an absolute calendar time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.errors import ModelRefusedError
from features.contracts.events import EventType, SignOfLife
from features.contracts.progress import track
from features.engine import EventTables, build_tags
from training.models.btyd import Btyd
from training.models.churn_config import ChurnConfig, ChurnLabel, Population
from training.models.churn_features import purchase_history
from training.models.reasons.on_little_data import few_of_a_kind, no_event, short_history
from training.pipelines.btyd_summary import Known, event_span, known_users, returned
from training.pipelines.thinning import spread

Labels = npt.NDArray[np.bool_]

_WEEK = timedelta(weeks=1)
#: Distance between snapshots, as a part of the horizon: nearer ones hold nearly the same labels.
_STEPS_PER_HORIZON = 6


@dataclass(frozen=True)
class Described:
    """The eligible users as they were known at ``as_of``, sorted by id; all members are aligned."""

    known: Known
    tags: pa.Table
    rhythm: Btyd  # of purchases, for the model's features
    event_rhythm: Btyd  # of the label's event, for the baseline

    @property
    def as_of(self) -> datetime:
        return self.known.as_of

    def __len__(self) -> int:
        return len(self.known.events)


@dataclass(frozen=True)
class Snapshot(Described):
    """Described users, and what they did next."""

    label: Labels  # (n,) True: churned


def plan_snapshots(
    first: datetime, cutoff: datetime, horizon: timedelta, most: int, *, closes: timedelta | None = None
) -> list[datetime]:
    """Moments of snapshots, newest first, whose label windows close by ``cutoff``, ``closes`` (the horizon) after each.

    The distance is a sixth of the horizon but at least a week. Before the earliest snapshot there is a horizon of
    history since ``first``: while a log is younger, its users look newer than they are. Where that leaves none,
    half a horizon must do. Empty when the history is too short for any.
    """
    step = max(_WEEK, horizon / _STEPS_PER_HORIZON)
    planned = [cutoff - (closes or horizon) - index * step for index in range(most)]
    for history in (max(_WEEK, horizon), least_history(horizon)):
        if kept := [moment for moment in planned if moment >= first + history]:
            return kept
    return []


def least_history(horizon: timedelta) -> timedelta:
    """What must lie before a snapshot at the very least."""
    return max(_WEEK, horizon / 2)


def history_days(tables: EventTables, event: SignOfLife, as_of: datetime) -> float:
    """Days from the first event of a type to ``as_of``; 0 when there is none."""
    span = event_span(tables, event, as_of)
    return 0.0 if span is None else (as_of - span[0]) / timedelta(days=1)


def eligible(known: Known, population: Population) -> npt.NDArray[np.bool_]:
    """Who of the known users is asked about."""
    asked = known.events >= population.min_events
    if population.active_within is not None:
        asked &= known.summary.silence <= population.active_within / timedelta(days=1)
    return asked


def describe(
    tables: EventTables, as_of: datetime, tags: Sequence[str], config: ChurnConfig, *, most: int | None = None
) -> Described:
    """The eligible users at ``as_of``; above ``most`` users they are thinned evenly, every day to others."""
    event = config.label.event
    known = known_users(tables, event, as_of)
    event_rhythm = Btyd.fit(known.summary.history)
    rows = np.flatnonzero(eligible(known, config.population))
    if most is not None:
        rows = rows[spread(len(rows), most, as_of.toordinal())]
    asked = known.take(rows)
    few = len(rows) < len(known.events)
    table = build_tags(tables, as_of, tags, asked.user_id.to_pylist() if few else None)
    table = table.take(pc.index_in(asked.user_id, value_set=table[c.USER_ID].combine_chunks()))
    if event is EventType.PURCHASE:
        rhythm = event_rhythm
    else:
        history, bought = purchase_history(table)
        rhythm = Btyd.fit(history.take(bought))
    return Described(known=asked, tags=table, rhythm=rhythm, event_rhythm=event_rhythm)


def take_snapshot(
    tables: EventTables,
    as_of: datetime,
    tags: Sequence[str],
    config: ChurnConfig,
    *,
    known_by: datetime,
    most: int | None = None,
) -> Snapshot:
    """The eligible users at ``as_of``, labelled by what had arrived at ``known_by``."""
    users = describe(tables, as_of, tags, config, most=most)
    return Snapshot(**vars(users), label=churned(tables, users.known, config.label, known_by=known_by))


def churned(tables: EventTables, known: Known, label: ChurnLabel, *, known_by: datetime) -> Labels:
    """(n,) who of the ``known`` users churned after that moment, by what had arrived at ``known_by``."""
    back = returned(tables, label.event, known.as_of + label.opens, known.as_of + label.closes, known_by)
    place = pc.index_in(known.user_id, value_set=back.user_id).fill_null(-1).to_numpy(zero_copy_only=False)
    allowed = np.full(len(place), np.inf)
    if label.own_rhythm is not None:
        history = known.summary.history
        repeats = history.frequency > 0
        usual = np.divide(history.recency, history.frequency, out=np.full(len(place), np.inf), where=repeats)
        least = label.own_rhythm.least / timedelta(days=1)
        allowed = np.maximum(label.own_rhythm.times * usual, least)
    after = np.append(back.after, np.inf)[place]  # the last stands for who did not come back
    return np.asarray(~((place >= 0) & (after < allowed)), dtype=np.bool_)


def first_event(tables: EventTables, cutoff: datetime, config: ChurnConfig) -> datetime:
    """When the history begins. Raises :class:`ModelRefusedError` where too little of it lies before ``cutoff``."""
    label = config.label
    span = event_span(tables, label.event, cutoff)
    if span is None:
        raise ModelRefusedError(*no_event(label.event, cutoff))
    three, one = label.horizon * config.snapshots.least_history + label.opens, least_history(label.horizon)
    needed = span[0] + max(three, one + label.closes)
    if cutoff < needed:
        raise ModelRefusedError(*short_history(label, span[0], cutoff, needed))
    return span[0]


def past_snapshots(
    tables: EventTables, cutoff: datetime, tags: Sequence[str], config: ChurnConfig, taken: Sequence[Snapshot] = ()
) -> list[Snapshot]:
    """Every snapshot that may teach a model as of ``cutoff``, newest first; empty ones are left out.

    What was ``taken`` for an earlier cut-off, with these tags at least, is used again. Raises
    :class:`ModelRefusedError` that says what is missing: events, history, or users of one class.
    """
    label, first = config.label, first_event(tables, cutoff, config)
    moments = plan_snapshots(first, cutoff, label.horizon, config.snapshots.most, closes=label.closes)
    found = take_snapshots(tables, moments, cutoff, tags, config, taken)
    left = sum(int(snapshot.label.sum()) for snapshot in found)
    stayed = sum(len(snapshot) for snapshot in found) - left
    least = config.snapshots.least_of_each_class
    for count, gone in ((left, True), (stayed, False)):
        if count < least:
            raise ModelRefusedError(*few_of_a_kind(label, count, len(found), cutoff, least, left=gone))
    return found


def closed_snapshots(tables: EventTables, cutoff: datetime, tags: Sequence[str], config: ChurnConfig) -> list[Snapshot]:
    """Whatever snapshots have closed by ``cutoff``, newest first, however little they hold; one where none is planned.

    Empty when no label window closes between the first event and ``cutoff``.
    """
    span = event_span(tables, config.label.event, cutoff)
    if span is None:
        return []
    label, newest = config.label, cutoff - config.label.closes
    moments = plan_snapshots(span[0], cutoff, label.horizon, config.snapshots.most, closes=label.closes) or [newest]
    return take_snapshots(tables, moments, cutoff, tags, config) if newest > span[0] else []


def take_snapshots(
    tables: EventTables,
    moments: Sequence[datetime],
    cutoff: datetime,
    tags: Sequence[str],
    config: ChurnConfig,
    taken: Sequence[Snapshot] = (),
) -> list[Snapshot]:
    """Snapshots at ``moments`` that hold users, with what had arrived by ``cutoff``; ``taken`` are used again."""
    # Thinning starts above twice the fair share: the rows are cut again, to the number in use, when models are fitted.
    most = max(1, 2 * config.snapshots.rows // max(1, len(moments)))
    known = {snapshot.as_of: snapshot for snapshot in taken}
    return [
        snapshot
        for moment in track(moments, "taking churn snapshots", unit="snapshots")
        if len(snapshot := known.get(moment) or take_snapshot(tables, moment, tags, config, known_by=cutoff, most=most))
    ]
