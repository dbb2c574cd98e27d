"""A real server with its refresher: from the POST of events to the tags that show them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from features.contracts import columns as c
from features.contracts.home import Home
from features.engine import EventTables, TagStore, build_slices, tag_schema
from features.lake import Lake
from features.tags import catalogue, spec_hash
from serving.refresh import RefreshConfig
from serving.refresh.beside import refreshing
from serving.store import open_store
from tests.serving import small_mall
from tests.serving.conftest import home_at, key_for
from tests.serving.servers import ROOT

PATIENCE = 60.0  # seconds; the machine may be busy
EVERY = 6.0  # seconds
CONFIG = f"refresh:\n  every_seconds: {EVERY}\n  poll_seconds: 0.2\n  drain_every_seconds: 3600.0\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = home_at(tmp_path_factory.mktemp("fresh"))
    home.configs.mkdir()
    (home.configs / "serving.yaml").write_text(CONFIG, encoding="utf-8")
    lake = Lake(home)
    lake.upsert(items=small_mall.items())
    lake.append_events(small_mall.events(), batch_id="log")
    names = list(catalogue())
    slices = build_slices(EventTables.from_lake(lake), small_mall.MIDNIGHT, names)
    TagStore(home).write(slices, small_mall.MIDNIGHT, spec_hash(names), tag_schema(names))
    return home


@contextmanager
def served(home: Home, *options: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """``mallard serve`` on a free port, in a process group of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "serving.cli", "--home", str(home.root), "serve", "--port", str(port), *options]
    environment = {**os.environ, "MALLARD_CONFIGS": str(home.configs), "MALLARD_MLRUNS": str(home.mlruns)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=key_for(home), timeout=30) as client:
        try:
            until(lambda: answers(client))
            yield client, process
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # workers outlive a killed server


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def until(condition: Any) -> float:
    """Wait for ``condition``; the seconds that it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() < start + PATIENCE, "it did not happen in time"
        time.sleep(0.05)
    return time.monotonic() - start


def post(client: httpx.Client, user: str, kind: str, count: int) -> None:
    now = datetime.now(UTC).isoformat()
    events = [
        {c.EVENT_ID: f"{user}-{kind}-{n}", c.EVENT_TYPE: kind, c.USER_ID: user, c.ITEM_ID: "i01", c.OCCURRED_AT: now}
        for n in range(count)
    ]
    assert client.post("/v1/events", json={"events": events}).json()["accepted"] == count


def profile(client: httpx.Client, user: str) -> dict[str, Any]:
    body: dict[str, Any] = client.get(f"/v1/users/{user}/tags").json()
    return body


def refreshers(home: Home) -> list[int]:
    """Processes that hold the lock of refreshers, by what the system says of locks."""
    lock = home.online / "refresh.lock"
    if not lock.exists():
        return []
    inode = lock.stat().st_ino
    locks = [line.split() for line in Path("/proc/locks").read_text(encoding="ascii").splitlines()]
    return [int(line[4]) for line in locks if line[1] == "FLOCK" and line[5].endswith(f":{inode}")]


def test_six_views_show_within_seconds_and_a_single_one_waits(home: Home) -> None:
    with served(home) as (client, process):
        check_six_views(client, "u03")
        (pid,) = refreshers(home)
        assert "lightgbm" not in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").lower()
        post(client, "u04", "view", 1)
        waited = until(lambda: profile(client, "u04")["source"] == "real_time")
        assert waited >= EVERY - 1
        process.send_signal(signal.SIGKILL)
        until(lambda: not refreshers(home))  # it ends with its server, however that ended


def test_a_server_of_two_workers_has_one_refresher(home: Home) -> None:
    with served(home, "--workers", "2") as (client, _):
        check_six_views(client, "u01")
        assert len(refreshers(home)) == 1
    until(lambda: not refreshers(home))


def check_six_views(client: httpx.Client, user: str) -> None:
    post(client, user, "order", 1)
    until(lambda: profile(client, user)["source"] == "real_time")  # it has read the lake and is at work
    before = profile(client, user)["tags"]["views_1d"]
    post(client, user, "view", 6)
    seconds = until(lambda: profile(client, user)["tags"]["views_1d"] == before + 6)
    assert seconds < 20, "five on a machine that has nothing else to do"
    fresh = profile(client, user)
    assert fresh["source"] == "real_time"
    assert 0 <= fresh["age_seconds"] < PATIENCE
    assert fresh["tag_spec"] == client.get("/v1/tags").json()["tag_spec"]


def test_of_two_one_refreshes_and_the_other_takes_over(home: Home) -> None:
    store = open_store(home)
    now = datetime.now(UTC)
    store.add_events([{c.EVENT_ID: "quiet", c.EVENT_TYPE: "click", c.USER_ID: "u05", c.OCCURRED_AT: now}])
    with refreshing(home, RefreshConfig()):
        with refreshing(home, RefreshConfig()):
            until(lambda: refreshers(home))
            assert len(refreshers(home)) == 1
            (first,) = refreshers(home)
            os.kill(first, signal.SIGTERM)
            until(lambda: refreshers(home) not in ([], [first]))
        until(lambda: store.queue_length() == 0)  # the first thing it does is to move what waits into the lake
    assert refreshers(home) == []
    store.close()


def test_a_server_without_it_starts_none(home: Home) -> None:
    with served(home, "--no-refresh") as (client, _):
        post(client, "u06", "order", 1)
        assert refreshers(home) == []


def test_an_erasure_over_http_is_finished_beside_the_server(home: Home) -> None:
    with served(home) as (client, _):
        client.delete("/v1/users/u07").raise_for_status()
        until(lambda: client.get("/v1/users/u07/erasure").json()["state"] == "done")
        receipt = client.get("/v1/users/u07/erasure").json()["receipt"]
    lake = Lake(home)
    assert sum(removed["found"].get("lake/events", 0) for removed in receipt["removed"]) > 20
    for file in [*lake.event_files(), TagStore(home).latest().path]:
        assert "u07" not in pq.read_table(file, columns=[c.USER_ID])[c.USER_ID].to_pylist()
