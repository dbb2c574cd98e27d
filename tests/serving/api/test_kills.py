"""No acknowledged event is lost and none is stored twice, whatever is killed; the benchmark kills more often."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "kill_events.py"


@pytest.mark.parametrize(("kills", "more"), [(6, []), (8, ["--redis"])])
def test_no_acknowledged_event_is_lost_or_doubled(kills: int, more: list[str]) -> None:
    command = [sys.executable, str(SCRIPT), "--kills", str(kills), "--seed", "7", *more]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    result = json.loads(run.stdout)
    assert sum(result["kills"].values()) == kills
    assert ("redis" in result["kills"]) == ("--redis" in more)
    assert result["acknowledged"] > 0
    assert (result["lost"], result["doubled"]) == (0, 0)
