"""How long work tells a person where it stands, without knowing who listens.

Code reports to :func:`track` or :func:`step`; the command line installs a bar, tests and servers install nothing.
"""

from collections.abc import Iterable, Iterator, Sized
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Task(Protocol):
    """One bar."""

    def advance(self, amount: float = 1) -> None: ...


class Reporter(Protocol):
    """Draws bars and lines; the command line has one over ``rich``."""

    def task(self, description: str, total: float | None, unit: str) -> AbstractContextManager[Task]: ...

    def say(self, message: str) -> None: ...


class _Silence:
    def advance(self, amount: float = 1) -> None:
        return None

    def task(self, description: str, total: float | None, unit: str) -> AbstractContextManager[Task]:
        return nullcontext(self)

    def say(self, message: str) -> None:
        return None


_SILENCE = _Silence()
_reporter: ContextVar[Reporter | None] = ContextVar("reporter", default=None)


@contextmanager
def reporting(reporter: Reporter) -> Iterator[None]:
    """Send progress to ``reporter`` inside the block."""
    token = _reporter.set(reporter)
    try:
        yield
    finally:
        _reporter.reset(token)


def step(description: str, total: float | None = None, unit: str = "") -> AbstractContextManager[Task]:
    """A piece of work: ``with step("reading", total=rows, unit="rows") as task: task.advance(n)``."""
    return (_reporter.get() or _SILENCE).task(description, total, unit)


def track(items: Iterable[Item], description: str, total: float | None = None, unit: str = "") -> Iterator[Item]:
    """Yield ``items`` and advance a bar by one for each."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with step(description, total, unit) as task:
        for item in items:
            yield item
            task.advance()


def say(message: str) -> None:
    """A line for the person who waits."""
    (_reporter.get() or _SILENCE).say(message)
