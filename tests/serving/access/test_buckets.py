"""Token buckets: the rate holds over processes, and slots are given away without a loss."""

import subprocess
import sys
from pathlib import Path

from serving.access.buckets import Buckets
from serving.access.config import RateConfig

SECOND = 1_000_000_000
RATE = RateConfig(per_second=2, burst=3)

TAKE = """
import sys
from pathlib import Path
from serving.access.buckets import Buckets
from serving.access.config import RateConfig
buckets = Buckets(Path(sys.argv[1]))
rate = RateConfig(per_second=0.001, burst=500)
print(sum(buckets.take("caller", rate).allowed for _ in range(400)))
"""


class Clock:
    def __init__(self) -> None:
        self.now = 1_000 * SECOND

    def __call__(self) -> int:
        return self.now


def test_a_bucket_empties_and_fills(tmp_path: Path) -> None:
    clock = Clock()
    buckets = Buckets(tmp_path / "rates", clock=clock)
    assert [buckets.take("a", RATE).remaining for _ in range(3)] == [2, 1, 0]
    refused = buckets.take("a", RATE)
    assert (refused.allowed, refused.wait_seconds) == (False, 0.5)
    assert buckets.take("b", RATE).allowed
    clock.now += SECOND // 2
    assert buckets.take("a", RATE).allowed
    assert not buckets.take("a", RATE).allowed
    buckets.close()


def test_a_clock_set_back_locks_nobody_out_for_longer_than_a_bucket(tmp_path: Path) -> None:
    clock = Clock()
    buckets = Buckets(tmp_path / "rates", clock=clock)
    for _ in range(3):
        buckets.take("a", RATE)
    clock.now -= 500 * SECOND
    assert buckets.take("a", RATE).wait_seconds <= 0.5
    buckets.close()


def test_more_callers_than_slots_take_those_of_full_buckets(tmp_path: Path) -> None:
    clock = Clock()
    buckets = Buckets(tmp_path / "rates", slots=4, clock=clock)
    for _ in range(4):
        buckets.take("busy", RATE)
    for other in range(3):
        assert buckets.take(f"other{other}", RATE).allowed
        clock.now += SECOND // 100
    assert not buckets.take("busy", RATE).allowed
    clock.now += 10 * SECOND
    for late in range(20):
        assert buckets.take(f"late{late}", RATE).allowed
    buckets.close()


def test_two_processes_share_one_bucket(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TAKE, str(tmp_path / "rates")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sum(int(process.communicate(timeout=60)[0]) for process in running) == 500
