"""Where workers count together: in memory, gone with the server, and swept up after one that was killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from serving.api import metrics_folder
from serving.api.metrics_folder import shared_between_workers

KILLED = """
import os, signal
from serving.api.metrics_folder import shared_between_workers
with shared_between_workers() as folder:
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_lies_in_memory_and_ends_with_the_server() -> None:
    # A mapped write to a full disk kills the process, which only a file system that is really full can show, and it
    # takes an administrator to make one. Here: no file of the folder lies on the disk.
    with shared_between_workers() as folder:
        assert folder.parent == Path("/dev/shm")
        assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(folder)
        (folder / "counter_1.db").touch()
    assert not folder.exists()
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ


def test_what_a_killed_server_left_is_swept_and_what_is_used_stays() -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL
    left = Path(ended.stdout.strip())
    assert left.is_dir()
    with shared_between_workers() as mine:
        assert not left.exists()
        with shared_between_workers() as other:
            assert mine.is_dir()
            assert other.is_dir()


def test_a_system_without_such_a_place_counts_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_folder, "_MEMORY", Path("/nowhere"))
    with shared_between_workers() as folder:
        assert folder.is_dir()
