"""Look at the newest scores, at what they were made of, and at older ones whose window has closed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import columns as c
from features.contracts.errors import BundleError
from features.contracts.home import Home
from features.contracts.progress import step
from features.engine import EventTables
from features.lake import Lake
from serving.marketing.columns import HOLDOUT, LIFECYCLE, PROBABILITY
from serving.marketing.snapshot import Snapshot, SnapshotInfo, open_snapshot, snapshot_infos
from serving.monitoring.inputs import tags_of_population, values_by_tag
from serving.monitoring.report import MonitorReport, Note
from training.bundle import Bundle, read_bundle
from training.models.churn import KIND, ChurnModel
from training.models.churn_config import ChurnLabel
from training.monitoring import (
    REFERENCE,
    Finding,
    MonitorConfig,
    Reference,
    age_finding,
    closed_findings,
    expected_findings,
    input_findings,
    score_findings,
    segment_findings,
)
from training.pipelines.btyd_summary import event_span, known_users
from training.pipelines.snapshots import churned

_YEAR = timedelta(days=365)


@dataclass
class _Seen:
    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def monitor(home: Home, config: MonitorConfig, snapshot_id: str | None = None, *, season: bool = True) -> MonitorReport:
    """Judge the scores of a snapshot, the newest by default, and the closed ones before it.

    Inputs and scores are compared with those at training, and with the ``season`` a year before where the lake reaches
    so far. A snapshot is closed when the lake's events go beyond its horizon; of several at one moment the last written
    counts. Raises :class:`MissingStateError` without a snapshot, :class:`UnknownNameError` for an unknown one, and
    :class:`BundleError` when the model that scored it is gone or carries no reference.
    """
    snapshot = open_snapshot(home, snapshot_id)
    tables = EventTables.from_lake(Lake(home))
    seen = _Seen()
    _scores(home, snapshot, tables, config, season, seen)
    for info in _closed(home, snapshot.info, config.closed, seen):
        with step(f"judging the scores of {info.as_of[:10]}"):
            _outcome(home, open_snapshot(home, info.id), tables, config, seen)
    return MonitorReport(
        snapshot=snapshot.info.id,
        as_of=snapshot.info.as_of,
        model_version=snapshot.info.model_version,
        users=snapshot.rows.num_rows,
        findings=tuple(seen.findings),
        notes=tuple(seen.notes),
        watched_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _scores(
    home: Home, snapshot: Snapshot, tables: EventTables, config: MonitorConfig, season: bool, seen: _Seen
) -> None:
    """Age, inputs, scores, and how good these are expected to be."""
    info, as_of = snapshot.info, datetime.fromisoformat(snapshot.info.as_of)
    bundle = _bundle(home, info)
    probability = snapshot.rows[PROBABILITY].to_numpy()
    if info.fallback:
        seen.notes.append(
            Note(
                f"a simple rule scored in place of a model ({info.fallback['en']}): it has no inputs to compare",
                f"由简单规则代替模型评分（{info.fallback['zh']}）：没有可供比较的输入",
            )
        )
    else:
        reference = _reference(bundle)
        model = ChurnModel.from_bundle(bundle)
        seen.findings.append(age_finding((as_of - _moment(bundle.manifest.as_of)) / timedelta(days=1), config))
        with step("comparing what the model reads with training"):
            now = tags_of_population(home, model, as_of, users=info.count, most=config.most_users)
            before = _season(home, model, tables, as_of, config, seen) if season else None
        past = None if before is None else values_by_tag(model, before)
        seen.findings += input_findings(reference, values_by_tag(model, now), config, past)
        past_scores = None if before is None else model.probability(before)
        seen.findings += score_findings(reference, probability, config, past_scores)
    seen.findings += expected_findings(probability)


def _season(
    home: Home, model: ChurnModel, tables: EventTables, as_of: datetime, config: MonitorConfig, seen: _Seen
) -> pa.Table | None:
    """The population a year before, where the lake tells enough of it."""
    then = as_of - _YEAR
    span = event_span(tables, model.label.event, then)
    if span is None or then - span[0] < config.season_history:
        days = config.season_history // timedelta(days=1)
        seen.notes.append(
            Note(
                f"the lake has less than {days} days before {then:%Y-%m-%d}: nothing is known of this season last year",
                f"数据湖在 {then:%Y-%m-%d} 之前不足 {days} 天，无法与去年同期比较",
            )
        )
        return None
    found = tags_of_population(home, model, then, users=0, most=config.most_users)
    return found.slice(0, config.most_users) if found.num_rows else None


def _closed(home: Home, watched: SnapshotInfo, most: int, seen: _Seen) -> Iterator[SnapshotInfo]:
    """The newest snapshots whose horizon has passed, oldest first: by moment, the last written of each."""
    end = Lake(home).last_event_at()
    by_moment = {info.as_of: info for info in snapshot_infos(home)}
    closed = [i for i in by_moment.values() if _moment(i.as_of) + timedelta(days=i.gap_days + i.horizon_days) <= end]
    if not closed:
        seen.notes.append(
            Note(
                f"no window has closed yet: what the scores of {watched.as_of[:10]} are worth shows after "
                f"{watched.horizon_days} days",
                f"尚无已闭合的观察窗口：{watched.as_of[:10]} 的评分要在 {watched.horizon_days} 天后才能检验",
            )
        )
    yield from sorted(closed, key=lambda info: info.as_of)[-most:]


def _outcome(home: Home, snapshot: Snapshot, tables: EventTables, config: MonitorConfig, seen: _Seen) -> None:
    """Calibration, ranking and segments of a snapshot whose window has closed."""
    info, rows = snapshot.info, snapshot.rows
    window = f"{info.as_of[:10]} + {info.horizon_days} d"
    if rows.num_rows < config.least_users:
        seen.notes.append(
            Note(
                f"{window}: {rows.num_rows:,} users are too few to judge, {config.least_users:,} are needed",
                f"{window}：仅 {rows.num_rows:,} 名用户，不足以评判（需 {config.least_users:,} 名）",
            )
        )
        return
    try:
        bundle = _bundle(home, info)
    except BundleError as error:
        seen.notes.append(Note(f"{window}: {error}", f"{window}：评分所用模型已不可用，无法评判"))
        return
    label = ChurnLabel.model_validate(bundle.manifest.payload["label"])
    known = known_users(tables, label.event, datetime.fromisoformat(info.as_of))
    # Who was merged into another since is not found under his old id, and not judged.
    place = pc.index_in(rows[c.USER_ID].combine_chunks().cast(pa.string()), value_set=known.user_id)
    rows, found = rows.filter(place.is_valid()), place.drop_null().to_numpy()
    left = churned(tables, known.take(found.astype(np.int64)), label, known_by=datetime.now(UTC))
    reference = None if info.fallback else _reference(bundle)
    holdout = rows[HOLDOUT].to_numpy(zero_copy_only=False)
    probability = rows[PROBABILITY].to_numpy()
    auc = None if reference is None else reference.auc
    seen.findings += closed_findings(left, probability, holdout, auc, config, window)
    stages = np.array(rows[LIFECYCLE].to_pylist(), dtype=object)
    segments = {name: stages == name for name in sorted({stage for stage in stages if stage is not None})}
    alarms = segment_findings(left, segments, config, window)
    seen.findings += alarms
    if not alarms:
        seen.notes.append(
            Note(
                f"{window}: in no segment of {config.least_users:,} users or more did more than "
                f"{config.segment_churn:.0%} leave",
                f"{window}：在 {config.least_users:,} 人以上的分群中，流失率均未超过 {config.segment_churn:.0%}",
            )
        )


def _bundle(home: Home, info: SnapshotInfo) -> Bundle:
    folder = home.bundles / KIND / info.model_version
    if not folder.is_dir():
        raise BundleError(f"the churn bundle {info.model_version} that scored snapshot {info.id} is not there any more")
    return read_bundle(folder)


def _reference(bundle: Bundle) -> Reference:
    try:
        text = bundle.text(REFERENCE)
    except BundleError as error:
        raise BundleError(
            f"{bundle.manifest.version} carries no reference of inputs and scores; train churn again, deploy and score"
        ) from error
    return Reference.from_json(text, f"{bundle.manifest.version}/{REFERENCE}")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
