"""``mallard bench recommend``: every baseline, every single source, their blend and the pipeline on the same users."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from features.contracts import columns as c
from features.contracts.config import load_config
from features.contracts.home import Home
from features.contracts.progress import say
from features.lake import read_table
from features.sources import open_source
from training.bench.cold_start import cold_start, owners_of
from training.bench.config import LeaveOneOutSpec, RecommendBench, Seen, TemporalSplitSpec
from training.bench.examples import Title, examples, titles
from training.bench.folds import Question, ask
from training.bench.jury import Jury
from training.bench.measure import Meter
from training.bench.oracle import ask_oracle
from training.bench.provenance import code_version, machine
from training.bench.rows import deciding_metric
from training.bench.summary import summarise
from training.dataset import interactions_from_events
from training.interactions import Int32, Interactions
from training.pipelines.recommend_config import RecommendConfig
from training.pipelines.recommender import fit_recommender

_TRENDING = "trending"


@dataclass(frozen=True)
class Prepared:
    """What is read and cut before anything is fitted."""

    data: Interactions
    question: Question
    rejected: int
    """Rows that were put aside because they could not be used."""
    title: Title
    """What an item of the training part is called."""
    owner: Int32
    """By id of :attr:`data` the user whom its events belong to, as became known by logins."""


def bench_recommend(config_path: Path, settings: RecommendConfig | None = None) -> dict[str, Any]:
    """Run the benchmark that ``config_path`` describes; the result is the content of ``result.json``.

    ``settings`` are those of recommender training, by default what ``mallard train`` uses. Raises an
    :class:`~features.contracts.errors.InputError` that names file and key, or file and row, of what cannot be used, and
    :class:`~features.contracts.errors.NotEnoughDataError` when the split leaves nothing to judge.
    """
    config = load_config(RecommendBench, config_path)
    now = datetime.now(UTC)
    with Meter() as reading:
        prepared = prepare(config, config_path.parent, now)
    data, question = prepared.data, prepared.question
    say(f"{len(data):,} interactions, {len(question.fold.users):,} test users")
    jury = Jury(question, exclude_seen=config.seen is Seen.EXCLUDE, ks=config.k)
    with Meter() as fitting:
        fitted = fit_recommender(
            question.fold.train, question.split, settings or _training_settings(), budget_minutes=config.budget_minutes
        )
    rows = [*jury.pipeline(fitted, fitting.cost), *jury.sources(fitted), *jury.baselines()]
    metric = deciding_metric(config.k)
    newcomers = cold_start(
        data,
        prepared.owner,
        question,
        fitted.recommender,
        fitted.recommender.sources.get(_TRENDING),
        metric,
        exclude_seen=jury.exclude_seen,
    )
    oracle = None
    if config.truth is not None and isinstance(config.split, TemporalSplitSpec):
        folder = config_path.parent / config.truth
        oracle = ask_oracle(folder, config.split, data, question, jury, fitted.recommender, rows[0], metric)
        rows.append(oracle.row)
    return {
        "name": config.name,
        "users": len(data.users),
        "items": len(data.items),
        "interactions": len(data),
        "commit": code_version(),
        "machine": machine(),
        "target": [str(kind) for kind in question.split.target],
        **summarise(rows, metric, question.fold, jury.histories),
        "examples": examples(
            fitted.recommender, question.fold, jury.histories, prepared.title, exclude_seen=jury.exclude_seen
        ),
        **({"cold_start": newcomers} if newcomers else {}),
        **({"oracle": oracle.account} if oracle is not None else {}),
        "choices": fitted.choices,
        "validation": fitted.validation,
        "stages": {"read": round(reading.cost.seconds, 3), **{k: round(s, 3) for k, s in fitted.seconds.items()}},
        "rejected_rows": prepared.rejected,
        "seen": str(config.seen),
        "clock": str(question.fold.train.clock),
        "run_at": now.isoformat(timespec="seconds"),
    }


def prepare(config: RecommendBench, base: Path, now: datetime) -> Prepared:
    """Read the files, relative to ``base``, and cut them into what is known and what is asked."""
    source = open_source(config.interactions, base, config.items)
    loaded = read_table(source, now=now, timed=_timed(config))
    # A file without times is in order where the split is about the last interaction; elsewhere it has none.
    ordered = source.ordered or isinstance(config.split, LeaveOneOutSpec)
    data = interactions_from_events(loaded.events, loaded.items, ordered=ordered)
    question = ask(config, base, data, loaded.items, now)
    return Prepared(
        data,
        question,
        loaded.report.rejected,
        titles(loaded.items, question.fold.train.items),
        owners_of(loaded.events, data.users),
    )


def _timed(config: RecommendBench) -> bool:
    """Whether every row must have a time: where the split cuts by it, or the file claims to have it."""
    return isinstance(config.split, TemporalSplitSpec) or c.OCCURRED_AT in config.interactions.columns


def _training_settings() -> RecommendConfig:
    return load_config(RecommendConfig, Home.from_environment().configs / "recommend.yaml", optional=True)
