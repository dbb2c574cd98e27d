"""What the server stands: answers per second and their times, swaps under load, start and memory.

    python benchmarks/bench_serve.py --work var/bench-serve --out result_serving.json

The first run makes a simulated mall of 100,000 users and 20,000 items below ``--work``, and trains a recommender on it.
Users are drawn at random and one call in ten posts an event. ``wrk`` asks as fast as it is answered, ``hey`` at a fixed
rate (both Debian packages). An empty FastAPI handler is measured in the same run: machines differ, ratios less.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from served_home import ITEMS, PORT, USERS, lua, make_key, make_ready, mallard_server, process, ready, wrk

from features.contracts.home import Home
from features.lake import Lake
from serving.api.settings import Settings
from serving.engine import Ask, RecommendEngine
from serving.engine.consent import refused_in_lake
from serving.engine.identities import KnownAs
from serving.store import Visitor, open_store
from training.deployment import deploy, live

HERE = Path(__file__).parent
EMPTY_PORT = 8124
_PLAIN = "push"  # a placement that leaves nothing to chance
EVENTS_PER_CALL = 100


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("var/bench-serve"), help="where the mall and the bundle lie")
    parser.add_argument("--out", type=Path, help="result as JSON")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=int, default=20, help="of each load")
    parser.add_argument("--swaps", type=int, default=20)
    chosen = parser.parse_args()
    for tool in ("wrk", "hey"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is not installed; it is a Debian package: apt-get install {tool}")
    mallard = Path(sys.executable).with_name("mallard")
    work: Path = chosen.work.resolve()
    home = Home(work / "var", HERE.parent / "configs", work / "mlruns")
    make_ready(mallard, home, work)
    key = make_key(mallard, home)
    users = work / "users.txt"
    result: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load_before": os.getloadavg()[0],
    }
    with empty_server() as _:
        result["empty"] = wrk(EMPTY_PORT, 16, chosen.seconds // 2)
    with mallard_server(mallard, home, chosen.workers) as (pid, ready):
        result["seconds_to_ready"] = ready
        first = resident(pid)
        script = lua(work, users, key)
        wrk(PORT, 8, 3, script)
        result["open"] = {connections: wrk(PORT, connections, chosen.seconds, script) for connections in (4, 16, 32)}
        result["fixed"] = {rate: hey(rate, chosen.seconds, users, key) for rate in (100, 200, 500)}
        batches = wrk(PORT, 8, chosen.seconds, lua_batches(work, key))
        result["events"] = {"per_second": batches["per_second"] * EVENTS_PER_CALL, "calls": batches}
        result["parity"] = parity(home, key, users)
        result["swaps"] = swaps(home, chosen.swaps, lambda seconds: wrk(PORT, 8, seconds, script))
        result["worker_mb"] = {"at_first": first, "at_the_end": resident(pid)}
        result["degraded"] = degraded()
    best = max(load["per_second"] for load in result["open"].values())
    result["ratio_to_empty"] = best / result["empty"]["per_second"]
    print(json.dumps(result, indent=1))
    if chosen.out:
        chosen.out.write_text(json.dumps(result, indent=1), encoding="utf-8")


# --- servers ----------------------------------------------------------------------------------------------
@contextmanager
def empty_server() -> Iterator[int]:
    """A FastAPI handler that does nothing, in as many workers as there are cores."""
    command = [sys.executable, "-m", "uvicorn", "empty_handler:app", "--app-dir", str(HERE), "--port", f"{EMPTY_PORT}"]
    command += ["--workers", f"{os.cpu_count()}", "--log-level", "warning", "--no-access-log"]
    with process(command, dict(os.environ)) as server:
        ready(f"http://127.0.0.1:{EMPTY_PORT}/")
        yield server.pid


def resident(pid: int) -> list[float]:
    """Private memory (MB) of each process of a server: what is not the shared map of the bundle."""
    children = subprocess.run(["pgrep", "-g", str(os.getpgid(pid))], capture_output=True, text=True, check=True)
    found = []
    for child in children.stdout.split():
        rollup = Path(f"/proc/{child}/smaps_rollup").read_text(encoding="utf-8")
        found.append(sum(int(kb) for kb in re.findall(r"Private_\w+:\s+(\d+)", rollup)) / 1024)
    return [round(mb, 1) for mb in sorted(found)]


# --- loads ------------------------------------------------------------------------------------------------
def lua_batches(work: Path, key: str) -> Path:
    """A script for ``wrk``: nothing but batches of events, each event new."""
    script = work / "events.lua"
    script.write_text(
        f"""
