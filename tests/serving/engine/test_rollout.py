"""A version on trial: who gets it, when it goes, and that nobody notices a swap."""

import json
import logging
from pathlib import Path

import pytest

from features.contracts.errors import InputError, MissingStateError
from features.contracts.home import Home
from serving.engine.asking import Ask, Degraded
from serving.engine.config import EngineConfig
from serving.engine.guard import Guard, GuardConfig
from serving.engine.observing import Unwatched
from serving.engine.placements import load_placements
from serving.engine.recommend import RecommendEngine
from serving.engine.rollout import Mode, Rollout, end_rollout, read_rollout, start_rollout
from serving.store import OnlineStore, Visitor, open_store
from tests.serving.conftest import WriteBundle
from training.deployment import deploy, placed

USERS = [f"someone{n}" for n in range(400)]


class Watcher(Unwatched):
    """Keeps what it was told about the version in the shadow."""

    def __init__(self) -> None:
        self.overlaps: list[float] = []

    def shadowed(self, version: str, overlap: float) -> None:
        self.overlaps.append(overlap)


@pytest.fixture
def second(home: Home, write_bundle: WriteBundle, tmp_path: Path) -> str:
    return placed(home, write_bundle(tmp_path / "second", "r2")).name


def engine_of(home: Home, store: OnlineStore, **config: object) -> RecommendEngine:
    made = RecommendEngine(home, store, load_placements(), EngineConfig.model_validate(config))
    made.refresh()
    return made


def versions(engine: RecommendEngine) -> dict[str, str | None]:
    return {user: engine.recommend(Ask(Visitor(user_id=user))).model_version for user in USERS}


def test_a_canary_answers_its_share_of_users_and_always_the_same_ones(home: Home, second: str) -> None:
    store = open_store(home)
    engine = engine_of(home, store)
    start_rollout(home, second, 0.25)
    assert set(versions(engine).values()) == {"r1"}
    engine.refresh()
    assert engine.trial_version == "r2"
    drawn = versions(engine)
    assert 0.15 < sum(v == "r2" for v in drawn.values()) / len(USERS) < 0.35
    assert versions(engine) == drawn
    assert engine.recommend(Ask(None)).model_version == "r1"
    end_rollout(home, "enough")
    engine.refresh()
    assert set(versions(engine).values()) == {"r1"}
    store.close()


def test_another_version_draws_other_users() -> None:
    first, other = (Rollout(name, Mode.CANARY, 0.5, 0) for name in ("a", "b"))
    differs = sum(first.takes(user) != other.takes(user) for user in USERS)
    assert 100 < differs < 300
    assert all(Rollout("a", Mode.CANARY, 0.9, 0).takes(user) for user in USERS if first.takes(user))


def test_a_shadow_answers_nobody_and_is_compared(home: Home, second: str) -> None:
    store, watcher = open_store(home), Watcher()
    engine = RecommendEngine(home, store, load_placements(), EngineConfig(), observer=watcher)
    start_rollout(home, second, 1.0, Mode.SHADOW)
    engine.refresh()
    assert {engine.recommend(Ask(Visitor(user_id=user))).model_version for user in USERS[:20]} == {"r1"}
    assert engine.has_shadow_work
    engine.shadow()
    assert not engine.has_shadow_work
    assert watcher.overlaps == [1.0] * 20  # the two bundles hold the same model
    store.close()


