"""Trials of settings: kept below the home to be taken up again, and shown in MLflow."""

from features.contracts.home import Home
from training.bench.provenance import code_version
from training.pipelines.tuning import Studies, Tried
from training.tracking import TrackedRun


def studies_of(home: Home, kind: str, run: TrackedRun, metric: str) -> Studies:
    """The studies of one kind of model; every new trial becomes a child of ``run`` with its value of ``metric``."""

    def record(tried: Tried) -> None:
        run.trial(
            f"{tried.study}-{tried.number}",
            tried.settings,
            {metric: tried.value, "seconds": tried.seconds},
            {"study": tried.study, "state": "pruned" if tried.pruned else "complete"},
            tried.seconds,
        )

    return Studies(home.tuning / f"{kind}.db", version=code_version(), on_trial=record)
