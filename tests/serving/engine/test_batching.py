"""Questions that are answered together get what each would get alone, and none waits past its time."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from features.contracts.errors import UnknownNameError
from features.contracts.home import Home
from serving.engine.asking import Ask, Degraded, Recommendation, RequestedFilters, SessionEvent
from serving.engine.batching import Batcher
from serving.engine.config import EngineConfig
from serving.engine.observing import followers
from serving.engine.placements import load_placements
from serving.engine.recommend import RecommendEngine
from serving.store import Consent, OnlineStore, Visitor, open_store
from tests.serving.small_mall import MIDNIGHT

NOW = MIDNIGHT.timestamp() + 3600


@pytest.fixture
def store(home: Home) -> Iterator[OnlineStore]:
    opened = open_store(home)
    yield opened
    opened.close()


@pytest.fixture
def engine(home: Home, store: OnlineStore) -> RecommendEngine:
    """Answers are named alike, so that what chance decides by the name comes out alike."""
    made = RecommendEngine(home, store, load_placements(), EngineConfig(), clock=lambda: NOW, new_id=lambda: "same")
    made.refresh()
    return made


def mixed_questions(store: OnlineStore) -> list[Ask]:
    store.set_consent("u05", Consent(personalization=False))
    users = [Visitor(user_id=f"u{n:02}") for n in range(12)]
    asks = [Ask(user, placement=place) for user in users for place in ("home", "push", "discover")]
    asks += [
        Ask(None),
        Ask(users[0], n=7, filters=RequestedFilters(price_max=20.0)),
        Ask(users[1], placement="cart", item_ids=("i02", "i06")),
        Ask(Visitor(anonymous_id="device"), session=(SessionEvent("i01"), SessionEvent("i05"))),
        Ask(users[2], explain=True, n=20),
        Ask(Visitor(user_id="stranger"), exclude=("i01", "i02")),
    ]
    return asks


def test_a_batch_answers_each_question_as_if_it_were_alone(engine: RecommendEngine, store: OnlineStore) -> None:
    asks = mixed_questions(store)
    alone = [engine.recommend(ask) for ask in asks]
    assert engine.recommend_many(asks) == alone
    assert engine.recommend_many(asks[::-1]) == alone[::-1]


def test_questions_of_many_callers_are_answered_together_and_each_gets_its_own(
    engine: RecommendEngine, store: OnlineStore
) -> None:
    asks = mixed_questions(store)
    alone = [engine.recommend(ask) for ask in asks]

    async def all_at_once() -> list[Recommendation]:
        batcher = Batcher(engine, batch_size=8, deadline=60.0)
        try:
            return list(await asyncio.gather(*(batcher.recommend(ask) for ask in asks)))
        finally:
            batcher.close()

    assert asyncio.run(all_at_once()) == alone


def test_who_follows_a_question_is_told_of_the_stages_of_its_batch_and_nobody_else(engine: RecommendEngine) -> None:
    told: dict[str, list[tuple[str, int]]] = {"u01": [], "u02": [], "u03": []}

    async def asked(batcher: Batcher, user: str, *, followed: bool) -> None:
        if followed:
            followers.set((lambda name, seconds, questions: told[user].append((name, questions)),))
        await batcher.recommend(Ask(Visitor(user_id=user)))

    async def one_after_three() -> None:
        batcher = Batcher(engine, batch_size=8, deadline=60.0)
        # The first is answered alone; the two that wait meanwhile are answered together.
        users = {"u01": True, "u02": True, "u03": False}
        await asyncio.gather(*(asked(batcher, user, followed=followed) for user, followed in users.items()))
        await asked(batcher, "u04", followed=False)
        batcher.close()

    asyncio.run(one_after_three())
    names = ["prepare", "retrieve", "rank", "rules", "reasons"]
    assert told == {"u01": [(name, 1) for name in names], "u02": [(name, 2) for name in names], "u03": []}


def test_a_caller_who_goes_away_leaves_the_others_their_answers(engine: RecommendEngine) -> None:
    async def one_leaves() -> list[Recommendation | BaseException]:
        batcher = Batcher(engine, batch_size=4, deadline=60.0)
        tasks = [asyncio.create_task(batcher.recommend(Ask(Visitor(user_id=f"u{n:02}")))) for n in range(10)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        try:
            return await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            batcher.close()

    came = asyncio.run(one_leaves())
    assert [isinstance(answer, asyncio.CancelledError) for answer in came] == [n == 3 for n in range(10)]
    assert all(answer.items for answer in came if isinstance(answer, Recommendation))


def test_an_unknown_placement_is_said_at_once(engine: RecommendEngine) -> None:
    async def ask() -> None:
        batcher = Batcher(engine, batch_size=4, deadline=60.0)
        try:
            await batcher.recommend(Ask(placement="moon"))
        finally:
            batcher.close()

    with pytest.raises(UnknownNameError, match="moon"):
        asyncio.run(ask())


def test_late_questions_get_trending_items_and_the_others_are_ranked(engine: RecommendEngine) -> None:
    asks = [Ask(Visitor(user_id=f"u{n:02}")) for n in range(4)]
    answers = engine.recommend_many(asks, late=[True, False, True, False])
    assert [Degraded.DEADLINE in answer.degraded for answer in answers] == [True, False, True, False]
    assert [answer.personalized for answer in answers] == [False, True, False, True]
    assert all(len(answer.items) == 5 for answer in answers)


def test_the_blend_ranks_when_the_deadline_passes_before_the_ranker(engine: RecommendEngine) -> None:
    (answer,) = engine.recommend_many([Ask(Visitor(user_id="u03"))], deadline=time.perf_counter() - 1)
    live = engine._versions.current.live
    assert live is not None
    learnt = live.recommender.ranker is not None
    assert (Degraded.DEADLINE in answer.degraded) == learnt
    assert len(answer.items) == 5
    assert answer.personalized


def test_a_worker_that_was_slow_once_comes_back_to_whole_answers(engine: RecommendEngine) -> None:
    async def again_and_again() -> list[bool]:
        batcher = Batcher(engine, batch_size=4, deadline=5.0)
        batcher._expected = 60.0  # as after a pause of the machine
        try:
            answers = [await batcher.recommend(Ask(Visitor(user_id="u03"))) for _ in range(60)]
        finally:
            batcher.close()
        return [Degraded.DEADLINE in answer.degraded for answer in answers]

    late = asyncio.run(again_and_again())
    assert late[0]
    assert not late[-1]


def test_a_failure_is_told_to_all_who_asked_together_and_the_next_are_answered(
    engine: RecommendEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    async def asked() -> tuple[list[Recommendation | BaseException], Recommendation]:
        batcher = Batcher(engine, batch_size=4, deadline=60.0)
        try:
            with monkeypatch.context() as broken:
                broken.setattr(engine, "recommend_many", breaks)
                broken.setattr(RecommendEngine, "has_shadow_work", True)
                broken.setattr(engine, "shadow", breaks)
                users = [Ask(Visitor(user_id=f"u{n:02}")) for n in range(3)]
                failed = await asyncio.gather(*(batcher.recommend(ask) for ask in users), return_exceptions=True)
                while not caplog.records:
                    await asyncio.sleep(0.001)
            return failed, await batcher.recommend(Ask(Visitor(user_id="u01")))
        finally:
            batcher.close()

    failed, answer = asyncio.run(asked())
    assert [type(each) for each in failed] == [ZeroDivisionError] * 3
    assert answer.items
    assert "shadow" in caplog.text
