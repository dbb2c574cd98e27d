"""A span per request and one per stage of its answer, sent to a collector. Needs the extra ``otel``.

FastAPI has telemetry of its own, which stays off: it writes path and query, which name users, on every span before it
knows whether the request is sampled, and knows nothing of batches, in which the ranking thread answers sixteen requests
at a time. With one request in a hundred sampled it costs each of them 29 us, this 8. The ranking thread, on which all
wait, only notes times; spans are made of them when the answer has left, 20 us each where the request is sampled.
"""

import logging
import os
import threading
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.edge import call_of
from serving.api.metrics import METHODS
from serving.engine.observing import followers

_LOG = logging.getLogger(__name__)
_CALLER: Final = {b"traceparent": "traceparent", b"tracestate": "tracestate"}
_W3C: Final = TraceContextTextMapPropagator()
_FLUSH_SECONDS: Final = 3.0
"""How long a worker that ends waits for the collector to take its last spans."""


class RequestTracer:
    """Traces the requests of one application. Nothing of it is global; each worker makes and opens its own."""

    def __init__(self, collector: str, sample: float) -> None:
        """``collector`` takes spans at this address; ``sample``: share of requests, where the caller leaves it open."""
        self._collector, self._sample = collector, sample
        self._exporter: SpanExporter | None = None
        self._provider: TracerProvider | None = None
        self._tracer: Tracer | None = None

    def open(self) -> None:
        """Begin to trace. A thread sends spans in batches; when the collector does not take them, the oldest go."""
        # The environment names the service differently where it wants to (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES).
        told = OTELResourceDetector().detect().attributes
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(self._sample)),
            resource=Resource.create({"service.name": "mallard", "process.pid": os.getpid(), **told}),
            shutdown_on_exit=False,
        )
        self._exporter = OTLPSpanExporter(endpoint=self._collector)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("mallard")

    def close(self) -> None:
        """Send what is left, and end. A collector that does not answer holds nobody up for longer than some seconds."""
        provider, exporter = self._provider, self._exporter
        self._provider = self._exporter = self._tracer = None
        if provider is None or exporter is None:
            return
        flush = threading.Thread(target=provider.shutdown, name="last-spans", daemon=True)
        flush.start()
        flush.join(_FLUSH_SECONDS)
        if flush.is_alive():
            _LOG.warning("%s did not take the last spans within %g seconds", self._collector, _FLUSH_SECONDS)
            exporter.shutdown()  # no further attempt; the one that hangs ends with the process
            flush.join(1)

    def around(self, app: ASGIApp) -> ASGIApp:
        """``app`` with a span around each request. Belongs inside the edge, which names requests."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or self._tracer is None:
                await app(scope, receive, send)
                return
            span = self._tracer.start_span(
                scope["method"], context=_callers_context(scope["headers"]), kind=SpanKind.SERVER
            )
            if span.is_recording():
                await _Traced(app, self._tracer, span)(scope, receive, send)
            else:
                await app(scope, receive, send)

        return traced


class _Traced:
    """One request that is sampled."""

    def __init__(self, app: ASGIApp, tracer: Tracer, span: Span) -> None:
        self._app, self._tracer, self._span = app, tracer, span
        self._stages: list[tuple[str, int, float, int]] = []  # name, end in ns since 1970, seconds, questions
        self._status = int(HTTPStatus.INTERNAL_SERVER_ERROR)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._status = message["status"]
            await send(message)

        followed = followers.set((self._follow,))
        failure: str | None = None
        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            failure = type(error).__qualname__  # its text may name a user
            raise
        finally:
            followers.reset(followed)
            self._end(scope, failure)

    def _follow(self, name: str, seconds: float, questions: int) -> None:
        self._stages.append((name, time.time_ns(), seconds, questions))

    def _end(self, scope: Scope, failure: str | None) -> None:
        """Write down what became of the request: the route's template, never its path, which names users."""
        span, known = self._span, scope["method"] in METHODS
        route = getattr(scope.get("route"), "path", None)
        # Names of the semantic conventions for HTTP spans, 1.23 and later.
        span.set_attribute("http.request.method", scope["method"] if known else "_OTHER")
        span.set_attribute("http.response.status_code", self._status)
        span.set_attribute("mallard.request_id", call_of(scope).request_id)
        method = scope["method"] if known else "HTTP"
        span.update_name(method if route is None else f"{method} {route}")
        if route is not None:
            span.set_attribute("http.route", route)
        if failure is not None or self._status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            span.set_attribute("error.type", failure or str(self._status))
            span.set_status(Status(StatusCode.ERROR))
        above = set_span_in_context(span, Context())
        for name, end, seconds, questions in self._stages:
            stage = self._tracer.start_span(
                name,
                context=above,
                start_time=end - round(seconds * 1e9),
                attributes={"mallard.questions": questions},
            )
            stage.end(end)
        span.end()


def _callers_context(headers: Iterable[tuple[bytes, bytes]]) -> Context:
    """The trace that the caller is in (W3C Trace Context, ``traceparent``), or none. A broken header counts as none."""
    given = {_CALLER[name]: value.decode("latin-1") for name, value in headers if name in _CALLER}
    return _W3C.extract(given, Context()) if given else Context()
