"""``mallard train recommend``: fit before the last horizon, judge on it, learn from everything, register."""

import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from features.contracts.config import load_config
from features.contracts.home import Home
from features.contracts.ids import UNKNOWN
from features.contracts.progress import say, step
from training.bench.examples import examples, titles
from training.bench.folds import Question, seal
from training.bench.jury import Jury
from training.bench.measure import Cost, Meter
from training.bench.provenance import code_version
from training.bench.rows import Kind, Row, best_rival
from training.bench.summary import summarise
from training.bundle import Manifest, read_bundle
from training.evaluation.splits import TemporalSplit
from training.interactions import SECONDS_PER_DAY, Interactions
from training.jobs.cold_start import MERGED, merged_at_login
from training.jobs.judgement import Judgement, against_champion
from training.jobs.moments import end_of_data
from training.jobs.other_ids import answer_in_ids_of
from training.jobs.registering import Judged, opened, reported
from training.jobs.report import TrainReport
from training.jobs.trials import studies_of
from training.lake import read_interactions
from training.models.item_statistics import ItemStatistics
from training.models.recommend_bundle import KIND, RecommendBundle, write_recommend_bundle
from training.models.recommender import Recommender
from training.models.source import shown
from training.pictures import Slice, Standing, importance, leaderboard, slices, source_recall
from training.pipelines.recommend_config import RecommendConfig
from training.pipelines.recommender import FittedRecommender, fit_recommender
from training.report import render
from training.tracking import CHAMPION, Comparison, TrackedRun, Tracker

_METRIC = "ndcg@10"
_LENGTHS = (5, 10, 20, 50)
_SHOWN = ("ndcg@10", "hit@10", "recall@20", "coverage@10")


