"""Servers as they run in production: processes of their own, more than one of them, and ends without warning."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from features.contracts import columns as c
from features.contracts.home import Home
from serving.store import Visitor, open_store
from tests.serving.conftest import WriteBundle, key_for, serve
from tests.serving.servers import Processes, in_processes
from training.deployment import deploy

ROUNDS = 4


def event(event_id: str, user: str, item: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {c.EVENT_ID: event_id, c.EVENT_TYPE: "view", c.USER_ID: user, c.ITEM_ID: item, c.OCCURRED_AT: now}


def ask(server: Processes, key: dict[str, str], user: str) -> dict[str, Any]:
    answer = server.client.get(f"/v1/users/{user}/recommendations", headers=key)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def post(server: Processes, key: dict[str, str], events: list[dict[str, Any]]) -> None:
    answer = server.client.post("/v1/events", json={"events": events}, headers=key)
    assert answer.json()["accepted"] == len(events)


@pytest.fixture
def key(home: Home) -> dict[str, str]:
    return key_for(home)


def test_two_workers_agree_on_events_models_and_survive_a_kill(
    home: Home, key: dict[str, str], write_bundle: WriteBundle, tmp_path: Path
) -> None:
    with in_processes(home, workers=2) as server:
        for round_ in range(ROUNDS):
            user = f"new{round_}"
            assert not ask(server, key, user)["known"]
            post(server, key, [event(f"{user}-{n}", user, f"i{n * 4 + 1:02}") for n in range(3)])
            answers = [ask(server, key, user) for _ in range(4)]
            assert all(answer["known"] and answer["personalized"] for answer in answers)
            assert len({tuple(item["item_id"] for item in answer["items"]) for answer in answers}) == 1

        # Whichever worker is asked, the numbers are those of all.
        counted = 'route="/v1/users/{user_id}/recommendations",status="200"} %.1f' % (ROUNDS * 5)
        assert counted in server.client.get("/metrics").text

        deploy(home, write_bundle(tmp_path / "new", "r2"))
        seen: list[str] = []
        until = time.monotonic() + 30
        while time.monotonic() < until:
            seen.append(ask(server, key, "u03")["model_version"])
            if seen[-10:] == ["r2"] * 10:
                break
        assert seen[-10:] == ["r2"] * 10

        post(server, key, [event("last", "killed", "i01")])
        server.kill()

    store = open_store(home)
    assert len(store.recent(Visitor(user_id="killed"))) == 1
    assert store.queue_length() == ROUNDS * 3 + 1
    store.close()
    with serve(home) as mall:
        assert mall.client.get("/v1/users/killed/recommendations").json()["known"]
