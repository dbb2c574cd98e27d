"""Questions that arrive while others are answered wait a moment and are answered together.

One thread per worker does all the ranking: two would only take turns at Python's lock, at the price of every switch. So
under load a batch forms by itself, and without load a question is a batch of one that waits for nobody.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from serving.engine.asking import Ask, Recommendation
from serving.engine.observing import Follower, followers
from serving.engine.recommend import RecommendEngine

#: Weight of the newest batch in the estimate of what a batch takes.
_NEWEST = 0.2


@dataclass(frozen=True)
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
        self._thread = ThreadPoolExecutor(1, "ranking")
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
        """Answer what waits, and end the thread."""
        self._thread.shutdown()

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self._busy = True
        batch = [self._waiting.popleft() for _ in range(min(self._size, len(self._waiting)))]
        if batch:
            done = loop.run_in_executor(self._thread, self._answer, batch)
            done.add_done_callback(lambda answered: self._answered(loop, batch, answered))
        elif self._engine.has_shadow_work:
            loop.run_in_executor(self._thread, self._engine.shadow).add_done_callback(lambda _: self._next(loop))
        else:
            self._busy = False

    def _answer(self, batch: Sequence[_Waiting]) -> list[Recommendation]:
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

    def _answered(
        self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Waiting], done: asyncio.Future[list[Recommendation]]
    ) -> None:
        failure = done.exception()
        for place, each in enumerate(batch):
            if each.answer.done():  # whoever asked has gone away
                continue
            if failure is not None:
                each.answer.set_exception(failure)
            else:
                each.answer.set_result(done.result()[place])
        self._next(loop)
