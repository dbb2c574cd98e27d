from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.contracts.home import Home
from features.engine import TagStore
from features.engine.difference import difference, stability_index
from tests.features import mall


@pytest.fixture
def store(tmp_path: Path) -> TagStore:
    return TagStore(Home(root=tmp_path / "var", configs=tmp_path / "configs", mlruns=tmp_path / "mlruns"))


def keep(store: TagStore, day: int, meanings: dict[str, str] | None = None, **columns: object):
    return store.write(pa.table(columns), mall.AS_OF + timedelta(days=day), "spec", meanings=meanings)


def users(*numbers: int) -> list[str]:
    return [f"u{number:04}" for number in numbers]


def test_tags_and_users_that_came_and_went(store: TagStore):
    before = keep(store, 0, {"n": "a", "w": "b"}, user_id=users(1, 2, 3), n=[1, 2, 3], w=["x"] * 3, old=[0] * 3)
    after = keep(store, 1, {"n": "A", "w": "b"}, user_id=users(2, 3, 4, 5), n=[2, 5, 4, 9], w=["x"] * 4, new=[0] * 4)
    found = difference(before, after)
    assert (found.added, found.removed, found.redefined) == (("new",), ("old",), ("n",))
    assert (found.common_users, found.gone_users, found.new_users) == (2, 1, 2)
    moved = {movement.tag: movement for movement in found.movements}
    assert set(moved) == {"n", "w"}
    assert (moved["n"].changed, moved["n"].mean_change, moved["n"].redefined) == (0.5, 1.0, True)
    assert (moved["w"].changed, moved["w"].mean_change, moved["w"].redefined) == (0.0, None, False)


def test_nulls_are_values_too(store: TagStore):
    before = keep(store, 0, user_id=users(1, 2, 3), n=[1.0, None, None], f=[True, False, None])
    after = keep(store, 1, user_id=users(1, 2, 3), n=[None, None, 3.0], f=[False, False, True])
    found = difference(before, after)
    assert found.redefined is None, "neither build says what its tags mean"
    moved = {movement.tag: movement for movement in found.movements}
    assert moved["n"].changed == pytest.approx(2 / 3)
    assert (moved["n"].mean_change, moved["n"].coverage) == (None, (pytest.approx(1 / 3), pytest.approx(1 / 3)))
    assert moved["f"].mean_change == -0.5


def test_the_greatest_effect_comes_first(store: TagStore):
    random = np.random.default_rng(5)
    names = users(*range(2000))
    still, shifted = random.normal(0, 1, 2000), random.normal(0, 1, 2000)
    words = random.choice(["a", "b", "c"], 2000)
    before = keep(store, 0, user_id=names, still=still, shifted=shifted, words=words)
    after = keep(store, 1, user_id=names, still=still, shifted=shifted + 1, words=random.permutation(words))
    first, second, third = difference(before, after).movements
    assert (first.tag, first.changed, first.mean_change) == ("shifted", 1.0, pytest.approx(1.0))
    assert first.psi > 0.5
    assert (second.tag, third.tag) == ("words", "still"), "of equal distributions the one whose users changed"
    assert second.psi == third.psi == 0.0


def test_builds_without_a_common_user_and_with_another_type_can_be_compared(store: TagStore):
    before = keep(store, 0, user_id=users(1), n=[1], m=["1"])
    after = keep(store, 1, user_id=users(2), n=[1.5], m=[1])
    assert [movement.changed for movement in difference(before, after).movements] == [None, None]


def test_a_tag_that_nobody_had_can_be_compared(store: TagStore):
    words, numbers = pa.nulls(2, pa.string()), pa.nulls(2, pa.int64())
    before = keep(store, 0, user_id=users(1, 2), w=words, n=numbers)
    after = keep(store, 1, user_id=users(1, 2), w=["a", "b"], n=[1, None])
    moved = {movement.tag: movement for movement in difference(before, after).movements}
    assert (moved["w"].changed, moved["n"].changed) == (1.0, 0.5)
    assert moved["w"].psi > moved["n"].psi > 0


def test_the_stability_index_is_the_published_one():
    before, after = np.array([500.0, 500.0]), np.array([800.0, 200.0])
    expected = (0.8 - 0.5) * np.log(0.8 / 0.5) + (0.2 - 0.5) * np.log(0.2 / 0.5)
    assert stability_index(before, after) == pytest.approx(expected, rel=5e-3)
    assert stability_index(before, before) == 0.0
