"""Does a server that works for long grow? Memory, open files and threads of its workers under a steady load.

    python benchmarks/soak.py --work var/bench-serve --minutes 10

``wrk`` asks at a fixed rate for users at random, one call in ten posts an event. Meanwhile every worker is looked at
every few seconds. ``own MB`` is what its memory has beyond the shared map of the bundle and all other files
(``Private_Dirty`` in ``smaps_rollup``); ``private MB`` adds ``Private_Clean``, pages of mapped files that no other
process has touched so far, which come and go with the users asked for. The verdict goes by ``own MB``, ``files`` and
``threads``, after a warm-up. Ends with 1 when a call failed, a worker died, or something grows.
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from served_home import PORT, lua, make_key, make_ready, mallard_server, wrk
from server_processes import workers
from trend import Trend, trend

from features.contracts.home import Home

HERE = Path(__file__).parent
CONNECTIONS = 8
_FEWEST_LOOKS = 8
_FALL_MB = 16
_COUNTS_MAY_RISE = 8  # a pool starts its threads, and a thread its connection, when it first needs them


@dataclass(frozen=True)
class Look:
    """One worker at one moment."""

    seconds: float  # since the load began
    worker: int
    own_mb: float
    private_mb: float
    files: int
    threads: int


def main() -> None:
    """Load, look, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("var/bench-serve"), help="where the mall and the bundle lie")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=int, default=200, help="calls per second")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--window", type=int, default=20, help="seconds of which the p99 is told")
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two looks at the workers")
    parser.add_argument("--warm-up", type=float, default=0.25, help="share of the time that is not judged")
    parser.add_argument("--allow", type=float, default=20.0, help="MB per hour and worker that are no growth")
    parser.add_argument("--out", type=Path, help="result as JSON")
    chosen = parser.parse_args()
    if chosen.minutes * 60 * (1 - chosen.warm_up) < _FEWEST_LOOKS * chosen.every:
        parser.error(f"--minutes {chosen.minutes:g} leaves fewer than {_FEWEST_LOOKS} looks after the warm-up")
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed; it is a Debian package: apt-get install wrk")
    mallard = Path(sys.executable).with_name("mallard")
    work: Path = chosen.work.resolve()
    home = Home(work / "var", HERE.parent / "configs", work / "mlruns")
    make_ready(mallard, home, work)
    with tempfile.TemporaryDirectory() as folder, mallard_server(mallard, home, chosen.workers) as (server, _):
        load = Load(Path(folder), work / "users.txt", make_key(mallard, home), chosen.rate)
        watch = Watch(server, chosen.every)
        windows = load.run(chosen.minutes * 60, chosen.window)
        looks = watch.end()
    result = judged(looks, windows, chosen.minutes * 60 * chosen.warm_up, chosen.allow)
    show(looks, windows, result)
    if chosen.out:
        told = {**result, "windows": windows, "looks": [asdict(look) for look in looks]}
        chosen.out.write_text(json.dumps(told, indent=1), encoding="utf-8")
    sys.exit(0 if result["verdict"] == "flat" and not result["failed"] else 1)


class Load:
    """Calls at a fixed rate, window after window."""

    def __init__(self, folder: Path, users: Path, key: str, rate: int) -> None:
        self._folder, self._users, self._key, self._rate = folder, users, key, rate

    def run(self, seconds: float, window: int) -> list[dict[str, float]]:
        """Ask for so long; what each window was like.

        ``wrk`` pauses between an answer and the next call: the pause is what the rate leaves beside the answers of
        the window before.
        """
        begun, windows = time.monotonic(), []
        pause = due = CONNECTIONS * 1000 / self._rate
        while (left := seconds - (time.monotonic() - begun)) > 1:
            at = round(time.monotonic() - begun, 1)
            script = lua(self._folder, self._users, self._key, pause)
            windows.append({"seconds": at, **wrk(PORT, CONNECTIONS, max(round(min(window, left)), 1), script)})
            if windows[-1]["per_second"]:
                pause = max(pause + due - CONNECTIONS * 1000 / windows[-1]["per_second"], 1.0)
        return windows


