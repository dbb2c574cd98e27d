"""A server on a simulated mall, and the load on it: what the benchmarks of serving share.

The first run in a folder makes a mall of 100,000 users and 20,000 items there, and trains a recommender on it; later
ones use it again.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.contracts.home import Home
from serving.store import Scope
from training.bundle import read_bundle
from training.deployment import live

PORT = 8123
USERS, ITEMS, DAYS, SEED = 100_000, 20_000, 120, 11


def make_ready(mallard: Path, home: Home, work: Path) -> None:
    """A simulated mall in the lake and a recommender that is live; what an earlier run made is used again."""

    def run(*arguments: str) -> None:
        subprocess.run([mallard, *arguments], check=True, env=environment(home))

    if live(home, "recommend") is None:
        mall = work / "mall"
        if not mall.exists():
            size = ["--users", f"{USERS}", "--items", f"{ITEMS}", "--days", f"{DAYS}", "--seed", f"{SEED}"]
            run("simulate", *size, "--out", str(mall))
        run("ingest", str(mall / "source.yaml"))
        run("train", "recommend", "--budget", "10m")
        run("promote", "recommend")
        run("deploy", "recommend")
    if not (work / "users.txt").exists():
        path = live(home, "recommend")
        assert path is not None
        ids = read_bundle(path).array("users")
        (work / "users.txt").write_text("\n".join(text.decode() for text in ids.tolist()), encoding="utf-8")
    # Events of earlier runs, which nobody moved on, are not what is measured.
    shutil.rmtree(home.online, ignore_errors=True)


def environment(home: Home) -> dict[str, str]:
    """Where a process finds this mall."""
    places = {"MALLARD_HOME": home.root, "MALLARD_CONFIGS": home.configs, "MALLARD_MLRUNS": home.mlruns}
    return {**os.environ, **{name: str(path) for name, path in places.items()}}


def make_key(mallard: Path, home: Home) -> str:
    """A key of its own for this run."""
    command = [mallard, "keys", "create", "bench", "--scope", Scope.RECOMMEND, "--scope", Scope.INGEST]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, env=environment(home)).stdout
    found = re.search(r"mk_\S+", shown)
    assert found is not None, shown
    return found[0]


@contextmanager
def mallard_server(mallard: Path, home: Home, workers: int) -> Iterator[tuple[int, float]]:
    """The real server; its process id and the seconds until it was ready."""
    command = [str(mallard), "serve", "--port", f"{PORT}", "--workers", f"{workers}", "--no-refresh"]
    with process(command, environment(home)) as server:
        yield server.pid, ready(f"http://127.0.0.1:{PORT}/readyz")


@contextmanager
def process(command: list[str], variables: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process group that ends with the block."""
    with subprocess.Popen(command, env=variables, start_new_session=True, stdout=subprocess.DEVNULL) as started:
        try:
            yield started
        finally:
            os.killpg(started.pid, signal.SIGTERM)
            started.wait(30)


def ready(url: str) -> float:
    """Seconds until ``url`` answers 200."""
    begun = time.monotonic()
    while time.monotonic() - begun < 120:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return round(time.monotonic() - begun, 2)
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{url} did not answer within two minutes")


def lua(work: Path, users: Path, key: str, pause_ms: float = 0) -> Path:
    """A script for ``wrk``: users at random, one call in ten posts an event.

    With ``pause_ms`` every connection pauses so long on average before a call, no two of them in step.
    """
    pause = f"function delay() return math.random(0, {round(2 * pause_ms)}) end" if pause_ms else ""
    script = work / "load.lua"
    script.write_text(
        f"""
local users, threads, sent = {{}}, 0, 0
for line in io.lines("{users}") do users[#users + 1] = line end
function setup(thread) thread:set("number", threads); threads = threads + 1 end
function init() math.randomseed(os.time() * 31 + number) end
function request()
  local user = users[math.random(#users)]
  sent = sent + 1
  if sent % 10 == 0 then
    local event = string.format('{{"events":[{{"event_id":"b%d-%d-%d","event_type":"view","user_id":"%s",' ..
      '"item_id":"i%05d","occurred_at":"%s"}}]}}', os.time(), number, sent, user, math.random({ITEMS - 1}),
      os.date("!%Y-%m-%dT%H:%M:%SZ"))
    return wrk.format("POST", "/v1/events", {{["X-API-Key"]="{key}", ["Content-Type"]="application/json"}}, event)
  end
  return wrk.format("GET", "/v1/users/" .. user .. "/recommendations?placement=home", {{["X-API-Key"]="{key}"}})
end
{pause}
""",
        encoding="utf-8",
    )
    return script


def wrk(port: int, connections: int, seconds: int, script: Path | None = None) -> dict[str, float]:
    """As many calls as are answered."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    command += (["-s", str(script)] if script else []) + [f"http://127.0.0.1:{port}"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    failed = sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", text))
    failed += sum(sum(int(n) for n in re.findall(r"\d+", line)) for line in re.findall(r"Socket errors: (.*)", text))
    milliseconds = {f"p{p}_ms": _milliseconds(text, rf"\s{p}%\s+(\S+)") for p in (50, 99)}
    per_second = re.search(r"Requests/sec:\s+(\S+)", text)
    assert per_second is not None, text
    return {"per_second": float(per_second[1]), **milliseconds, "failed": failed}


def _milliseconds(text: str, pattern: str) -> float:
    found = re.search(pattern, text)
    time_of = re.fullmatch(r"([\d.]+)(us|ms|s)", found[1]) if found else None
    assert time_of is not None, text
    return round(float(time_of[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[time_of[2]], 3)
