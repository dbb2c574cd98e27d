"""What a row of a benchmark cost: wall seconds and the highest memory of the process while it ran."""

import resource
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_MEMORY_FILE = Path("/proc/self/statm")
_INTERVAL_SECONDS = 0.02
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Cost:
    """Wall time and peak resident memory of the whole process, MiB."""

    seconds: float = 0.0
    peak_mb: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        """One thing after the other: times add up, the peak is the higher one."""
        return Cost(self.seconds + other.seconds, max(self.peak_mb, other.peak_mb))


class Meter:
    """``with Meter() as meter: ...`` then ``meter.cost``. A thread samples the resident memory every 20 ms.

    Where ``/proc`` is missing the peak is that of the process so far.
    """

    def __init__(self) -> None:
        self.cost = Cost()
        self._done = threading.Event()
        self._peak = 0.0
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._peak = resident_mb()
        self._started = time.perf_counter()
        self._sampler.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = time.perf_counter() - self._started
        self._done.set()
        self._sampler.join()
        self.cost = Cost(seconds, max(self._peak, resident_mb()))

    def _sample(self) -> None:
        while not self._done.wait(_INTERVAL_SECONDS):
            self._peak = max(self._peak, resident_mb())


def resident_mb() -> float:
    """Resident memory of this process now, MiB (its peak so far where ``/proc`` is missing)."""
    if _MEMORY_FILE.exists():
        pages = int(_MEMORY_FILE.read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize() / _MIB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / _MIB if sys.platform == "darwin" else peak / 1024
