"""What the server counts, in the Prometheus format, also over several workers."""

import os
import shutil
import time
from http import HTTPStatus
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.engine_metrics import EngineMetrics

#: Names the folder in which several workers add up their numbers; read when ``prometheus_client`` is imported.
MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def share_between_workers(folder: Path) -> None:
    """Let the workers that this process starts from now on add their numbers up in ``folder``, which is emptied."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[MULTIPROCESS_FOLDER] = str(folder)


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
        self._live: dict[str, str] = {}

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
        if os.environ.get(MULTIPROCESS_FOLDER):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry)


class Timing:
    """ASGI middleware: one observation per request, labelled by the route's template, never by its ids."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = int(HTTPStatus.INTERNAL_SERVER_ERROR)

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        start = time.perf_counter()
        try:
            await self._app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            self._metrics.seconds.labels(scope["method"], route, str(status)).observe(time.perf_counter() - start)