class Watch:
    """A thread that looks at the workers of a server."""

    def __init__(self, server: int, every: float) -> None:
        self._server, self._every = server, every
        self._begun = time.monotonic()
        self._looks: list[Look] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def end(self) -> list[Look]:
        """All that was seen."""
        self._over.set()
        self._thread.join()
        return self._looks

    def _watch(self) -> None:
        while True:
            for worker in workers(self._server):
                try:
                    self._looks.append(self._look(worker))
                except (FileNotFoundError, ProcessLookupError):
                    continue  # it died meanwhile; another id in its place tells
            if self._over.wait(self._every):
                return

    def _look(self, worker: int) -> Look:
        process = Path(f"/proc/{worker}")
        rollup = dict(re.findall(r"(\w+):\s+(\d+) kB", (process / "smaps_rollup").read_text(encoding="utf-8")))
        own = int(rollup["Private_Dirty"]) / 1024
        return Look(
            seconds=round(time.monotonic() - self._begun, 1),
            worker=worker,
            own_mb=round(own, 2),
            private_mb=round(own + int(rollup["Private_Clean"]) / 1024, 2),
            files=sum(1 for _ in (process / "fd").iterdir()),
            threads=sum(1 for _ in (process / "task").iterdir()),
        )


def judged(looks: list[Look], windows: list[dict[str, float]], warm: float, allowed: float) -> dict[str, Any]:
    """Trends by worker after ``warm`` seconds, and the verdict."""
    by_worker: dict[int, list[Look]] = defaultdict(list)
    for look in looks:
        by_worker[look.worker].append(look)
    first, last = looks[0].seconds, looks[-1].seconds
    stayed = [seen for seen in by_worker.values() if seen[0].seconds - first < 1 and last - seen[-1].seconds < 1]
    workers, reasons = {}, []
    if len(stayed) < len(by_worker):
        reasons.append(f"{len(by_worker) - len(stayed)} of {len(by_worker)} workers did not live from begin to end")
    for seen in stayed:
        warmed = [look for look in seen if look.seconds >= warm]
        stretch = longest_stretch(warmed)
        found = trend([look.seconds for look in stretch], [look.own_mb for look in stretch])
        workers[seen[0].worker] = asdict(found)
        if found.grows(allowed):
            reasons.append(f"memory of worker {seen[0].worker}: {_shown(found)}")
        for name in ("files", "threads"):
            counts = [getattr(look, name) for look in warmed]
            quarter = max(len(counts) // 4, 1)
            if min(counts[-quarter:]) > max(counts[:quarter]) + _COUNTS_MAY_RISE:
                reasons.append(f"{name} of worker {seen[0].worker}: {counts[0]} became {counts[-1]}")
    verdict = "grows" if reasons else "flat"
    return {
        "verdict": verdict,
        "reasons": reasons,
        "failed": sum(window["failed"] for window in windows),
        "own_mb_per_hour": workers,
    }


def longest_stretch(looks: list[Look]) -> list[Look]:
    """The looks between two falls of memory: what goes back to the system at once would hide what grows beside it."""
    stretches = [looks[:1]]
    for before, look in pairwise(looks):
        if look.own_mb < before.own_mb - _FALL_MB:
            stretches.append([])
        stretches[-1].append(look)
    return max(stretches, key=len)


def show(looks: list[Look], windows: list[dict[str, float]], result: dict[str, Any]) -> None:
    """A line per window and worker, and the verdict."""
    print(f"{'seconds':>8}{'per s':>8}{'p99 ms':>8}{'failed':>8}{'worker':>9}", end="")
    print(f"{'own MB':>9}{'private MB':>12}{'files':>7}{'threads':>9}")
    for window in windows:
        later = [look for look in looks if look.seconds >= window["seconds"]]
        head = f"{window['seconds']:8.0f}{window['per_second']:8.0f}{window['p99_ms']:8.1f}{window['failed']:8.0f}"
        for look in {look.worker: look for look in reversed(later)}.values():
            print(f"{head}{look.worker:9}{look.own_mb:9.1f}{look.private_mb:12.1f}{look.files:7}{look.threads:9}")
            head = " " * len(head)
    for worker, found in result["own_mb_per_hour"].items():
        print(f"worker {worker}: {_shown(Trend(**found))}")
    print(f"failed: {result['failed']:.0f}")
    print(f"verdict: {result['verdict']}" + "".join(f"\n  {reason}" for reason in result["reasons"]))


def _shown(found: Trend) -> str:
    return f"{found.per_hour:+.1f} MB an hour, 95 % interval [{found.low:+.1f}, {found.high:+.1f}]"


if __name__ == "__main__":
    main()
