"""Questions that arrive while others are answered wait a moment and are answered together.

One thread per worker does all the ranking: two would only take turns at Python's lock, at the price of every switch. So
under load a batch forms by itself, and without load a question is a batch of one that waits for nobody.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from queue import SimpleQueue

from serving.engine.asking import Ask, Recommendation
from serving.engine.observing import Follower, followers
from serving.engine.recommend import RecommendEngine

_LOG = logging.getLogger(__name__)

#: Weight of the newest batch in the estimate of what a batch takes.
_NEWEST = 0.2


@dataclass(frozen=True, slots=True)
class _Waiting:
    ask: Ask
    answer: asyncio.Future[Recommendation]
    deadline: float  # of time.perf_counter
    followers: tuple[Follower, ...]


class Batcher:
    """Answers through one engine. To be used from one event loop."""

    def __init__(self, engine: RecommendEngine, *, batch_size: int, deadline: float) -> None:
        """``batch_size`` questions at most are answered together; ``deadline``: seconds that an answer may take."""
        self._engine, self._size, self._deadline = engine, batch_size, deadline
        # No executor: it hands every batch over by two futures, and comes back by one more turn of the event loop.
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._rank, name="ranking", daemon=True)
        self._thread.start()
        self._waiting: deque[_Waiting] = deque()
        self._busy = False
        self._expected = 0.0  # seconds that a batch takes

    async def recommend(self, ask: Ask) -> Recommendation:
        """What the engine answers. Raises :class:`UnknownNameError` for a placement that does not exist."""
        self._engine.placement_of(ask)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Recommendation] = loop.create_future()
        self._waiting.append(_Waiting(ask, answer, time.perf_counter() + self._deadline, followers.get()))
        if not self._busy:
            self._next(loop)
        return await answer

    def close(self) -> None:
        """Answer what is being answered, and end the thread. To be called when nobody asks any more."""
        self._work.put(None)
        self._thread.join()

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = [self._waiting.popleft() for _ in range(min(self._size, len(self._waiting)))]
        self._busy = bool(batch) or self._engine.has_shadow_work
        if batch:
            self._work.put(lambda: self._answer(loop, batch))
        elif self._busy:
            self._work.put(lambda: self._ask_shadow(loop))

    def _rank(self) -> None:
        """What the ranking thread does for as long as it lives."""
        while (work := self._work.get()) is not None:
            work()

    def _answer(self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Waiting]) -> None:
        """Answer ``batch``, and let the event loop hand the answers out."""
        answers: Sequence[Recommendation] = ()
        failure: BaseException | None = None
        try:
            answers = self._ranked(batch)
        except BaseException as error:
            failure = error
        loop.call_soon_threadsafe(self._hand_out, loop, batch, answers, failure)

    def _ranked(self, batch: Sequence[_Waiting]) -> list[Recommendation]:
        start = time.perf_counter()
        late = [each.deadline - start < self._expected for each in batch]
        # Each waits for the whole batch: whoever follows one question is told of every stage.
        followed = followers.set(tuple(chain.from_iterable(each.followers for each in batch)))
        try:
            answers = self._engine.recommend_many(
                [each.ask for each in batch], late=late, deadline=min(each.deadline for each in batch)
            )
        finally:
            followers.reset(followed)
        if all(late):
            # Nothing was learnt about full answers. Doubt the estimate, or after one slow moment all would be simple.
            self._expected *= 0.9
        else:
            self._expected += _NEWEST * (time.perf_counter() - start - self._expected)
        return answers

    def _hand_out(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: Sequence[_Waiting],
        answers: Sequence[Recommendation],
        failure: BaseException | None,
    ) -> None:
        for place, each in enumerate(batch):
            if each.answer.done():  # whoever asked has gone away
                continue
            if failure is not None:
                each.answer.set_exception(failure)
            else:
                each.answer.set_result(answers[place])
        self._next(loop)

    def _ask_shadow(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            self._engine.shadow()
        except Exception:
            # Nobody waits for it, and what was to be compared is gone from the queue.
            _LOG.exception("the version in the shadow could not be asked")
        loop.call_soon_threadsafe(self._next, loop)
