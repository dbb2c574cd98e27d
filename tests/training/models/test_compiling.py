"""Machine code that is kept belongs to the code that is there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from training.models import compiling

INNER = "from compiling import N, compiled\n\n@compiled((N,))\ndef step(x):\n    return x + {step}\n"
OUTER = (
    "import sys\nfrom compiling import N, compiled\nfrom compiled_inner import step\n\n"
    "@compiled((N,))\ndef twice(x):\n    return step(step(x))\n\n"
    "print(twice(0), sum(twice.stats.cache_hits.values()))\n"
)


def test_a_change_of_a_loop_that_another_file_calls_is_seen(tmp_path: Path) -> None:
    shutil.copy(compiling.__file__, tmp_path / "compiling.py")
    (tmp_path / "compiled_outer.py").write_text(OUTER, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA")}

    def run(step: int) -> list[str]:
        (tmp_path / "compiled_inner.py").write_text(INNER.format(step=step), encoding="utf-8")
        command = [sys.executable, "-B", "compiled_outer.py"]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
        ).stdout.split()

    assert run(1) == ["2", "0"]
    assert run(1) == ["2", "1"], "nothing changed: what was kept is used"
    assert run(5) == ["10", "0"]