local threads, sent = 0, 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
function init() math.randomseed(os.time() * 31 + number); began = os.time() end
function request()
  local rows, now = {{}}, os.date("!%Y-%m-%dT%H:%M:%SZ")
  for place = 1, {EVENTS_PER_CALL} do
    sent = sent + 1
    rows[place] = string.format('{{"event_id":"e%d-%d-%d","event_type":"view","user_id":"s%d","item_id":"i%05d",' ..
      '"occurred_at":"%s"}}', began, number, sent, math.random({USERS}), math.random({ITEMS - 1}), now)
  end
  local body = '{{"events":[' .. table.concat(rows, ",") .. ']}}'
  return wrk.format("POST", "/v1/events", {{["X-API-Key"]="{key}", ["Content-Type"]="application/json"}}, body)
end
""",
        encoding="utf-8",
    )
    return script


def hey(rate: int, seconds: int, users: Path, key: str) -> dict[str, float]:
    """Calls at a fixed rate, each connection about the same user.

    The connections of one ``hey`` ask in step, which page views do not: sixteen of one connection each, started apart.
    """
    names = users.read_text(encoding="utf-8").split("\n")
    each = 16
    running = []
    for place in range(each):
        url = f"http://127.0.0.1:{PORT}/v1/users/{names[place * len(names) // each]}/recommendations?placement=home"
        command = ["hey", "-z", f"{seconds}s", "-c", "1", "-q", f"{rate / each:g}", "-o", "csv"]
        command += ["-H", f"X-API-Key: {key}", url]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        time.sleep(1 / rate)
    times, failed = [], 0
    for each_process in running:
        out, _ = each_process.communicate()
        for line in out.splitlines()[1:]:
            values = line.split(",")
            times.append(float(values[0]) * 1000)
            failed += values[6] != "200"
    times.sort()
    return {
        "per_second": len(times) / seconds,
        "p50_ms": times[len(times) // 2],
        "p99_ms": times[len(times) * 99 // 100],
        "failed": failed,
    }


def swaps(home: Home, count: int, load: Callable[[int], dict[str, float]]) -> dict[str, float]:
    """Flip between two versions of the same model while ``load`` runs; how many calls failed."""
    current = live(home, "recommend")
    assert current is not None
    plain = current.name.removesuffix("-twin")
    other = current.with_name(plain if current.name.endswith("-twin") else f"{plain}-twin")
    if not other.exists():
        shutil.copytree(current, other)
        manifest = json.loads((other / "manifest.json").read_text(encoding="utf-8"))
        (other / "manifest.json").write_text(json.dumps({**manifest, "version": other.name}), encoding="utf-8")
    pid = os.fork()
    if pid == 0:
        for turn in range(count):
            time.sleep(1.5)
            deploy(home, other if turn % 2 == 0 else current)
        os._exit(0)
    came = load(int(count * 1.5) + 4)
    os.waitpid(pid, 0)
    return {"swaps": count, **came}


def parity(home: Home, key: str, users: Path, count: int = 1_000) -> dict[str, int]:
    """Lists of ``count`` users, asked over HTTP eight at a time, beside those that the engine gives one by one.

    Answers for which time ran short are counted apart. The model's data must have ended long ago, so both answer as
    of that end.
    """
    settings = Settings.of(home)
    store = open_store(home)
    known_as = KnownAs(Lake(home))
    engine = RecommendEngine(
        home,
        store,
        settings.placements,
        settings.config.engine,
        refused=lambda: refused_in_lake(home),
        known_as=known_as,
    )
    engine.refresh()
    names = users.read_text(encoding="utf-8").split("\n")
    asked = names[:: max(len(names) // count, 1)][:count]

    def served(user: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{PORT}/v1/users/{user}/recommendations?placement={_PLAIN}&n=20"
        request = urllib.request.Request(url, headers={"X-API-Key": key})
        with urllib.request.urlopen(request, timeout=30) as answer:
            body: dict[str, Any] = json.load(answer)
            return body

    with ThreadPoolExecutor(8) as pool:
        over_http = list(pool.map(served, asked))
    alone = [engine.recommend(Ask(Visitor(user_id=user), placement=_PLAIN, n=20)) for user in asked]
    store.close()
    in_time = [(a, b) for a, b in zip(over_http, alone, strict=True) if "deadline" not in a["degraded"]]
    same = sum([item["item_id"] for item in a["items"]] == [item.item_id for item in b.items] for a, b in in_time)
    return {"users": len(asked), "in_time": len(in_time), "equal": same}


def degraded() -> dict[str, float]:
    """How many answers were made without something, by what."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {name: float(n) for name, n in re.findall(r'degraded_answers_total{reason="(\w+)"} (\S+)', text)}


if __name__ == "__main__":
    main()
