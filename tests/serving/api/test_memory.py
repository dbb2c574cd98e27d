"""What loading took and nobody needs any more goes back to the system."""

import subprocess
import sys

import pytest

from tests.serving.servers import ROOT

_SCRIPT = """
import re
from pathlib import Path
import numpy as np
import pyarrow as pa
from serving.api.memory import give_back

def anonymous():
    return int(re.search(r"Anonymous: +(\\d+)", Path("/proc/self/smaps_rollup").read_text())[1]) / 1024

kept, texts = pa.array(np.arange(1000)), []
before = anonymous()
tables = [pa.array(np.arange(1_000_000)).cast(pa.string()) for _ in range(8)]
texts = [text for table in tables for text in table.slice(0, 100_000).to_pylist()]
took = anonymous() - before
del tables, texts
give_back()
print(took, anonymous() - before, kept[999])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the system is asked by /proc")
def test_what_a_table_took_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True)
    took, left, kept = (float(number) for number in done.stdout.split())
    assert took > 100, "megabytes"
    assert left < took / 5
    assert kept == 999
