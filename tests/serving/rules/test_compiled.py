"""The compiled loops against what they are meant to compute, said plainly."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.rules.compiled import bought_items, drawn_from, in_front, most_different, within_caps

ITEMS = 30
several = settings(max_examples=80, deadline=None)
seeds = st.integers(0, 10_000)


def codes(generator: np.random.Generator) -> tuple[np.ndarray, ...]:
    return tuple(generator.integers(-1, 4, ITEMS).astype(np.int32) for _ in range(4))


def some_items(generator: np.random.Generator) -> np.ndarray:
    return generator.permutation(ITEMS)[: generator.integers(0, ITEMS + 1)].astype(np.int32)


@several
@given(seed=seeds, n=st.integers(1, 12), depth=st.integers(1, 40), weight=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_marginal_relevance_takes_what_fits_and_is_least_like_what_it_has(
    seed: int, n: int, depth: int, weight: float
) -> None:
    generator = np.random.default_rng(seed)
    item, groups, shares = some_items(generator), codes(generator), np.array([0.4, 0.2, 0.2, 0.2])
    fit = generator.random(min(depth, len(item)))
    expected: list[int] = []
    for _ in range(min(n, len(fit))):
        worth = [
            fit[place]
            - weight
            * max(
                (
                    sum(
                        share
                        for share, kind in zip(shares, groups, strict=True)
                        if kind[item[place]] == kind[item[taken]] >= 0
                    )
                    for taken in expected
                ),
                default=0.0,
            )
            for place in range(len(fit))
        ]
        expected.append(max((p for p in range(len(fit)) if p not in expected), key=lambda p: worth[p]))
    assert most_different(item, *groups, shares, fit, weight, n).tolist() == expected


@several
@given(seed=seeds, n=st.integers(1, 12), caps=st.lists(st.sampled_from([-1, 1, 2, 3]), min_size=4, max_size=4))
def test_caps_hold_until_nothing_else_is_left(seed: int, n: int, caps: list[int]) -> None:
    generator = np.random.default_rng(seed)
    item, groups = some_items(generator), codes(generator)
    counts: list[Counter[int]] = [Counter() for _ in caps]
    taken: list[int] = []
    for place, each in enumerate(item.tolist()):
        own = [int(kind[each]) for kind in groups]
        room = all(cap < 0 or code < 0 or c[code] < cap for cap, code, c in zip(caps, own, counts, strict=True))
        if room and len(taken) < n:
            taken.append(place)
            for code, count in zip(own, counts, strict=True):
                count[code] += 1
    others = [place for place in range(len(item)) if place not in taken]
    expected = sorted([*taken, *others[: max(n - len(taken), 0)]])
    assert within_caps(item, *groups, np.array(caps, np.int64), n).tolist() == expected


@several
@given(
    purchases=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 20 * 86_400)), max_size=20).map(sorted),
)
def test_purchases_are_counted_by_the_day(purchases: list[tuple[int, int]]) -> None:
    found = bought_items(np.array([i for i, _ in purchases], np.int32), np.array([t for _, t in purchases], np.int64))
    for item, last, times, every in zip(*(part.tolist() for part in found), strict=True):
        own = [time for each, time in purchases if each == item]
        days = len({time // 86_400 for time in own})
        assert (last, times) == (max(own), days)
        expected = (max(own) - min(own)) / 86_400 / (days - 1) if days > 1 else np.nan
        assert every == pytest.approx(expected, rel=1e-6, nan_ok=True)
    assert found[0].tolist() == sorted({item for item, _ in purchases})


@pytest.mark.parametrize(
    ("after", "sound"), [([2, 0], True), ([], True), ([0, 0], False), ([1], False), ([-1], False), ([99], False)]
)
def test_a_list_is_drawn_from_another(after: list[int], sound: bool) -> None:
    slots = np.zeros(4, np.int32)
    assert drawn_from(np.array(after, np.int32), np.array([0, 2, 3], np.int32), slots) is sound
    assert not slots.any()


def test_places_come_to_the_front_each_once() -> None:
    assert in_front(np.array([3, 1], np.int64), 5).tolist() == [3, 1, 0, 2, 4]
    for wrong in ([0, 0], [5], [-1]):
        with pytest.raises(ValueError, match="twice"):
            in_front(np.array(wrong, np.int64), 5)
