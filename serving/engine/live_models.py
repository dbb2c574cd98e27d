"""The churn, value and uplift bundles that a worker or a scoring run answers with."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from features.contracts.home import Home
from serving.engine.forecast import Models
from training.bundle import Bundle, read_bundle
from training.deployment import live
from training.models import churn, uplift, value

_LOG = logging.getLogger(__name__)

_LOADERS: Final[dict[str, Callable[[Bundle], Any]]] = {
    churn.KIND: churn.ChurnModel.from_bundle,
    value.KIND: value.ValueModel.from_bundle,
    uplift.KIND: uplift.UpliftModel.from_bundle,
}


@dataclass(frozen=True)
class _Loaded:
    path: Path
    version: str
    model: Any


class LiveModels:
    """Loaded bundles by kind. Each kind is taken up by itself: one that is refused leaves its old one in place."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._loaded: dict[str, _Loaded] = {}

    @property
    def versions(self) -> dict[str, str]:
        """Kind -> version that is loaded."""
        return {kind: loaded.version for kind, loaded in self._loaded.items()}

    def refresh(self) -> None:
        """Load what is deployed and not loaded yet; what is refused is logged."""
        for kind in _LOADERS:
            try:
                self.load(kind)
            except Exception:
                # Whatever a damaged bundle provokes, the worker goes on with what it has.
                _LOG.exception("the deployed %s bundle is refused, %s stays live", kind, self.versions.get(kind))

    def load(self, kind: str) -> None:
        """Load the deployed bundle of ``kind``, if there is one; raises :class:`BundleError` when it is refused."""
        path = live(self._home, kind)
        before = self._loaded.get(kind)
        if path is None or (before is not None and before.path == path):
            return
        bundle = read_bundle(path)
        # One assignment: a request under way sees the old models or the new ones.
        loaded = _Loaded(path, bundle.manifest.version, _LOADERS[kind](bundle))
        self._loaded = {**self._loaded, kind: loaded}
        _LOG.info("%s bundle %s is live", kind, loaded.version)

    def models(self) -> Models | None:
        """What answers together; None without a churn model."""
        loaded = self._loaded
        if churn.KIND not in loaded:
            return None
        optional = {kind: loaded[kind].model for kind in (value.KIND, uplift.KIND) if kind in loaded}
        versions = {kind: each.version for kind, each in loaded.items()}
        return Models(loaded[churn.KIND].model, loaded[churn.KIND].version, versions=versions, **optional)
