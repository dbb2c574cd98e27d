"""Traces, sent to a real collector by real servers; a collector that is away; and no trace of tracing without one."""

import asyncio
import json
import logging
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from features.contracts.errors import ConfigError, MissingExtraError
from features.contracts.home import Home
from serving.api import Settings, create_app
from serving.api.edge import Edge
from serving.api.metrics import MULTIPROCESS_FOLDER, Metrics
from serving.api.spans import RequestTracer
from serving.api.tracing import collector_of
from serving.cli.commands.serve import run_server
from serving.config import TracingConfig
from tests.serving.collector import Span, collecting
from tests.serving.conftest import home_at, key_for, serve
from tests.serving.servers import ROOT, Processes, in_processes

STAGES = ["prepare", "retrieve", "rank", "rules", "reasons"]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
ROUTE = "GET /v1/users/{user_id}/recommendations"
#: In the store of the small mall, and nowhere else in the text of a span.
USER = "u01"
STRANGER = "person-7719"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans leave at once, and the environment of the tests asks for none."""
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")


def configure(home: Home, address: str | None, sample: float = 1.0) -> None:
    """Trace; and let no answer be a simpler one for want of time, whatever else the machine does."""
    home.configs.mkdir(exist_ok=True)
    text = f"engine: {{deadline_ms: 60000}}\ntracing: {{endpoint: {json.dumps(address)}, sample: {sample}}}\n"
    (home.configs / "serving.yaml").write_text(text, encoding="utf-8")


def caller(sampled: bool = True) -> dict[str, str]:
    return {"traceparent": f"00-{TRACE}-{CALLER}-{'01' if sampled else '00'}", "X-Request-ID": "mall-42"}


def requests(spans: list[Span]) -> list[Span]:
    return [span for span in spans if span.kind == 2]


def stages_of(span: Span, spans: list[Span]) -> list[Span]:
    return sorted((each for each in spans if each.parent_id == span.span_id), key=lambda each: each.start)


def test_a_request_is_a_span_of_the_callers_trace_with_its_stages_and_without_the_user(home: Home) -> None:
    with collecting() as collector:
        configure(home, collector.address)
        with serve(home) as mall:
            answer = mall.client.get(f"/v1/users/{USER}/recommendations?item_id=i02", headers=caller())
            assert answer.json()["degraded"] == []
            spans = collector.wait_for(lambda spans: len(requests(spans)) == 1)
        (span,) = requests(spans)
        assert collector.paths == ["/v1/traces"] * len(collector.paths)
        assert (span.name, span.trace_id, span.parent_id, span.failed) == (ROUTE, TRACE, CALLER, False)
        assert span.attributes == {
            "http.request.method": "GET",
            "http.route": "/v1/users/{user_id}/recommendations",
            "http.response.status_code": 200,
            "mallard.request_id": "mall-42",
        }
        assert span.resource["service.name"] == "mallard"
        stages = stages_of(span, spans)
        assert [stage.name for stage in stages] == STAGES
        for stage in stages:
            assert stage.trace_id == TRACE
            assert span.start <= stage.start <= stage.end <= span.end
            assert stage.attributes == {"mallard.questions": 1}
        told = "".join(collector.texts)
        assert USER not in told
        assert "i02" not in told


def test_every_call_is_traced_by_its_template_whatever_it_answers(home: Home) -> None:
    with collecting() as collector:
        configure(home, collector.address)
        with serve(home) as mall:
            mall.client.post("/v1/recommendations", json={"user_id": STRANGER})
            mall.client.get(f"/v1/users/{STRANGER}/churn")
            mall.client.get(f"/nowhere/{STRANGER}")
            mall.client.request("PROPFIND", f"/v1/users/{STRANGER}/churn")
            mall.client.get("/healthz", headers={"traceparent": f"{STRANGER}-is-no-trace"})
            spans = collector.wait_for(lambda spans: len(requests(spans)) == 5)
    found = {(span.name, span.attributes["http.response.status_code"]) for span in requests(spans)}
    assert found == {
        ("POST /v1/recommendations", 200),
        ("GET /v1/users/{user_id}/churn", 404),
        ("GET", 404),
        ("HTTP /v1/users/{user_id}/churn", 405),
        ("GET /healthz", 200),
    }
    assert not any(span.failed for span in spans)
    assert len({span.trace_id for span in requests(spans)}) == 5
    assert STRANGER not in "".join(collector.texts)


def test_what_fails_is_marked_and_the_framework_adds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
        monkeypatch.setenv("OTEL_SERVICE_NAME", "mall-of-tests")
        home = home_at(tmp_path)
        configure(home, None)
        with serve(home) as mall:
            failed = mall.client.get(f"/v1/users/{STRANGER}/churn")
            assert failed.status_code == 503
        (span,) = collector.spans
        assert set(collector.paths) == {"/v1/traces"}
    assert span.failed
    assert span.attributes["error.type"] == "503"
    assert span.attributes["mallard.request_id"] == failed.headers["x-request-id"]
    assert span.resource["service.name"] == "mall-of-tests"


def test_the_caller_decides_what_is_traced_and_else_chance_does(home: Home) -> None:
    with collecting() as collector:
        configure(home, collector.address, sample=0.0)
        with serve(home) as mall:
            path = f"/v1/users/{USER}/recommendations"
            for headers in ({}, caller(sampled=False), caller(sampled=True)):
                assert mall.client.get(path, headers=headers).status_code == 200
        # The server has ended and sent all it had.
        assert [span.parent_id for span in requests(collector.spans)] == [CALLER]


def test_those_who_are_answered_together_each_get_their_stages(home: Home) -> None:
    with collecting() as collector:
        configure(home, collector.address)
        with serve(home) as mall, ThreadPoolExecutor(8) as callers:
            paths = [f"/v1/users/u{n:02}/recommendations" for n in range(40)]
            assert {answer.status_code for answer in callers.map(mall.client.get, paths)} == {200}
        spans = collector.spans
    assert len(requests(spans)) == 40
    together = set()
    for span in requests(spans):
        stages = stages_of(span, spans)
        assert stages[0].name == "prepare"
        assert {stage.trace_id for stage in stages} == {span.trace_id}
        together.add(stages[0].attributes["mallard.questions"])
    assert max(together) > 1


def workers_that_answered(server: Processes) -> set[int]:
    """By the files in which they count, whose folder every process of the server was told of."""
    group = subprocess.run(["pgrep", "-g", str(server.process.pid)], capture_output=True, text=True, check=True)
    told = [Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") for pid in group.stdout.split()]
    start = f"{MULTIPROCESS_FOLDER}=".encode()
    folders = {Path(line.removeprefix(start).decode()) for lines in told for line in lines if line.startswith(start)}
    files = [file for folder in folders for file in folder.glob("histogram_*.db")]
    return {int(file.stem.rsplit("_", 1)[1]) for file in files if b"/recommendations" in file.read_bytes()}


def test_each_worker_sends_its_own_and_what_is_left_when_it_ends(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
        # Nothing leaves but by the end of the server.
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "50000")
        monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "50000")
        configure(home, None)
        key = key_for(home)
        with in_processes(home, workers=2) as server, ThreadPoolExecutor(16) as callers:
            answers: list[httpx.Response] = []
            until = time.monotonic() + 60
            while len(answering := workers_that_answered(server)) < 2:
                assert time.monotonic() < until
                paths = [f"/v1/users/u{n:02}/recommendations" for n in range(32)]
                answers += callers.map(lambda path: server.client.get(path, headers=key), paths)
            assert {answer.status_code for answer in answers} == {200}
            assert collector.spans == []
            server.process.terminate()
            server.process.wait(timeout=60)
        spans = collector.spans
    traced = [span for span in requests(spans) if span.name == ROUTE]
    named = {span.attributes["mallard.request_id"] for span in traced}
    assert named == {answer.headers["x-request-id"] for answer in answers}
    assert {span.resource["process.pid"] for span in traced} == answering
    assert all(stages_of(span, spans)[0].name == "prepare" for span in traced)


def test_a_collector_that_is_not_there_costs_no_answer(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        configure(home, f"http://127.0.0.1:{probe.getsockname()[1]}")
        with serve(home) as mall, caplog.at_level(logging.WARNING):
            for n in range(30):
                answer = mall.client.get(f"/v1/users/u{n:02}/recommendations")
                assert answer.status_code == 200
                assert answer.json()["degraded"] == []
    assert "did not take the last spans" in caplog.text
    assert not [thread for thread in threading.enumerate() if "Otel" in thread.name or thread.name == "last-spans"]
    assert "u01" not in caplog.text


def test_a_collector_that_hangs_costs_no_answer_and_spans_are_dropped(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16")
    with collecting(stuck=True) as collector:
        configure(home, collector.address)
        with serve(home) as mall:
            assert mall.client.get("/healthz").status_code == 200
            assert collector.asked.wait(30)
            # From here on the one thread that sends is stuck.
            for n in range(40):
                assert mall.client.get(f"/v1/users/u{n:02}/recommendations").json()["degraded"] == []
            assert collector.spans == []
            collector.open.set()
            spans = collector.wait_for(lambda spans: len(requests(spans)) >= 2)
    assert len(spans) <= 1 + 16 + 16


def test_a_failure_is_told_by_its_kind_not_by_its_words() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError(f"nothing is known of {STRANGER}")

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    async def nowhere(message: Message) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "GET", "path": f"/v1/users/{STRANGER}/churn", "headers": []}
    with collecting() as collector:
        tracer = RequestTracer(f"{collector.address}/v1/traces", 1.0)
        tracer.open()
        with pytest.raises(LookupError):
            asyncio.run(Edge(tracer.around(broken), Metrics(), access=False)(scope, nothing, nowhere))
        tracer.close()
    (span,) = collector.spans
    assert span.failed
    assert span.attributes["error.type"] == "LookupError"
    assert span.attributes["http.response.status_code"] == 500
    assert STRANGER not in "".join(collector.texts)


def test_without_an_address_nothing_is_loaded_and_nothing_lies_in_the_way(tmp_path: Path) -> None:
    """The framework loads OpenTelemetry's interfaces by itself; what records and sends is not."""
    script = (
        "LOADED = ('opentelemetry.sdk', 'opentelemetry.exporter', 'serving.api.spans', 'requests')\n"
        "import sys; from pathlib import Path; from features.contracts.home import Home\n"
        "from serving.api import Settings, create_app\n"
        f"app = create_app(Settings.of(Home(*[Path({str(tmp_path)!r}) / n for n in 'abc'])))\n"
        "print(type(app.build_middleware_stack()._app).__module__)\n"
        "print([name for name in sys.modules if name.startswith(LOADED)])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["starlette.middleware.errors", "[]"]


def test_without_the_package_the_start_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    monkeypatch.delitem(sys.modules, "serving.api.spans", raising=False)
    home = home_at(tmp_path)
    configure(home, "http://localhost:4318")
    wanted = r"http://localhost:4318/v1/traces.*pip install mallard\[otel\]"
    with pytest.raises(MissingExtraError, match=wanted):
        create_app(Settings.of(home))
    with pytest.raises(MissingExtraError, match=wanted):
        run_server(home, "127.0.0.1", free_port(), workers=2, refresh=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("endpoint", "environment", "collector"),
    [
        (None, {}, None),
        ("http://one:4318", {}, "http://one:4318/v1/traces"),
        ("http://one:4318/", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://two"}, "http://one:4318/v1/traces"),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://two/otlp/"}, "https://two/otlp/v1/traces"),
        (None, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://three/here"}, "https://three/here"),
        ("http://one:4318", {"OTEL_SDK_DISABLED": "true"}, None),
    ],
)
def test_the_address_comes_from_the_configuration_or_the_environment(
    endpoint: str | None, environment: dict[str, str], collector: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert collector_of(TracingConfig(endpoint=endpoint)) == collector


def test_an_address_that_is_none_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_OTLP_ENDPOINT='collector:4317'"):
        collector_of(TracingConfig())
    home = home_at(tmp_path)
    configure(home, "collector")
    with pytest.raises(ConfigError, match=r"serving\.yaml:2: tracing\.endpoint"):
        Settings.of(home)
