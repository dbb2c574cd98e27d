"""Workers are forked from one process that has imported everything, and none outlives who watches it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from features.contracts.home import Home
from tests.serving.servers import ROOT, Processes, in_processes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers are spawned")
PATIENCE = 60.0


def children(process: int) -> list[int]:
    lines = [status.read_text(encoding="utf-8") for status in Path("/proc").glob("[0-9]*/stat") if status.exists()]
    fields = [(int(line.split(" ", 1)[0]), line.rpartition(")")[2].split()) for line in lines]
    return [pid for pid, (state, parent, *_) in fields if int(parent) == process and state != "Z"]


def loader_of(server: int) -> int:
    (loader,) = [pid for pid in children(server) if b"forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return loader


def workers_of(server: int) -> list[int]:
    return children(loader_of(server))


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if condition():
                return
        except (OSError, ValueError, httpx.TransportError):
            pass  # it died, or is not there yet
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


def healthy(server: Processes) -> bool:
    return server.client.get("/healthz").status_code == 200


def test_what_workers_are_forked_from_has_one_thread_and_everything_that_they_need() -> None:
    script = """
import gc, os, signal, sys
import serving.api.preload
print(len(os.listdir("/proc/self/task")), gc.isenabled(), gc.get_freeze_count() > 100_000)
print([name for name in ("pandas", "sklearn") if name in sys.modules])
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.raise_signal(number)
before = set(sys.modules)
child = os.fork()
if not child:
    told = [signal.getsignal(each) is signal.SIG_DFL for each in (signal.SIGTERM, signal.SIGHUP)]
    import serving.api.app, serving.engine.recommend, training.models.recommend_bundle
    grandchild = os.fork()
    if grandchild:
        told.append(os.waitpid(grandchild, 0)[1] == 0)
        print(all(told), set(sys.modules) == before, flush=True)
    os._exit(0)
print(os.waitpid(child, 0)[1], flush=True)
os._exit(0)
"""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS")}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == sorted(["1 True True", "[]", "True True", "0"])


def test_a_killed_worker_is_replaced_and_so_is_what_it_was_forked_from(home: Home) -> None:
    with in_processes(home, workers=2) as server:
        pid = server.process.pid
        until(lambda: len(workers_of(pid)) == 2)
        loader, (first, second) = loader_of(pid), workers_of(pid)
        os.kill(first, signal.SIGKILL)
        until(lambda: len(workers_of(pid)) == 2 and first not in workers_of(pid))
        assert (loader_of(pid), second in workers_of(pid)) == (loader, True)
        assert healthy(server)
        before = workers_of(pid)
        os.kill(loader, signal.SIGKILL)
        until(lambda: loader_of(pid) != loader and len(workers_of(pid)) == 2)
        until(lambda: healthy(server))
        assert not [worker for worker in before if worker in workers_of(pid)]
        until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in before))


@pytest.mark.parametrize(
    ("ending", "whole_group", "code"),
    [
        (signal.SIGTERM, False, 0),
        (signal.SIGTERM, True, 0),
        (signal.SIGINT, True, 0),
        (signal.SIGKILL, False, -signal.SIGKILL),
    ],
)
def test_workers_end_with_the_server_however_it_ends(
    home: Home, ending: signal.Signals, whole_group: bool, code: int
) -> None:
    with in_processes(home, workers=2) as server:
        pid = server.process.pid
        until(lambda: len(workers_of(pid)) == 2)
        everyone = [loader_of(pid), *workers_of(pid)]
        if whole_group:
            os.killpg(pid, ending)
        else:
            os.kill(pid, ending)
        assert server.process.wait(PATIENCE) == code
        until(lambda: not any(Path(f"/proc/{each}").exists() for each in everyone))


def test_hang_up_replaces_the_workers_one_by_one_and_answers_meanwhile(home: Home) -> None:
    with in_processes(home, workers=2) as server:
        pid = server.process.pid
        until(lambda: len(workers_of(pid)) == 2)
        before = set(workers_of(pid))
        server.process.send_signal(signal.SIGHUP)
        until(lambda: healthy(server) and len(now := set(workers_of(pid))) == 2 and not now & before)
