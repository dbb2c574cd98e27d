"""An erasure that is killed in the middle and taken again ends as one that was not."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from features.contracts.home import Home
from serving.erasure import Jobs, ask_to_erase
from serving.store import OnlineStore
from tests.serving.erasure.malls import NOW, USER, files_that_name_him
from tests.serving.erasure.test_erase import but_models, erased
from tests.serving.servers import ROOT

#: Erases what is pending, and kills itself when the n-th file is put in its place (or removed).
_SCRIPT = """
import os, signal, sys
from pathlib import Path
left = int(sys.argv[1])
def counted(step):
    def run(self, *rest, **more):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        done = step(self, *rest, **more)
        return done
    return run
for name in ("replace", "rename", "unlink"):
    setattr(Path, name, counted(getattr(Path, name)))
from serving.cli import main
sys.argv = ["mallard", "--quiet", "erase", "--pending"]
main()
"""


def run(home: Home, *, steps: int) -> int:
    """Finish what is pending in a process of its own that ends after ``steps`` changes of files."""
    environment = {**os.environ, "MALLARD_HOME": str(home.root), "MALLARD_CONFIGS": str(home.configs)}
    command = [sys.executable, "-c", _SCRIPT, str(steps)]
    return subprocess.run(command, env=environment, cwd=ROOT, check=False, capture_output=True).returncode


def found_by(home: Home) -> dict[str, int]:
    (erasure,) = [file.parent.name for file in home.erasures.glob("*/receipt.json")]
    receipt = Jobs(home).receipt(erasure)
    assert receipt is not None
    return {what: count for removed in receipt.removed for what, count in removed.found.items()}


def test_killed_at_many_moments_it_goes_on_and_counts_what_was_there(home: Home, store: OnlineStore) -> None:
    ask_to_erase(home, store, USER, now=NOW)
    chance, kills = random.Random(5), 0
    while run(home, steps=chance.randint(2, 10)) == -signal.SIGKILL:
        kills += 1
        assert kills < 60
    assert kills >= 6
    assert Jobs(home).pending() == []
    assert but_models(files_that_name_him(home.root)) == {}
    found = found_by(home)
    assert found["lake/events"] > 20
    assert (found["online/served"], found["lake/flags"], found["mails/lists.parquet"]) == (2, 1, 2)


def test_what_it_finds_is_what_one_that_was_not_killed_finds(home: Home, store: OnlineStore) -> None:
    ask_to_erase(home, store, USER, now=NOW)
    assert run(home, steps=60) == -signal.SIGKILL
    (folder,) = [file.parent for file in home.erasures.glob("*/job.json")]
    before = json.loads((folder / "job.json").read_text())["removals"]
    assert run(home, steps=100_000) == 0
    for removal in before.values():
        assert removal["found"].items() <= found_by(home).items()
    assert not (folder / "job.json").exists()


@pytest.mark.parametrize("moment", [0.2])
def test_a_real_kill_from_outside(home: Home, store: OnlineStore, moment: float) -> None:
    ask_to_erase(home, store, USER, now=NOW)
    environment = {**os.environ, "MALLARD_HOME": str(home.root), "MALLARD_CONFIGS": str(home.configs)}
    command = [sys.executable, "-m", "serving.cli", "erase", "--pending"]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (home.erasures / "working.lock").exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(moment)
    process.kill()
    process.wait()
    erased(home, store)
    assert but_models(files_that_name_him(home.root)) == {}
