"""Progress for people: bars on a terminal, plain lines in a log. Always on standard error.

Work under two seconds is not worth a bar; longer work shows what is done, how fast, and how long it will take.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from features.contracts import progress as contract

WORTH_A_BAR = 2.0  # seconds
_LINE_EVERY = 10.0  # seconds between lines of one piece of work in a log

Clock = Callable[[], float]


def reporter(console: Console | None = None) -> "BarReporter | LineReporter":
    """Bars when standard error is a terminal, else lines."""
    console = console or Console(stderr=True, highlight=False)
    return BarReporter(console) if console.is_terminal else LineReporter()


class BarReporter:
    """Bars that come after :data:`WORTH_A_BAR` and leave one line when their work is done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = _PatientProgress(console)
        self._open = 0

    @contextmanager
    def task(self, description: str, total: float | None, unit: str) -> Iterator[contract.Task]:
        """Draw one piece of work for as long as the block lasts."""
        started = time.monotonic()
        identity = self._bars.add_task(description, total=total, unit=unit)
        bar = _Bar(self._bars, identity)
        self._open += 1
        if self._open == 1:
            self._bars.start()
        try:
            yield bar
        except BaseException:
            self._close(identity)
            raise
        self._close(identity)
        seconds = time.monotonic() - started
        if seconds >= WORTH_A_BAR:
            line = summary(description, bar.done, unit, seconds)
            self._console.print(Text.assemble(("✓ ", "green"), line), highlight=False)

    def say(self, message: str) -> None:
        """A line above the bars."""
        self._console.print(Text(message), highlight=False)

    def _close(self, identity: TaskID) -> None:
        self._bars.remove_task(identity)
        self._open -= 1
        if not self._open:
            self._bars.stop()


class _Bar:
    def __init__(self, bars: Progress, identity: TaskID) -> None:
        self._bars = bars
        self._identity = identity
        self.done = 0.0

    def advance(self, amount: float = 1) -> None:
        self.done += amount
        self._bars.advance(self._identity, amount)


class _PatientProgress(Progress):
    """Shows a piece of work only when it has lasted long enough."""

    def __init__(self, console: Console) -> None:
        super().__init__(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            _Pace(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )

    def make_tasks_table(self, tasks: Iterable[Task]) -> Table:
        return super().make_tasks_table([task for task in tasks if (task.elapsed or 0) >= WORTH_A_BAR])


class _Pace(TextColumn):
    """Done of total, rate, and time left."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        return Text(pace(task.completed, task.total, task.fields["unit"], task.elapsed or 0.0), style="cyan")


class LineReporter:
    """A line when long work ends, and one now and then while it goes on."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock

    def task(self, description: str, total: float | None, unit: str) -> AbstractContextManager[contract.Task]:
        return self._task(description, total, unit)

    @contextmanager
    def _task(self, description: str, total: float | None, unit: str) -> Iterator[contract.Task]:
        work = _Lines(self, description, total, unit, self._clock)
        yield work
        seconds = self._clock() - work.started
        if seconds >= WORTH_A_BAR:
            self.say(summary(description, work.done, unit, seconds))

    def say(self, message: str) -> None:
        """A line on standard error."""
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()


class _Lines:
    def __init__(self, log: LineReporter, description: str, total: float | None, unit: str, clock: Clock) -> None:
        self._log, self._description, self._total, self._unit, self._clock = log, description, total, unit, clock
        self.started = self._last = clock()
        self.done = 0.0

    def advance(self, amount: float = 1) -> None:
        self.done += amount
        now = self._clock()
        if now - self._last >= _LINE_EVERY:
            self._last = now
            self._log.say(f"{self._description}: {pace(self.done, self._total, self._unit, now - self.started)}")


def summary(description: str, done: float, unit: str, seconds: float) -> str:
    """``reading 1.5M rows in 3.1 s (474k rows/s)``."""
    if not done or not unit:
        return f"{description}: {duration(seconds)}"
    return f"{description}: {short(done)} {unit} in {duration(seconds)} ({short(done / seconds)} {unit}/s)"


def pace(done: float, total: float | None, unit: str, seconds: float) -> str:
    """``40 %, 120k rows/s, 12 s left``, as far as it is known."""
    rate = done / seconds if seconds > 0 else 0.0
    parts = []
    if total:
        parts.append(f"{min(done / total, 1):.0%}".replace("%", " %"))
    elif done:
        parts.append(f"{short(done)} {unit}".rstrip())
    if rate and unit:
        parts.append(f"{short(rate)} {unit}/s")
    if rate and total and done < total:
        parts.append(f"{duration((total - done) / rate)} left")
    return ", ".join(parts)


def short(number: float) -> str:
    """A number in at most four signs: ``950``, ``12.5k``, ``1.5M``."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


def duration(seconds: float) -> str:
    """Seconds for people: ``3.1 s``, ``42 s``, ``2 min 5 s``, ``1 h 4 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
