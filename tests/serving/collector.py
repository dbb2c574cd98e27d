"""A collector of OpenTelemetry traces for tests: takes OTLP over HTTP, decodes it, and keeps it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue


@dataclass(frozen=True)
class Span:
    """One span, as it was received."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    start: int  # nanoseconds since 1970
    end: int
    failed: bool
    attributes: dict[str, Any]
    resource: dict[str, Any]


@dataclass
class Collector:
    """What was received. While ``open`` is not set, whoever sends waits for his answer."""

    address: str = ""
    spans: list[Span] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """Everything that came, as text: where nothing of a user may stand."""
    paths: list[str] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    open: threading.Event = field(default_factory=threading.Event)

    def wait_for(self, found: Callable[[list[Span]], bool], seconds: float = 30.0) -> list[Span]:
        """The spans, as soon as they are such."""
        until = time.monotonic() + seconds
        while not found(self.spans):
            assert time.monotonic() < until, [span.name for span in self.spans]
            time.sleep(0.02)
        return list(self.spans)

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        self.texts.append(str(request))
        for part in request.resource_spans:
            resource = _plain(part.resource.attributes)
            for scope in part.scope_spans:
                self.spans += [
                    Span(
                        name=span.name,
                        trace_id=span.trace_id.hex(),
                        span_id=span.span_id.hex(),
                        parent_id=span.parent_span_id.hex(),
                        kind=span.kind,
                        start=span.start_time_unix_nano,
                        end=span.end_time_unix_nano,
                        failed=span.status.code == 2,
                        attributes=_plain(span.attributes),
                        resource=resource,
                    )
                    for span in scope.spans
                ]


@contextmanager
def collecting(*, stuck: bool = False) -> Iterator[Collector]:
    """A collector on a free port for as long as the block lasts; ``stuck``: it takes requests and answers none."""
    collector = Collector()
    if not stuck:
        collector.open.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.asked.set()
            collector.open.wait()
            collector.paths.append(self.path)
            collector.take(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.open.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _plain(attributes: Any) -> dict[str, Any]:
    def value(of: KeyValue) -> Any:
        return getattr(of.value, of.value.WhichOneof("value"))

    return {each.key: value(each) for each in attributes}