def train_recommend(home: Home, budget_minutes: float = 20.0) -> TrainReport:
    """Train, judge and register a recommender on the lake of ``home``.

    ``budget_minutes`` bounds the choosing of settings and the ranker's training. Raises :class:`MissingStateError` for
    an empty lake, :class:`NotEnoughDataError` when nobody has a purchase in the last horizon.
    """
    started = time.monotonic()
    lake = opened(home)
    config = load_config(RecommendConfig, home.configs / "recommend.yaml", optional=True)
    items = lake.read_items()
    as_of = end_of_data(lake.last_event_at())
    horizon = int(config.horizon.total_seconds())
    cutoff = int(as_of.timestamp()) - horizon
    moment = datetime.fromtimestamp(cutoff, UTC)
    split = TemporalSplit(repeats=True, cutoff=cutoff, horizon=horizon)
    with step("reading the lake"):
        everything = read_interactions(lake, as_of)
        known = read_interactions(lake, as_of, received_by=moment)
        fold = seal(split.outer(known), items)
    tracker = Tracker(home)
    with tracker.run(KIND, config.model_dump(mode="json"), lake.fingerprint()) as run:
        say(f"fitting on everything before {moment:%Y-%m-%d}, judging on the {horizon // SECONDS_PER_DAY} days after")
        jury = Jury(Question(fold, split), exclude_seen=False, ks=_LENGTHS)
        with Meter() as fitting:
            fitted = fit_recommender(
                fold.train,
                split,
                config,
                budget_minutes=budget_minutes,
                studies=studies_of(home, KIND, run, _METRIC),
            )
        rows = [*jury.pipeline(fitted, fitting.cost), *jury.sources(fitted), *jury.baselines()]
        rival = best_rival(rows, _METRIC)
        result = {
            "name": f"recommend {moment:%Y-%m-%d}",
            "users": len(known.users),
            "items": len(known.items),
            "interactions": len(known),
            "commit": code_version(),
            "target": [str(kind) for kind in split.target],
            **summarise(
                rows,
                _METRIC,
                fold,
                jury.histories,
                {MERGED: merged_at_login(lake.read_aliases(), fold.train.users, fold.users, moment)},
            ),
            "examples": examples(
                fitted.recommender, fold, jury.histories, titles(items, fold.train.items), exclude_seen=False
            ),
            "choices": fitted.choices,
            "validation": fitted.validation,
            "run_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        _record(run, fitted, rows, result)

        asked = np.flatnonzero(fold.users != UNKNOWN)
        users = np.array(fold.train.users.ids(fold.users[asked]), dtype=np.str_)
        asked = asked[np.argsort(users, kind="stable")]
        users.sort()

        def judgement(row: Row) -> Judgement:
            value = row.ranking.per_user[_METRIC][asked]
            return Judgement(moment.isoformat(), lake.fingerprint(), _METRIC, users, value)

        def ask_again(path: Path) -> Judgement:
            champion = RecommendBundle.from_bundle(read_bundle(path))
            answer = answer_in_ids_of(fold.train.items, champion, max(_LENGTHS))
            return judgement(jury.row(CHAMPION, Kind.BASELINE, Cost(), answer))

        challenger = judgement(rows[0])
        comparisons = [Comparison(_METRIC, rival.model, challenger.minus(judgement(rival)))]
        with_champion, unfair = against_champion(tracker, KIND, challenger, ask_again)
        comparisons += [with_champion] if with_champion else []

        with step(f"learning from everything before {as_of:%Y-%m-%d}"):
            final = learn_again(fitted, everything)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / KIND
            write_recommend_bundle(
                path,
                Manifest(KIND, f"{KIND}-{run.id[:12]}", as_of.isoformat(), code_version(), run_id=run.id),
                final,
                everything,
                items,
                settings=fitted.settings,
                choices=fitted.choices,
                exclude_seen=False,
            )
            registered = run.bundle(path, comparisons)
        challenger.keep(run)
        judged = Judged(moment, _METRIC, [_figures(row, _SHOWN) for row in rows], comparisons, unfair)
        return reported(tracker, run, registered, judged, as_of=as_of, started=started)


def learn_again(fitted: FittedRecommender, data: Interactions) -> Recommender:
    """The same settings, blend and ranker over sources and item statistics learnt from ``data``.

    The ranker was trained on features of sources that knew only the past of each fold, so newer sources under it are
    what it expects.
    """
    sources = {
        name: type(source).fit(shown(type(source), data), type(source).Config(**fitted.settings[name]))
        for name, source in fitted.recommender.sources.items()
    }
    return replace(fitted.recommender, sources=sources, statistics=ItemStatistics.fit(shown(None, data)))


def _figures(row: Row, names: tuple[str, ...]) -> dict[str, Any]:
    means = row.ranking.means()
    return {"model": row.model, "kind": str(row.kind), **{name: means[name] for name in names}}


def _record(run: TrackedRun, fitted: FittedRecommender, rows: list[Row], result: dict[str, Any]) -> None:
    run.document("choices", fitted.choices)
    run.document("result", result)
    run.page("report", render(result))
    run.table("validation", fitted.validation)
    run.table("test", [{"model": row.model, "kind": str(row.kind), **row.ranking.means()} for row in rows])
    for row in rows:
        means = row.ranking.means()
        run.metrics({f"{row.model}.{name}": means[name] for name in _SHOWN})
    run.metrics({f"seconds.{stage}": seconds for stage, seconds in fitted.seconds.items()})

    lead, against = result["paired"], result["paired"]["against"]
    note = f"pipeline minus {against}: {lead['mean']:+.4f} [{lead['low']:+.4f}, {lead['high']:+.4f}]"
    run.picture("leaderboard", leaderboard([Standing(**row) for row in result["standings"]], _METRIC, note=note))
    reach = {
        row.model: {k: row.ranking.means()[f"recall@{k}"] for k in _LENGTHS}
        for row in rows
        if row.kind in (Kind.SOURCE, Kind.PIPELINE)
    }
    run.picture("recall_per_source", source_recall(reach, users=result["test_users"]))
    groups = [Slice(name, part["users"], part["pipeline"], part["rival"]) for name, part in result["slices"].items()]
    run.picture("slices", slices(groups, _METRIC, other=against))
    ranker = fitted.recommender.ranker
    if ranker is not None:
        gains = ranker.importance()
        run.picture("importance", importance(list(gains), np.array(list(gains.values()))))
