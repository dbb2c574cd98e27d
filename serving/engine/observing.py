"""What whoever watches the engine is told: where the time goes, what the sources found, which version answered."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

#: Told of a stage like :meth:`Observer.stage`, by the thread that answers: it must be quick, and must not fail.
Follower = Callable[[str, float, int], None]

#: Who follows the questions that the running code asks or answers, beside the observer. Whoever asks sets it; the
#: batcher carries it to the thread that answers.
followers: ContextVar[tuple[Follower, ...]] = ContextVar("followers", default=())


class Observer(Protocol):
    """Told about every batch of questions. Called by the thread that answers, so that it must be quick."""

    def stage(self, name: str, seconds: float, questions: int) -> None:
        """A stage of an answer took ``seconds`` for so many questions together."""
        ...

    def candidates(self, found: Mapping[str, int]) -> None:
        """Source -> candidates that it brought to the pools of a batch."""
        ...

    def answered(self, version: str, questions: int, failed: int) -> None:
        """A version answered so many questions, ``failed`` of them with a simpler list because the model broke."""
        ...

    def shadowed(self, version: str, overlap: float) -> None:
        """A version that answers nobody would have shown this share of the items that were shown."""
        ...


class Unwatched:
    """Nobody watches."""

    def stage(self, name: str, seconds: float, questions: int) -> None: ...

    def candidates(self, found: Mapping[str, int]) -> None: ...

    def answered(self, version: str, questions: int, failed: int) -> None: ...

    def shadowed(self, version: str, overlap: float) -> None: ...


@contextmanager
def stage(observer: Observer, name: str, questions: int) -> Iterator[None]:
    """Time what the block does, and tell the observer and who follows the questions."""
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    observer.stage(name, seconds, questions)
    for follower in followers.get():
        follower(name, seconds, questions)
