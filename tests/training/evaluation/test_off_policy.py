"""Estimates against values that are known: worked out by hand, and the truth of a simulated mall."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts import columns as c
from features.contracts.errors import InputError, NotEnoughDataError
from features.contracts.events import EVENT_SCHEMA
from features.contracts.ids import IdMap
from features.simulator import Truth, World, simulate
from training.evaluation.impressions import read_impressions
from training.evaluation.off_policy import Logged, Model, evaluate

WORLD = World(users=3_000, items=200, days=42, seed=3, block_users=3_000, ghost_share=0, visit_scale=3)


def logged(reward, propensity, target, cluster=None, place=None):
    n = len(reward)
    cluster = np.arange(n) if cluster is None else np.array(cluster)
    return Logged(*(np.array(part, dtype=float) for part in (reward, propensity, target)), cluster, place)


def test_estimates_worked_out_by_hand():
    rows = logged([1, 0, 1, 0], [0.5, 0.5, 0.25, 1.0], [0.5, 1.0, 0.5, 0.0])  # weights 1, 2, 2, 0
    model = Model(shown=np.array([0.5, 0.5, 1.0, 0.0]), expected=np.array([0.5, 0.5, 0.5, 0.5]))
    found = evaluate(rows, model, least_effective=2, least_clusters=2)
    assert found.logged == 0.5
    assert found.mean_weight == 1.25
    assert found.effective == pytest.approx(25 / 9)
    values = {name: each.value for name, each in found.estimates.items()}
    # The residuals of DR are 0.5, -0.5, 0 and 0.
    assert values == {"ips": pytest.approx(0.75), "snips": pytest.approx(0.6), "dr": pytest.approx(0.375)}
    clipped = evaluate(rows, clip=1.0, least_effective=2, least_clusters=2)
    assert clipped.clipped == 0.5
    assert clipped.estimates["ips"].value == pytest.approx(0.5)


def test_a_list_is_worth_the_sum_of_its_places():
    place = np.tile([0, 1], 100)
    rows = logged(np.tile([1.0, 0.5], 100), np.ones(200), np.ones(200), np.repeat(np.arange(100), 2), place)
    found = evaluate(rows)
    assert found.logged == 1.5
    for estimate in found.estimates.values():
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx((1.5, 1.5, 1.5))
        assert estimate.normal_high - estimate.normal_low == pytest.approx(0)


def test_rows_of_one_user_are_drawn_together():
    random = np.random.default_rng(0)
    taste = np.repeat(random.random(50), 20)
    reward = (random.random(1000) < taste).astype(float)
    alone = evaluate(logged(reward, np.ones(1000), np.ones(1000))).estimates["ips"]
    together = evaluate(logged(reward, np.ones(1000), np.ones(1000), np.repeat(np.arange(50), 20))).estimates["ips"]
    assert together.value == alone.value
    assert together.high - together.low > 1.5 * (alone.high - alone.low)
    assert together.normal_low == pytest.approx(together.low, abs=0.02)


@pytest.mark.parametrize("propensity", [0.0, np.nan, 1.5, -0.1])
def test_without_propensities_there_is_no_estimate(propensity):
    with pytest.raises(InputError, match="1 of 3 rows have no propensity"):
        logged([1, 0, 0], [0.5, propensity, 1.0], [1, 1, 1])


def test_what_else_cannot_be_judged():
    with pytest.raises(InputError, match=r"must lie in 0\.\.1"):
        logged([1.0], [0.5], [2.0])
    with pytest.raises(InputError, match="one value for each row"):
        logged([1.0], [0.5, 0.5], [1.0])
    with pytest.raises(InputError, match="a reward is missing"):
        logged([np.nan], [0.5], [1.0])
    rows = logged(np.ones(500), np.full(500, 0.01), np.r_[np.zeros(497), 1, 1, 1])
    with pytest.raises(NotEnoughDataError, match="3 of 500 logged rows speak for the target policy, and 100 are"):
        evaluate(rows)
    with pytest.raises(NotEnoughDataError, match="come from 2 users only; 30 are needed"):
        evaluate(logged(np.ones(200), np.ones(200), np.ones(200), np.arange(200) % 2))
    with pytest.raises(InputError, match="direct model"):
        evaluate(logged(np.ones(200), np.ones(200), np.ones(200)), Model(np.ones(3), np.ones(3)))


def test_intervals_cover_the_truth_as_often_as_they_say():
    """100 logs of a two-armed policy whose target value is 0.7 * 0.3 + 0.3 * 0.1."""
    random = np.random.default_rng(5)
    inside = {name: [0, 0] for name in ("ips", "snips", "dr")}
    for seed in range(100):
        arm = (random.random(600) < 0.25).astype(int)
        reward = (random.random(600) < np.array([0.1, 0.3])[arm]).astype(float)
        rows = logged(reward, np.array([0.75, 0.25])[arm], np.array([0.3, 0.7])[arm])
        wrong = np.array([0.2, 0.2])  # a poor model: the propensities have to make up for it
        found = evaluate(rows, Model(wrong[arm], np.full(600, 0.2)), draws=300, seed=seed)
        for name, estimate in found.estimates.items():
            inside[name][0] += estimate.low <= 0.24 <= estimate.high
            inside[name][1] += estimate.normal_low <= 0.24 <= estimate.normal_high
    assert all(89 <= count <= 100 for counts in inside.values() for count in counts)


# --- the mall whose truth is known ---------------------------------------------------------------------------
@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return simulate(WORLD, tmp_path_factory.mktemp("simulated") / "mall").folder


def registered(truth, placement):
    """Impressions of people whose taste is known, and the day of each."""
    wanted = [(c.PLACEMENT, "=", placement), (c.EVENT_TYPE, "in", ("impression", "click"))]
    table = pq.read_table(truth.folder / "events", filters=wanted)
    known = pa.compute.is_in(table[c.USER_ID], pa.array(truth.user_map.ids(np.arange(len(truth.user_map)))))
    shown = read_impressions(table.filter(known), placement)
    return shown, (shown.at.to_numpy() - np.datetime64(WORLD.start)) // np.timedelta64(1, "D")


@pytest.fixture(scope="module")
def banners(folder):
    """Banner impressions, affinity and true chance of a click of what could have been shown, and what was."""
    truth = Truth.open(folder)
    shown, days = registered(truth, "home_banner")
    featured = truth.catalogue.featured[days // 7]  # (n, 20)
    rows = truth.item_map.indices(truth.catalogue.ids().to_pylist())[featured]
    people = truth.user_map.indices(shown.user.to_pylist())
    affinity = np.einsum("nf,nmf->nm", truth.user_factors[people], truth.item_factors[rows])
    chance = truth.world.examination[0] / (1 + np.exp(-(truth.world.click_base + affinity)))
    choice = np.argmax(rows == truth.item_map.indices(shown.item.to_pylist())[:, None], axis=1)
    return shown, affinity, chance, choice


def policy(name, affinity):
    """(n, 20) probabilities of a policy that is known exactly."""
    if name == "uniform":
        return np.full(affinity.shape, 1 / affinity.shape[1])
    if name == "greedy":
        return (affinity == affinity.max(axis=1, keepdims=True)).astype(float)
    weights = np.exp(affinity - affinity.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", ["uniform", "softmax", "greedy"])
def test_intervals_cover_the_truth_of_the_mall(banners, name):
    shown, affinity, chance, choice = banners
    target = policy(name, affinity)
    place = np.arange(len(shown))
    # A direct model with the right order and the wrong size.
    guess = 0.5 * chance + 0.02
    found = evaluate(
        Logged(shown.reward, shown.propensity, target[place, choice], shown.cluster),
        Model(guess[place, choice], (target * guess).sum(axis=1)),
    )
    true = (target * chance).sum(axis=1).mean()
    assert found.mean_weight == pytest.approx(1, abs=0.1)
    for estimate in found.estimates.values():
        assert estimate.low < true < estimate.high
        assert estimate.normal_low < true < estimate.normal_high
    widths = {key: each.high - each.low for key, each in found.estimates.items()}
    assert widths["dr"] < widths["ips"]
    if name == "greedy":
        assert found.estimates["snips"].low > found.logged  # and it is seen to be better than what was shown


def test_a_list_of_search_results_is_judged_place_by_place(folder):
    """The log draws items of the searched category by popularity; the target draws them evenly."""
    truth = Truth.open(folder)
    shown, days = registered(truth, "search")
    catalogue = truth.catalogue
    category = catalogue.category[IdMap.of(catalogue.ids().to_pylist()).indices(shown.item.to_pylist())]
    people = truth.user_factors[truth.user_map.indices(shown.user.to_pylist())]
    rows = truth.item_map.indices(catalogue.ids().to_pylist())
    size, chance = np.zeros(len(shown)), np.zeros(len(shown))
    for day in np.unique(days):
        ends = catalogue.ends(int(day))
        for k in np.unique(category[days == day]):
            here = np.flatnonzero((days == day) & (category == k))
            items = rows[catalogue.starts[k] : ends[k]]
            logits = truth.world.click_base + people[here] @ truth.item_factors[items].T
            size[here] = len(items)
            chance[here] = (1 / (1 + np.exp(-logits))).mean(axis=1)
    examined = np.array(truth.world.examination)[shown.place]
    true = (examined * chance).sum() / np.count_nonzero(shown.place == 0)
    found = evaluate(Logged(shown.reward, shown.propensity, 1 / size, shown.cluster, shown.place))
    for estimate in found.estimates.values():
        assert estimate.low < true < estimate.high
    assert found.mean_weight == pytest.approx(1, abs=0.05)


def test_impressions_hold_the_clicks_of_their_answer_and_place():
    def event(kind, request, item, properties, user="u1"):
        return {c.EVENT_TYPE: kind, c.REQUEST_ID: request, c.ITEM_ID: item, c.PROPERTIES: properties,
                c.PLACEMENT: "feed", c.USER_ID: user, c.ANONYMOUS_ID: "a1"}  # fmt: skip

    rows = [
        event("impression", "r1", "i1", '{"position":0,"propensity":0.5}'),
        event("impression", "r1", "i1", '{"position":1,"propensity":0.25}', user=None),
        event("impression", "r2", "i1", None),
        event("click", "r1", "i1", '{"position":1}'),
        event("click", "r1", "i1", '{"position":1}'),
    ]
    table = pa.table([pa.array([row.get(f.name) for row in rows], f.type) for f in EVENT_SCHEMA],
                     names=EVENT_SCHEMA.names)  # fmt: skip
    found = read_impressions(table, "feed")
    assert found.reward.tolist() == [0, 1, 0]
    assert found.place.tolist() == [0, 1, 0]
    assert found.user.to_pylist() == ["u1", "a1", "u1"]
    np.testing.assert_array_equal(found.propensity, [0.5, 0.25, np.nan])
    assert found.cluster.tolist() == [0, 1, 0]
    with pytest.raises(NotEnoughDataError, match="no impression of the placement 'search'"):
        read_impressions(table, "search")


def test_the_example_of_the_guide_runs(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder.parent)
    page = (Path(__file__).parents[3] / "docs" / "judging.md").read_text(encoding="utf-8")
    exec(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], {})
    assert re.fullmatch(r"(?:(?:ips|snips): 0\.\d{3} \[.*\], logged 0\.\d{3}\n){2}", capsys.readouterr().out)
