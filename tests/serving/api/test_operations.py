"""Health, metrics, models and problem details."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx

from features.contracts.home import Home
from serving.api import Settings, create_app
from tests.serving.conftest import Mall, WriteBundle, home_at, serve
from training.deployment import deploy, placed


def test_a_worker_lives_and_is_ready(shared_mall: Mall) -> None:
    client = httpx.Client(base_url=shared_mall.client.base_url)
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "ready": True,
        "store": "ok",
        "recommend": "r1",
        "churn": "c1",
        "snapshot": ready.json()["snapshot"],
    }
    assert client.get("/docs").status_code == 200
    client.close()


def test_an_empty_home_serves_and_is_not_ready(tmp_path: Path) -> None:
    with serve(home_at(tmp_path)) as mall:
        assert mall.client.get("/readyz").status_code == 503
        assert mall.client.get("/v1/users/u/recommendations").json()["degraded"] == ["no_model"]
        assert 'mallard_degraded_answers_total{reason="no_model"} 1.0' in mall.client.get("/metrics").text
        for path in ("/v1/users/u/churn", "/v1/churn/list", "/v1/users/u/tags"):
            answer = mall.client.get(path)
            assert answer.status_code == 503
            assert "mallard" in answer.json()["detail"]


def test_making_an_app_touches_nothing(tmp_path: Path) -> None:
    create_app(Settings.of(Home(tmp_path / "var", tmp_path / "configs", tmp_path / "mlruns")))
    assert list(tmp_path.iterdir()) == []


def test_metrics_count_by_route_and_model(mall: Mall) -> None:
    mall.client.get("/v1/users/u01/recommendations")
    mall.client.get("/v1/users/u02/recommendations")
    mall.client.get("/nowhere/u02")
    text = mall.client.get("/metrics").text
    route = 'method="GET",route="/v1/users/{user_id}/recommendations",status="200"'
    assert f"mallard_request_seconds_count{{{route}}} 2.0" in text
    assert 'mallard_model_live{kind="recommend",version="r1"} 1.0' in text
    assert 'route="unmatched",status="404"' in text
    assert "u02" not in text


def test_unknown_paths_and_methods_are_problems(shared_mall: Mall) -> None:
    for answer, status in (
        (shared_mall.client.get("/v1/nothing"), 404),
        (shared_mall.client.delete("/v1/events"), 405),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status


def test_models_are_listed_deployed_and_rolled_back(mall: Mall, write_bundle: WriteBundle, tmp_path: Path) -> None:
    deploy(mall.home, write_bundle(tmp_path / "new", "r2"))
    listed = mall.client.get("/v1/models").json()["models"]
    assert listed[0]["live"] == "r2"
    assert listed[0]["versions"] == ["r1", "r2"]
    assert mall.client.post("/v1/models/recommend/rollback").json()["version"] == "r1"
    again = mall.client.post("/v1/models/recommend/deploy", json={"version": "r2"})
    assert again.json() == {"kind": "recommend", "version": "r2", "previous": "r1"}
    for version in ("r9", "../churn", "."):
        assert mall.client.post("/v1/models/recommend/deploy", json={"version": version}).status_code == 404
    assert mall.client.post("/v1/models/churn/rollback").status_code == 409
    assert mall.client.post("/v1/models/poetry/rollback").json()["errors"][0]["field"] == "kind"
    assert mall.client.get("/v1/models", headers=mall.as_key("recommend")).status_code == 403


def test_a_version_is_tried_on_a_share_of_users_and_taken_back(
    mall: Mall, write_bundle: WriteBundle, tmp_path: Path
) -> None:
    assert mall.client.get("/v1/models/recommend/canary").status_code == 404
    assert mall.client.delete("/v1/models/recommend/canary").status_code == 409
    placed(mall.home, write_bundle(tmp_path / "new", "r2"))
    begun = mall.client.put("/v1/models/recommend/canary", json={"version": "r2", "share": 0.5})
    assert begun.status_code == 200
    assert begun.json()["ended_at"] is None

    def versions() -> set[str]:
        asked = (mall.client.get(f"/v1/users/someone{n}/recommendations").json() for n in range(40))
        return {answer["model_version"] for answer in asked}

    wait_until(lambda: versions() == {"r1", "r2"})
    assert 'mallard_answers_total{outcome="whole",version="r2"}' in mall.client.get("/metrics").text
    ended = mall.client.delete("/v1/models/recommend/canary").json()
    assert ended["why"] == "stopped by hand"
    assert mall.client.get("/v1/models/recommend/canary").json() == ended
    wait_until(lambda: versions() == {"r1"})

    for body, status in (({"version": "r9"}, 404), ({"version": "r1"}, 409), ({"version": "r2", "share": 2}, 422)):
        assert mall.client.put("/v1/models/recommend/canary", json=body).status_code == status


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Workers look for changes once a second."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.2)
