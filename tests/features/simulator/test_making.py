"""Making a mall: the same for a seed on any number of processes, all of it or nothing."""

import hashlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from features.contracts.errors import InputError
from features.contracts.progress import reporting
from features.simulator import World, make_world, simulate

TINY = World(users=60, items=60, days=5, seed=5, block_users=30)


def contents(folder):
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_a_seed_gives_the_same_bytes_on_any_number_of_processes(tmp_path):
    simulate(TINY, tmp_path / "one" / "mall")
    simulate(TINY, tmp_path / "two" / "mall", processes=2)
    simulate(TINY.model_copy(update={"seed": 6}), tmp_path / "other" / "mall")
    first = contents(tmp_path / "one" / "mall")
    assert first == contents(tmp_path / "two" / "mall")
    assert first != contents(tmp_path / "other" / "mall")
    blocks = {name.rsplit("-", 1)[1] for name in first if name.startswith("events/")}
    assert blocks == {"0000.parquet", "0001.parquet"}


def test_the_number_of_events_is_met(tmp_path):
    mall = simulate(World(users=300, items=100, days=12, events=8_000, seed=2), tmp_path / "mall")
    assert mall.events == pytest.approx(8_000, rel=0.1)
    assert mall.world.visit_scale != 1


def test_a_number_of_events_that_cannot_be_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot bring about 9,000,000 events in 5 days; the nearest is about"):
        simulate(World(users=20, items=50, days=5, events=9_000_000), tmp_path / "mall")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"users": 3}, "users: .*greater than or equal to 10"),
        ({"items": 0}, "items: "),
        ({"days": 1}, "days: "),
        ({"seed": -1}, "seed: "),
        ({"start": "yesterday"}, "start: .*date"),
        ({"start": "1066-10-14"}, "start is 1066-10-14; it must lie between 1990 and 2200"),
        ({"colour": "red"}, "colour: "),
    ],
)
def test_wrong_parameters_are_named(wrong, message):
    with pytest.raises(InputError, match=message):
        make_world(**({"users": 100, "items": 50, "days": 20} | wrong))


def test_a_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="is there already"):
        simulate(TINY, tmp_path)
    with pytest.raises(InputError, match="is there already"):
        simulate(TINY, tmp_path / "mine.txt")
    with pytest.raises(InputError, match="cannot be written"):
        simulate(TINY, tmp_path / "mine.txt" / "mall")
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


class StopAfter:
    """Interrupts on the n-th day, as Ctrl-C does."""

    def __init__(self, days):
        self.days = days

    def task(self, description, total, unit):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def say(self, message):
        return None

    def advance(self, amount=1):
        self.days -= amount
        if self.days < 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("processes", [1, 2])
def test_an_interrupted_run_leaves_nothing(tmp_path, processes):
    with reporting(StopAfter(3)), pytest.raises(KeyboardInterrupt):
        simulate(TINY, tmp_path / "mall", processes=processes)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_run_leaves_no_mall(tmp_path):
    """SIGKILL gives nobody a chance to tidy up: what is left is aside, and the name is free for another run."""
    script = (
        "import os, signal, sys; from pathlib import Path; from features.contracts.progress import reporting;"
        "from features.simulator import World, simulate;"
        "from tests.features.simulator.test_making import StopAfter, TINY;"
        "StopAfter.advance = lambda self, n=1: os.kill(os.getpid(), signal.SIGKILL);"
        "\nwith reporting(StopAfter(0)): simulate(TINY, Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "mall")]
    ended = subprocess.run(command, cwd=Path(__file__).parents[3], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not (tmp_path / "mall").exists()
    assert simulate(TINY, tmp_path / "mall").events > 0
