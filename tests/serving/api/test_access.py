"""Rates, the audit log, tokens, the demo's key and the headers, over HTTP."""

import json
import logging
import time

from features.contracts.errors import StoreUnavailableError
from features.contracts.home import Home
from features.identity.key import IdentityKey
from serving.access.audit import AuditLog
from serving.api.logs import JsonLines
from serving.store import create_key, open_store
from serving.store.keys import DEMO
from tests.serving.conftest import Mall, key_for, serve
from tests.serving.servers import in_processes

URL = "/v1/users/u01/recommendations"


def configure(home: Home, text: str) -> None:
    home.configs.mkdir(exist_ok=True)
    (home.configs / "serving.yaml").write_text(text, encoding="utf-8")


def test_every_answer_has_the_headers_and_the_request_id(shared_mall: Mall) -> None:
    for path in (URL, "/v1/nothing", "/healthz"):
        answer = shared_mall.client.get(path, headers={"X-Request-ID": "mall-7"})
        assert answer.headers["x-request-id"] == "mall-7"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    strange = shared_mall.client.get(URL, headers={"X-Request-ID": "a b<script>"})
    assert len(strange.headers["x-request-id"]) == 32
    assert "content-security-policy" not in shared_mall.client.get("/docs").headers


def test_a_rate_holds_over_workers(home: Home) -> None:
    configure(home, "access: {rates: {callers: {test: {per_second: 0.01, burst: 20}}}}")
    key = key_for(home)
    with in_processes(home, workers=2) as server:
        answers = [server.client.get(URL, headers=key) for _ in range(30)]
        assert [answer.status_code for answer in answers] == [200] * 20 + [429] * 10
        refused = answers[-1]
        assert refused.headers["content-type"] == "application/problem+json"
        assert 0 < int(refused.headers["retry-after"]) <= 100
        assert refused.headers["ratelimit"].startswith('"caller";r=0;t=')
        assert 'mallard_refused_requests_total{why="rate"} 10.0' in server.client.get("/metrics").text


def test_calls_about_users_are_recorded_before_they_are_answered(mall: Mall) -> None:
    log = AuditLog(mall.home.audit, IdentityKey.of(mall.home))
    mall.client.get(URL)
    mall.client.get("/v1/users/u01/churn", headers={"X-Purpose": "recall", "X-Request-ID": "crm-1"})
    mall.client.post("/v1/churn/score", json={"user_ids": ["u02", "u03"]})
    mall.client.get("/v1/churn/list")
    mall.client.get("/v1/users/u04/churn", headers=mall.as_key("recommend"))
    lines = list(log.lines())
    assert [line["call"] for line in lines] == [
        "GET /v1/users/{user_id}/churn",
        "POST /v1/churn/score",
        "GET /v1/churn/list",
    ]
    assert (lines[0]["purpose"], lines[0]["request_id"], lines[0]["caller"]) == ("recall", "crm-1", "test")
    assert lines[1]["users"] == [log.mask("u02"), log.mask("u03")]
    assert log.verify()[0] == 3


def test_what_cannot_be_recorded_is_not_answered(mall: Mall) -> None:
    mall.home.audit.write_text("a file where the folder should be")
    answer = mall.client.get("/v1/users/u01/churn")
    assert answer.status_code == 503
    assert "audit log" in answer.json()["detail"]
    assert mall.client.get(URL).status_code == 200
    assert "mallard_store_errors_total 1.0" in mall.client.get("/metrics").text


def test_a_purpose_can_be_demanded(home: Home) -> None:
    configure(home, "access: {audit: {require_purpose: true}}")
    with serve(home) as mall:
        refused = mall.client.get("/v1/users/u01/churn")
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "X-Purpose"
        assert mall.client.get("/v1/users/u01/churn", headers={"X-Purpose": "recall"}).status_code == 200


def test_a_revoked_key_is_closed_within_a_second(mall: Mall) -> None:
    store = open_store(mall.home)
    key = create_key(store, "short", ["recommend"], now=int(time.time()))
    headers = {"X-API-Key": key.text}
    assert mall.client.get(URL, headers=headers).status_code == 200
    store.revoke_key(key.record.id, int(time.time()))
    store.close()
    time.sleep(0.6)
    assert mall.client.get(URL, headers=headers).status_code == 401


def test_the_key_of_the_demo_opens_from_this_machine_only(mall: Mall) -> None:
    store = open_store(mall.home)
    key = create_key(store, DEMO, ["recommend"], now=int(time.time()))
    store.close()
    headers = {"X-API-Key": key.text}
    assert mall.client.get(URL, headers=headers).status_code == 200
    # The server trusts a proxy on loopback to say for whom it asks.
    far = mall.client.get(URL, headers={**headers, "X-Forwarded-For": "203.0.113.9"})
    assert far.status_code == 401
    assert "demo" in far.json()["detail"]


def test_the_document_names_what_the_door_answers(shared_mall: Mall) -> None:
    document = shared_mall.client.get("/openapi.json").json()
    posted = document["paths"]["/v1/events"]["post"]["responses"]
    assert {"400", "401", "403", "413", "415", "422", "429", "503"} <= set(posted)


def test_freshness_is_measured(shared_mall: Mall) -> None:
    text = shared_mall.client.get("/metrics").text
    for what in ("tags", "snapshot", "recommend", "churn"):
        assert f'mallard_as_of_timestamp_seconds{{what="{what}"}}' in text
    assert "mallard_event_lag_seconds" in text


def test_log_lines_are_json_with_their_fields() -> None:
    def line(message: str, error: Exception | None = None, **fields: object) -> dict[str, object]:
        failed = None if error is None else (type(error), error, None)
        record = logging.LogRecord("mallard", logging.INFO, "", 0, message, None, failed)
        record.fields = fields
        found: dict[str, object] = json.loads(JsonLines().format(record))
        return found

    told = line("request", route="/v1/users/{user_id}/churn", status=200)
    assert (told["message"], told["status"], told["level"], told["request_id"]) == ("request", 200, "info", None)
    odd = line("odd text \ud800", StoreUnavailableError("away \ud800"))
    assert "StoreUnavailableError" in str(odd["traceback"])