def test_a_trial_whose_ranking_breaks_is_taken_back_by_itself(
    home: Home, second: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(home)
    engine = engine_of(home, store, guard={"least_questions": 20})
    start_rollout(home, second, 0.5)
    engine.refresh()
    trial = engine._versions.current.trial
    assert trial is not None
    # The bundle is whole, and its arrays turn bad afterwards, as on a failing disk.
    monkeypatch.setattr(type(trial.model.recommender), "retrieve", _failing_for(trial.model.recommender))
    answers = [engine.recommend(Ask(Visitor(user_id=user))) for user in USERS[:80]]
    assert all(answer.items for answer in answers)
    assert {Degraded.RANKING in answer.degraded for answer in answers if answer.model_version == "r2"} == {True}
    with caplog.at_level(logging.ERROR):
        engine.refresh()
    assert engine.trial_version is None
    ended = read_rollout(home)
    assert ended is not None
    assert not ended.running
    assert "answers failed" in ended.why
    assert "was ended" in caplog.text
    store.close()


def _failing_for(broken: object) -> object:
    whole = type(broken).retrieve  # type: ignore[attr-defined]

    def retrieve(self: object, *args: object, **kwargs: object) -> object:
        if self is broken:
            raise OSError("the disk is failing")
        return whole(self, *args, **kwargs)

    return retrieve


def test_a_damaged_trial_is_refused_and_the_file_says_why(home: Home, second: str) -> None:
    store = open_store(home)
    engine = engine_of(home, store)
    start_rollout(home, second, 0.5)
    (home.bundles / "recommend" / second / "recommender.json").write_text("{}", encoding="utf-8")
    engine.refresh()
    ended = read_rollout(home)
    assert ended is not None
    assert "refused" in ended.why
    assert set(versions(engine).values()) == {"r1"}
    store.close()


def test_a_trial_that_is_deployed_answers_everybody(home: Home, second: str) -> None:
    store = open_store(home)
    engine = engine_of(home, store)
    start_rollout(home, second, 0.1)
    engine.refresh()
    deploy(home, home.bundles / "recommend" / second)
    engine.refresh()
    assert set(versions(engine).values()) == {"r2"}
    assert engine.trial_version is None
    store.close()


def test_what_cannot_be_tried_is_refused_in_words(home: Home, second: str) -> None:
    with pytest.raises(InputError, match="share"):
        start_rollout(home, second, 0.0)
    with pytest.raises(InputError, match="is the live version"):
        start_rollout(home, "r1", 0.1)
    with pytest.raises(MissingStateError, match="no version is tried"):
        end_rollout(home, "why not")
    assert read_rollout(home) is None


def test_a_rollout_file_that_cannot_be_read_stops_no_answer(home: Home, second: str) -> None:
    store = open_store(home)
    engine = engine_of(home, store)
    start_rollout(home, second, 1.0)
    engine.refresh()
    (home.bundles / "rollout.json").write_text(json.dumps({"version": 1}), encoding="utf-8")
    engine.refresh()
    assert set(versions(engine).values()) == {"r1"}
    store.close()


def test_the_guard_compares_batches_of_the_same_size() -> None:
    guard = Guard(GuardConfig(least_questions=100, slowdown=1.5))
    for _ in range(100):
        guard.note(trial=False, questions=16, seconds=0.016, failed=0)  # 1 ms each
        guard.note(trial=False, questions=1, seconds=0.004, failed=0)
        guard.note(trial=True, questions=1, seconds=0.0045, failed=0)  # slower each, because alone
    assert guard.verdict() == ""
    for _ in range(100):
        guard.note(trial=True, questions=1, seconds=0.012, failed=0)
    assert "times as long" in guard.verdict()


def test_the_guard_waits_for_enough_and_allows_what_the_live_version_fails_too() -> None:
    guard = Guard(GuardConfig(least_questions=100, most_failures=0.01))
    guard.note(trial=True, questions=99, seconds=1.0, failed=99)
    assert guard.verdict() == ""
    guard = Guard(GuardConfig(least_questions=100, most_failures=0.01))
    guard.note(trial=False, questions=1000, seconds=1.0, failed=50)
    guard.note(trial=True, questions=1000, seconds=1.0, failed=55)
    assert guard.verdict() == ""
    guard.note(trial=True, questions=100, seconds=1.0, failed=30)
    assert "answers failed" in guard.verdict()
