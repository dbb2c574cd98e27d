"""Baselines by hand on a log of a few lines, and the laws that all of them keep."""

import numpy as np
import pytest

from features.contracts.events import EventType
from features.contracts.ids import IdMap
from training.interactions import SECONDS_PER_DAY, Clock, Interactions, ItemCatalogue
from training.models.baselines import EMPTY, baselines
from training.models.source import sources

TARGETS = (EventType.PURCHASE,)
NOW = 400 * SECONDS_PER_DAY


def log_of(rows: list[tuple[str, str, int]], kind: EventType = EventType.PURCHASE) -> Interactions:
    """Rows of user, item and day, as purchases without orders."""
    users, items = IdMap.of(r[0] for r in rows), IdMap.of(r[1] for r in rows)
    user = users.indices([r[0] for r in rows])
    day = np.array([r[2] for r in rows], dtype=np.int64)
    order = np.lexsort((day, user))
    m = len(rows)
    return Interactions(
        users=users,
        items=items,
        user=user[order],
        item=items.indices([r[1] for r in rows])[order],
        kind=np.full(m, kind.code, dtype=np.int8),
        time=day[order] * SECONDS_PER_DAY,
        quantity=np.ones(m, dtype=np.float32),
        amount=np.full(m, np.nan, dtype=np.float32),
        basket=np.full(m, -1, dtype=np.int64),
        clock=Clock.TIMED,
        catalogue=ItemCatalogue.unknown(len(items)),
    )


LOG = log_of(
    [
        ("ann", "milk", 10),
        ("ann", "milk", 12),
        ("ann", "milk", 12),  # the same basket as the line before
        ("ann", "bread", 390),
        ("ann", "bread", 391),
        ("ann", "tea", 395),
        ("bob", "milk", 20),
        ("bob", "jam", 399),
        ("bob", "jam", 398),
    ]
)


def lists(name: str, n: int = 4, *, exclude_seen: bool = False, data: Interactions = LOG) -> dict[str, list[str]]:
    fitted = baselines()[name].fit(data, TARGETS)
    users = np.arange(len(data.users), dtype=np.int32)
    answer = fitted.recommend(data.histories(users, NOW), n, exclude_seen=exclude_seen)
    return {data.users.id(u): data.items.ids(row[row != EMPTY]) for u, row in enumerate(answer)}


def test_popular_is_one_list_for_all() -> None:
    everybody = ["milk", "bread", "jam", "tea"]
    assert lists("popular") == {"ann": everybody, "bob": everybody}


def test_popular_recent_counts_four_weeks() -> None:
    assert lists("popular_recent")["bob"] == ["bread", "jam", "tea", "milk"]


def test_what_was_seen_is_left_out_and_the_list_goes_on() -> None:
    assert lists("popular", 2, exclude_seen=True) == {"ann": ["jam"], "bob": ["bread", "tea"]}


def test_personal_frequency_counts_then_prefers_the_latest() -> None:
    assert lists("personal_frequency")["ann"] == ["milk", "bread", "tea"]
    assert lists("personal_frequency", 1)["bob"] == ["jam"]


def test_personal_frequency_is_completed_with_popular_items() -> None:
    assert lists("personal_frequency_then_popular")["bob"] == ["jam", "milk", "bread", "tea"]


def test_old_baskets_count_less_and_a_basket_counts_once() -> None:
    # Milk has three lines but two baskets of a year ago; bread two baskets of last week.
    assert lists("basket_frequency_decayed")["ann"] == ["bread", "tea", "milk"]
    assert lists("basket_frequency_decayed_then_popular")["ann"][-1] == "jam"


def test_only_target_events_decide() -> None:
    views = log_of([("ann", "milk", 1), ("ann", "milk", 2), ("ann", "tea", 3)], EventType.VIEW)
    mixed = Interactions(**{**vars(views), "kind": np.array([1, 1, EventType.PURCHASE.code], dtype=np.int8)})
    assert lists("popular", data=mixed)["ann"] == ["tea", "milk"]
    assert lists("personal_frequency", data=mixed)["ann"] == ["tea", "milk"]


@pytest.mark.parametrize("name", baselines())
@pytest.mark.parametrize("exclude_seen", [False, True])
def test_laws(name: str, exclude_seen: bool) -> None:
    rng = np.random.default_rng(7)
    rows = [(f"u{rng.integers(9)}", f"i{rng.zipf(1.4) % 30}", int(rng.integers(1, 399))) for _ in range(300)]
    data = log_of(rows)
    fitted = baselines()[name].fit(data, TARGETS)
    histories = data.histories(np.array([0, 3, 5, 6], dtype=np.int32), NOW)
    answer = fitted.recommend(histories, 12, exclude_seen=exclude_seen)
    assert answer.shape == (4, 12)
    assert answer.dtype == np.int32
    for row in range(4):
        offered = answer[row][answer[row] != EMPTY]
        assert len(set(offered.tolist())) == len(offered)
        assert (answer[row][: len(offered)] == offered).all()  # empty places stand at the end
        own = histories.item[histories.indptr[row] : histories.indptr[row + 1]]
        assert not exclude_seen or not np.isin(offered, own).any()
    alone = fitted.recommend(histories.slice(1, 2), 12, exclude_seen=exclude_seen)
    np.testing.assert_array_equal(alone[0], answer[1])  # nobody's list depends on who is asked with him


def test_baselines_are_no_candidate_sources() -> None:
    assert not set(baselines()) & set(sources())


def test_a_user_without_history_gets_what_is_popular() -> None:
    fitted = baselines()["personal_frequency_then_popular"].fit(LOG, TARGETS)
    stranger = LOG.histories(np.array([0], dtype=np.int32), 0)
    answer = fitted.recommend(stranger, 2, exclude_seen=False)
    assert LOG.items.ids(answer[0]) == ["milk", "bread"]
