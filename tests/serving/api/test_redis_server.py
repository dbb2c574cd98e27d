"""A server of two workers over Redis: events are seen by every worker, and its death is survived."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.redis_server import RedisServer
from features.contracts.home import Home
from serving.store import Scope, create_key, open_store
from serving.store.opening import ADDRESS
from tests.serving.servers import Processes, in_processes

ROUNDS = 12


@pytest.fixture
def redis_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis")
    monkeypatch.setenv(ADDRESS, server.url)
    yield server
    server.kill()


@pytest.fixture
def home(deployed: Home, tmp_path: Path) -> Home:
    home = Home(tmp_path / "var", deployed.configs, deployed.mlruns)
    shutil.copytree(deployed.root, home.root)
    return home


def view(number: int, user: str, item: str) -> dict[str, object]:
    now = datetime.now(UTC).isoformat()
    return {"event_id": f"v{number}", "event_type": "view", "user_id": user, "item_id": item, "occurred_at": now}


def test_events_are_seen_by_every_worker_and_the_death_of_redis_is_survived(
    home: Home, redis_server: RedisServer
) -> None:
    store = open_store(home)
    key = create_key(store, "test", [Scope.RECOMMEND.value, Scope.INGEST.value], now=int(time.time())).text
    with in_processes(home, workers=2) as running:
        running.client.headers["X-API-Key"] = key
        for number in range(ROUNDS):
            user = f"new-{number}"
            assert not _known(running, user)
            posted = running.client.post("/v1/events", json={"events": [view(number, user, "i01")]})
            assert posted.json()["accepted"] == 1
            assert all(_known(running, user) for _ in range(4)), "a worker has not seen the event"

        redis_server.kill()
        answer = running.client.get("/v1/users/u03/recommendations")
        assert answer.status_code == 200
        assert "realtime_state" in answer.json()["degraded"]
        assert answer.json()["items"]
        refused = running.client.post("/v1/events", json={"events": [view(100, "u03", "i01")]})
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0

        redis_server.start()
        time.sleep(0.4)  # longer than a worker keeps away from a server that did not answer
        again = running.client.post("/v1/events", json={"events": [view(100, "u03", "i01"), view(0, "new-0", "i01")]})
        assert (again.json()["accepted"], again.json()["duplicates"]) == (1, 1)
        assert "realtime_state" not in running.client.get("/v1/users/u03/recommendations").json()["degraded"]
    assert store.queue_length() == ROUNDS + 1


def _known(running: Processes, user: str) -> bool:
    answer = running.client.get(f"/v1/users/{user}/recommendations").json()
    assert "realtime_state" not in answer["degraded"]
    return bool(answer["known"])
