"""Real servers for tests: one in a thread, or as many processes as wanted."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from features.contracts.home import Home

ROOT = Path(__file__).parents[2]


@contextmanager
def in_thread(app: FastAPI, *, protocol: str = "serving.api.wire:OneWriteProtocol") -> Iterator[str]:
    """Serve ``app`` on a free port for as long as the block lasts; gives the address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, http=protocol, log_level="critical", lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@dataclass
class Processes:
    """A server of its own process group, and a client that connects anew each time, so that any worker may answer."""

    client: httpx.Client
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """End everything at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def in_processes(home: Home, *, workers: int) -> Iterator[Processes]:
    """Serve ``home`` by ``workers`` processes, ready when the block begins."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "MALLARD_HOME": str(home.root),
        "MALLARD_CONFIGS": str(home.configs),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "serving.cli", "--quiet", "serve", "--no-refresh", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--workers", str(workers)],
        env=environment,
        cwd=ROOT,
        start_new_session=True,
    )
    anew = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", limits=anew, timeout=30) as client:
        running = Processes(client, process)
        try:
            _wait_until_ready(running)
            yield running
        finally:
            if process.poll() is None:
                running.kill()


def _wait_until_ready(running: Processes) -> None:
    for _ in range(600):
        assert running.process.poll() is None, "the server ended while it started"
        try:
            if running.client.get("/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the server did not become ready")
