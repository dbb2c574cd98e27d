"""Are events lost or doubled when things die? Kills a real server at random moments and counts.

    python benchmarks/kill_events.py --kills 60 --seed 1
    python benchmarks/kill_events.py --kills 60 --seed 1 --redis

Two threads post batches over HTTP without a pause and send a batch again until it is acknowledged. Meanwhile a worker,
a drain into the lake, the whole server, or the process that workers are forked from is killed (SIGKILL) at a random
moment, in turn; with ``--redis`` the online state is in a Redis server, which is killed in its turn, too. In the end
what is left moves into the lake, and every acknowledged event must stand there once. Ends with 1 when one is missing or
doubled.
"""

import argparse
import collections
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
from redis_server import RedisServer
from server_processes import loaders, workers

from features.contracts.home import Home
from features.lake import Lake
from serving.store import Scope, create_key, open_store
from serving.store.opening import ADDRESS

BATCH = 20
MALLARD = str(Path(sys.executable).with_name("mallard"))


def main() -> None:
    """Kill, count, and say what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=0, help="to listen on; 0 takes a free one")
    parser.add_argument("--redis", action="store_true", help="keep online state in a Redis server, and kill it, too")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ending:
        root, state = Path(folder), None
        if chosen.redis:
            state = RedisServer(root / "redis")
            ending.callback(state.kill)
            os.environ[ADDRESS] = state.url
        home = Home(root / "var", root / "configs", root / "mlruns")
        store = open_store(home)
        key = create_key(store, "kills", [Scope.INGEST.value], now=int(time.time())).text
        store.close()
        trial = Trial(home, chosen.port or free_port(), key, random.Random(chosen.seed), state)
        kills = trial.run(chosen.kills)
        acknowledged = trial.acknowledged
        drain(home).wait()
        stored = collections.Counter(
            event
            for file in Lake(home).event_files()
            for event in pq.read_table(file, columns=["event_id"])[0].to_pylist()
        )
    lost = [event for event in acknowledged if event not in stored]
    doubled = [event for event, times in stored.items() if times > 1]
    result = {
        "kills": dict(kills),
        "acknowledged": len(acknowledged),
        "sent_again": trial.sent_again,
        "in_the_lake": len(stored),
        "lost": len(lost),
        "doubled": len(doubled),
    }
    print(json.dumps(result))
    sys.exit(1 if lost or doubled or not acknowledged else 0)


class Trial:
    """A server that is killed, and two threads that go on posting."""

    def __init__(
        self, home: Home, port: int, key: str, chance: random.Random, state: RedisServer | None = None
    ) -> None:
        self._home, self._port, self._key, self._chance, self._state = home, port, key, chance, state
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.acknowledged: set[str] = set()
        self.sent_again = 0

    def run(self, kills: int) -> collections.Counter[str]:
        """So many kills; how many of each kind."""
        done: collections.Counter[str] = collections.Counter()
        server = self._serve()
        posters = [threading.Thread(target=self._post, args=(number,)) for number in range(2)]
        for poster in posters:
            poster.start()
        try:
            for turn in range(kills):
                kinds = ("worker", "drain", "server", "loader", *(["redis"] if self._state else []))
                kind = kinds[turn % len(kinds)]
                if kind == "drain":
                    moving = drain(self._home)
                    time.sleep(self._chance.uniform(0.5, 2.5))
                    moving.kill()
                    moving.wait()
                else:
                    time.sleep(self._chance.uniform(0.05, 1.0))
                    if kind == "redis" and self._state is not None:
                        self._state.kill()
                        time.sleep(self._chance.uniform(0.0, 0.5))
                        self._state.start()
                    elif kind == "worker":
                        self._kill_worker(server.pid)
                    elif kind == "loader":
                        for loader in loaders(server.pid):
                            os.kill(loader, signal.SIGKILL)
                    else:
                        os.killpg(server.pid, signal.SIGKILL)
                        server.wait()
                        server = self._serve()
                done[kind] += 1
        finally:
            self._over.set()
            for poster in posters:
                poster.join()
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        return done

    def _serve(self) -> "subprocess.Popen[bytes]":
        command = [MALLARD, "serve", "--port", str(self._port), "--workers", "2", "--no-refresh"]
        server = subprocess.Popen(
            command,
            env=environment(self._home),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/healthz", timeout=2):
                    return server
            except OSError:
                time.sleep(0.05)
        sys.exit("the server did not come up again within a minute")

    def _kill_worker(self, server: int) -> None:
        if found := workers(server):
            os.kill(self._chance.choice(found), signal.SIGKILL)

    def _post(self, number: int) -> None:
        batch = 0
        while not self._over.is_set():
            ids = [f"p{number}-{batch}-{place}" for place in range(BATCH)]
            now = datetime.now(UTC).isoformat()
            rows = [
                {"event_id": i, "event_type": "view", "user_id": f"u{number}", "item_id": "i1", "occurred_at": now}
                for i in ids
            ]
            while not self._acknowledged(rows):
                if self._over.is_set():
                    return
                with self._lock:
                    self.sent_again += 1
                time.sleep(0.05)
            with self._lock:
                self.acknowledged.update(ids)
            batch += 1

    def _acknowledged(self, rows: list[dict[str, str]]) -> bool:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}/v1/events",
            json.dumps({"events": rows}).encode(),
            {"X-API-Key": self._key, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                said = json.load(answer)
        except (OSError, ValueError, EOFError):  # killed before, in the middle of, or after its work
            return False
        return int(said["accepted"]) + int(said["duplicates"]) == len(rows)


def drain(home: Home) -> "subprocess.Popen[bytes]":
    """What was received moves into the lake, in a process of its own."""
    silence = subprocess.DEVNULL
    return subprocess.Popen([MALLARD, "ingest", "inbox"], env=environment(home), stdout=silence, stderr=silence)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Home) -> dict[str, str]:
    """Where a process finds this home."""
    places = {"MALLARD_HOME": home.root, "MALLARD_CONFIGS": home.configs, "MALLARD_MLRUNS": home.mlruns}
    return {**os.environ, **{name: str(path) for name, path in places.items()}}


if __name__ == "__main__":
    main()
