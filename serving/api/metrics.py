"""What the server counts, in the Prometheus format, also over several workers."""

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from serving.api.engine_metrics import EngineMetrics

#: Names the folder in which several workers add up their numbers; read when ``prometheus_client`` is imported.
MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SCORES = (-4, -2, -1, -0.5, 0, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16)
_SHARES = tuple(tenth / 10 for tenth in range(1, 10))
#: The methods of HTTP; a caller may invent others.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The metrics of one application; nothing global, so that tests may have many."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.seconds = Histogram(
            "mallard_request_seconds",
            "Time to answer, by route",
            ["method", "route", "status"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.degraded = Counter(
            "mallard_degraded_answers",
            "Recommendations that were made without some part",
            ["reason"],
            registry=self._registry,
        )
        self.events = Counter("mallard_events", "Events received, by outcome", ["outcome"], registry=self._registry)
        self.model = Gauge(
            "mallard_model_live",
            "1 for the model version that a worker answers with",
            ["kind", "version"],
            multiprocess_mode="livemax",
            registry=self._registry,
        )
        self.engine = EngineMetrics(self._registry)
        self.refused = Counter(
            "mallard_refused_requests",
            "Requests refused at the door: key, scope or rate",
            ["why"],
            registry=self._registry,
        )
        self.store_errors = Counter(
            "mallard_store_errors",
            "Requests that the online store or the audit log could not serve",
            registry=self._registry,
        )
        self.scores = Histogram(
            "mallard_top_score", "Score of the first item of a recommendation", buckets=_SCORES, registry=self._registry
        )
        self.churn = Histogram(
            "mallard_churn_probability", "Probability of leaving, as answered", buckets=_SHARES, registry=self._registry
        )
        self.event_lag = Gauge(
            "mallard_event_lag_seconds",
            "Age of the oldest event that is not in the lake; 0 when all are",
            multiprocess_mode="livemax",
            registry=self._registry,
        )
        self.erasures = Gauge(
            "mallard_erasures_under_way",
            "People who asked to be erased and are not out of every file yet",
            multiprocess_mode="livemax",
            registry=self._registry,
        )
        self.as_of = Gauge(
            "mallard_as_of_timestamp_seconds",
            "Up to when events count in what is answered with: tags, snapshot, or a kind of model",
            ["what"],
            multiprocess_mode="livemin",
            registry=self._registry,
        )
        self._routes: dict[tuple[str, str, int], Histogram] = {}
        self._live: dict[str, str] = {}

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request under its route's template, never under its ids."""
        key = (method if method in METHODS else "other", route, status)
        child = self._routes.get(key)
        if child is None:
            child = self._routes[key] = self.seconds.labels(key[0], route, str(status))
        child.observe(seconds)

    def model_is(self, kind: str, version: str | None) -> None:
        """Note the live version of ``kind``."""
        before = self._live.get(kind)
        if before == version:
            return
        if before is not None:
            self.model.labels(kind, before).set(0)
        if version is not None:
            self.model.labels(kind, version).set(1)
            self._live[kind] = version
        else:
            self._live.pop(kind, None)

    def render(self) -> bytes:
        """The exposition text, summed over workers where they share a folder."""
        registry = self._registry
        folder = os.environ.get(MULTIPROCESS_FOLDER)
        if folder:
            _forget_the_dead(Path(folder))
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry)


def _forget_the_dead(folder: Path) -> None:
    """What workers say of themselves ends with them, also when they were killed; their counts stay."""
    for file in folder.glob("gauge_live*_*.db"):
        worker = int(file.stem.rsplit("_", 1)[1])
        if not Path(f"/proc/{worker}").exists() and Path("/proc/self").exists():
            mark_process_dead(worker, str(folder))
