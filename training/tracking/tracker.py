"""The ledger of training: runs go in, versions come out, one of them is the champion."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlflow import MlflowClient

from features.contracts.home import Home
from training.tracking.names import model_name
from training.tracking.promotion import Comparison
from training.tracking.registry import RegisteredModel, Registry
from training.tracking.run import TrackedRun
from training.tracking.store import artifacts, open_store

_FINGERPRINT = "data_fingerprint"


class Tracker:
    """Runs and registered models of one home. Opening it creates the SQLite store when there is none."""

    def __init__(self, home: Home) -> None:
        self._client = open_store(home)
        self._artifacts = artifacts(home)
        self._registry = Registry(self._client)

    @contextmanager
    def run(
        self,
        kind: str,
        params: Mapping[str, object],
        fingerprint: str,
        tags: Mapping[str, str] | None = None,
    ) -> Iterator[TrackedRun]:
        """Record a run of ``kind`` (``recommend`` or ``churn``) for as long as the block lasts.

        ``fingerprint`` says which data it saw (:meth:`features.lake.Lake.fingerprint`). A block that raises leaves the
        run marked as failed, or as killed when it was interrupted; what it had recorded stays.
        """
        created = self._client.create_run(_experiment(self._client, kind, self._artifacts))
        run = TrackedRun(self._client, self._registry, kind, created.info, fingerprint)
        status = "KILLED"
        try:
            run.tags({_FINGERPRINT: fingerprint, **(tags or {})})
            run.params(params)
            yield run
            status = "FINISHED"
        except Exception:
            status = "FAILED"
            raise
        finally:
            self._client.set_terminated(run.id, status)

    def promote(self, kind: str, comparisons: Sequence[Comparison] = (), *, force: bool = False) -> RegisteredModel:
        """Make the challenger of ``kind`` the champion.

        ``comparisons`` default to those it was registered with. Every one must show it to be better (its 95 % interval
        above zero), and when there is a champion one must be with that very version; the first champion needs to beat
        its best baseline or source. ``force`` promotes all the same and records why it should not have been.

        Raises :class:`PromotionRefusedError` with the figures, :class:`MissingStateError` when there is no challenger.
        """
        return self._registry.promote(kind, comparisons, force=force)

    def alias(self, kind: str, name: str) -> RegisteredModel | None:
        """The version called ``champion`` or ``challenger``, or None when nothing is."""
        return self._registry.alias(kind, name)

    def versions(self, kind: str) -> list[RegisteredModel]:
        """Every registered version of ``kind``, newest first."""
        return self._registry.versions(kind)

    def find(self, kind: str, alias_or_version: str) -> RegisteredModel:
        """A version by alias or number.

        Raises :class:`MissingStateError` when nothing has the alias, :class:`UnknownNameError` for an unknown number.
        """
        return self._registry.find(kind, alias_or_version)

    def fetch(self, kind: str, alias_or_version: str) -> Path:
        """The directory of the bundle of :meth:`find`."""
        return self.find(kind, alias_or_version).path

    def metrics(self, run_id: str) -> dict[str, float]:
        """The last value of every metric of a run, under MLflow's spelling of the name."""
        return dict(self._client.get_run(run_id).data.metrics)


def _experiment(client: MlflowClient, kind: str, folder: Path) -> str:
    """The id of the experiment that holds the runs of ``kind``."""
    name = model_name(kind)
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(name, artifact_location=(folder.resolve() / kind).as_uri()))
