"""A disk without room: events are refused with a clear answer, reads go on, and nothing acknowledged is lost.

What is full is the size that the system lets the server's processes write files to, which anybody may set for processes
of his own, and change while they run; a quota shows in the same way.
"""

import resource
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from features.contracts import columns as c
from features.contracts.home import Home
from serving.store import open_store
from tests.serving.conftest import key_for
from tests.serving.servers import Processes, in_processes

BATCH = 100
MOST_BATCHES = 200


def batch(number: int) -> list[dict[str, Any]]:
    now = datetime.now(UTC).isoformat()
    row = {c.EVENT_TYPE: "view", c.USER_ID: f"visitor{number}", c.ITEM_ID: "i01", c.OCCURRED_AT: now}
    return [{**row, c.EVENT_ID: f"full-{number}-{place}"} for place in range(BATCH)]


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row[c.EVENT_ID] for row in rows]


@contextmanager
def full(server: Processes, home: Home) -> Iterator[None]:
    """No file of the online state grows within the block."""
    largest = max(file.stat().st_size for file in home.online.iterdir() if file.is_file())
    limit_files(server, largest)
    try:
        yield
    finally:
        limit_files(server, resource.RLIM_INFINITY)


def limit_files(server: Processes, size: int) -> None:
    """Let all processes of ``server`` write files up to ``size`` bytes. The hard limit stays, so room can be made."""
    for process in processes(server):
        _, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
        resource.prlimit(process, resource.RLIMIT_FSIZE, (size, hard))


def processes(server: Processes) -> set[int]:
    """Ids of all processes of ``server``."""
    group = subprocess.run(["pgrep", "-g", str(server.process.pid)], capture_output=True, text=True, check=True)
    return set(map(int, group.stdout.split()))


def test_events_are_refused_while_reads_go_on(home: Home) -> None:
    key = key_for(home)
    acknowledged: list[str] = []
    with in_processes(home, workers=2) as server:
        client = server.client

        def post(rows: list[dict[str, Any]]) -> Any:
            answer = client.post("/v1/events", json={"events": rows}, headers=key)
            if answer.status_code == 200:
                acknowledged.extend(names(rows))
            return answer

        assert post(batch(0)).json()["accepted"] == BATCH
        before = processes(server)
        with full(server, home):
            for number in range(1, MOST_BATCHES):
                refused = batch(number)
                answer = post(refused)
                if answer.status_code != 200:
                    break
            # As often as it takes for both workers to have been asked.
            for _ in range(10):
                assert answer.status_code == 507
                assert answer.headers["content-type"] == "application/problem+json"
                assert int(answer.headers["retry-after"]) > 0
                said = answer.json()
                assert said["title"] == "Insufficient Storage"
                assert "store.sqlite: the online store has no room left" in said["detail"]
                for user in ("u03", "visitor0", "stranger"):
                    read = client.get(f"/v1/users/{user}/recommendations", headers=key)
                    assert read.status_code == 200
                    assert read.json()["items"]
                assert client.get("/readyz").status_code == 200
                answer = post(refused)
        assert 'route="/v1/events",status="507"' in client.get("/metrics").text
        assert processes(server) == before, "nobody died of it"

        again = post(refused).json()
        assert (again["accepted"], again["duplicates"]) == (BATCH, 0), "nothing of the refused batch was kept"
        twice = client.post("/v1/events", json={"events": refused}, headers=key).json()
        assert (twice["accepted"], twice["duplicates"]) == (0, BATCH)
        server.kill()

    store = open_store(home)
    kept = Counter(queued.row[c.EVENT_ID] for queued in store.queued(len(acknowledged) * 2))
    store.close()
    assert kept == Counter(acknowledged)
