"""One training run: what went in, what came out, and the pictures between."""

import csv
import io
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunInfo, RunTag
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from training.tracking.names import tracked_name
from training.tracking.promotion import Comparison
from training.tracking.registry import RegisteredModel, Registry

_BATCH = 100  # parameters or metrics that MLflow takes in one call
_LONGEST = 6000  # characters of a parameter's value
_BUNDLE = "bundle"
_DOTS_PER_INCH = 144


class TrackedRun:
    """A run that is going on. Made by :meth:`training.tracking.Tracker.run`."""

    def __init__(self, client: MlflowClient, registry: Registry, kind: str, created: RunInfo, fingerprint: str) -> None:
        self._client = client
        self._registry = registry
        self._kind = kind
        self._experiment = str(created.experiment_id)
        self._fingerprint = fingerprint
        self.id: str = created.run_id  # goes into ``Manifest.run_id``

    def params(self, params: Mapping[str, object]) -> None:
        """Record what the run was asked to do. Nested mappings become dotted names."""
        rows = [Param(tracked_name(name), str(value)[:_LONGEST]) for name, value in _flat(params)]
        for start in range(0, len(rows), _BATCH):
            self._client.log_batch(self.id, params=rows[start : start + _BATCH])

    def metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Record numbers, at ``step`` when they are a series; ``ndcg@10`` appears as ``ndcg_at_10``."""
        moment = int(time.time() * 1000)
        rows = [Metric(tracked_name(name), float(value), moment, step) for name, value in metrics.items()]
        for start in range(0, len(rows), _BATCH):
            self._client.log_batch(self.id, metrics=rows[start : start + _BATCH])

    def tags(self, tags: Mapping[str, str]) -> None:
        """Attach labels that can be searched for."""
        self._client.log_batch(self.id, tags=[RunTag(tracked_name(name), value) for name, value in tags.items()])

    def trial(
        self,
        name: str,
        params: Mapping[str, object],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        seconds: float,
    ) -> None:
        """Record a trial that has just ended after ``seconds`` as a child of this run, with three calls in all."""
        end = int(time.time() * 1000)
        labels = {MLFLOW_PARENT_RUN_ID: self.id, **{tracked_name(key): value for key, value in tags.items()}}
        child = self._client.create_run(self._experiment, end - int(seconds * 1000), labels, tracked_name(name))
        self._client.log_batch(
            child.info.run_id,
            metrics=[Metric(tracked_name(key), value, end, 0) for key, value in metrics.items()],
            params=[Param(tracked_name(key), str(value)[:_LONGEST]) for key, value in params.items()],
        )
        self._client.set_terminated(child.info.run_id, end_time=end)

    def picture(self, name: str, figure: Figure) -> None:
        """Keep ``figure`` as ``pictures/<name>.png``."""
        self._client.log_figure(self.id, figure, f"pictures/{name}.png", save_kwargs={"dpi": _DOTS_PER_INCH})

    def table(self, name: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Keep ``rows`` as ``tables/<name>.csv``; its columns are the keys in the order they are first met."""
        columns = list(dict.fromkeys(key for row in rows for key in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(dict(row) for row in rows)
        self._client.log_text(self.id, text.getvalue(), f"tables/{name}.csv")

    def document(self, name: str, content: Mapping[str, object]) -> None:
        """Keep ``content`` as ``<name>.json``."""
        self._client.log_dict(self.id, dict(content), f"{name}.json")

    def page(self, name: str, html: str) -> None:
        """Keep ``html`` as ``<name>.html``; MLflow's interface shows it in place."""
        self._client.log_text(self.id, html, f"{name}.html")

    def arrays(self, name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keep ``arrays`` as ``<name>/<key>.npy``, beside the bundle; see :meth:`RegisteredModel.beside`."""
        with tempfile.TemporaryDirectory() as folder:
            for key, array in arrays.items():
                np.save(Path(folder) / f"{key}.npy", array, allow_pickle=False)
            self._client.log_artifacts(self.id, folder, name)

    def bundle(self, path: Path, comparisons: Sequence[Comparison] = (), *, stands_in: str = "") -> RegisteredModel:
        """Keep the bundle at ``path`` and register it as the next version of its kind, the new challenger.

        ``comparisons`` are the evidence that a later promotion is decided on; ``stands_in``: see
        :meth:`Registry.register`.
        """
        self._client.log_artifacts(self.id, str(path), _BUNDLE)
        artifacts = self._client.get_run(self.id).info.artifact_uri
        source = f"{artifacts}/{_BUNDLE}"
        return self._registry.register(self._kind, self.id, source, self._fingerprint, comparisons, stands_in)


def _flat(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
