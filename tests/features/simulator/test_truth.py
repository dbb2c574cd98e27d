"""What the truth says is what happens, within statistical error. The seed is fixed, so nothing here can flicker."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from features.contracts.errors import InputError, UnknownNameError
from features.simulator import Truth, World, make_world, true_affinity
from features.simulator.baskets import mean_lines, mean_quantity
from features.simulator.dynamics import Dynamics, State
from features.simulator.expectation import outlook
from features.simulator.people import make_people
from features.simulator.randomness import Purpose, generator
from features.simulator.seasons import make_seasons

_OUTCOMES = """
SELECT no_action, p_no_action, no_purchase, p_no_purchase, orders, expected_orders, lines, expected_purchases,
       spend, expected_spend
FROM (
    SELECT churn.*, count(event_id) = 0 AS no_action,
        count(event_id) FILTER (event_type = 'purchase') = 0 AS no_purchase,
        count(DISTINCT order_id) FILTER (event_type = 'purchase') AS orders,
        count(event_id) FILTER (event_type = 'purchase') AS lines,
        coalesce(sum(amount) FILTER (event_type = 'purchase'), 0) AS spend
    FROM churn JOIN identities ON person = churn.user_id AND id_kind = 'user'
    LEFT JOIN (SELECT * FROM events WHERE event_type NOT IN ('impression', 'message_sent')) AS own
        ON own.user_id = raw_id AND occurred_at >= as_of AND occurred_at < as_of + horizon_days * INTERVAL 1 DAY
    WHERE horizon_days = {days} AND as_of = '{as_of}'
    GROUP BY ALL
)
"""


@pytest.fixture(scope="module")
def truth(mall):
    return Truth.open(mall.folder)


@pytest.mark.parametrize("days", [7])
def test_probabilities_and_expectations_are_calibrated(ask, days):
    rows = np.array(ask(_OUTCOMES.format(days=days, as_of="2025-01-29 00:00:00+00")), dtype=float).T
    no_action, p_no_action, no_purchase, p_no_purchase = rows[:4]
    for happened, probability in ((no_action, p_no_action), (no_purchase, p_no_purchase)):
        assert abs(_z(happened, probability)) < 3
        order = np.argsort(probability)
        for group in np.array_split(order, 5):
            assert abs(_z(happened[group], probability[group])) < 3.5
    for happened, expected in rows[4:].reshape(-1, 2, rows.shape[1]):
        difference = happened - expected
        assert abs(difference.mean()) < 3.5 * difference.std() / np.sqrt(len(difference))


def test_the_forward_recursion_agrees_with_lives_drawn_from_the_law():
    world = World(users=20_000, items=40, days=40, seed=3, block_users=20_000, ghost_share=0, newcomer_share=0)
    random = generator(world.seed, Purpose.DAYS)
    person = make_people(world, 0).some(np.zeros(20_000, np.int64) + 7)  # one person, lived many times
    dynamics = Dynamics(world, make_seasons(world))
    state = State.fresh(20_000)
    state.mood[:], state.heat[:], state.tired[:] = 2, 1, 1
    future = outlook(dynamics, person.some(slice(0, 1)), state.some(slice(0, 1)), 5)
    days = [dynamics.live(random, person, state, 5 + ahead) for ahead in range(30)]
    acted = np.any([day.visited | day.opened for day in days], axis=0)
    orders = np.sum([day.paid for day in days], axis=0)
    assert abs(_z(~acted, np.full(20_000, future.no_action[1, 0]))) < 4
    assert abs(_z(orders == 0, np.full(20_000, future.no_purchase[1, 0]))) < 4
    assert orders.mean() == pytest.approx(future.orders[1, 0], abs=4 * orders.std() / np.sqrt(20_000))


def test_whoever_is_gone_stays_away(ask):
    gone = ask("SELECT min(p_no_action), max(expected_spend) FROM churn JOIN people USING (user_id) "
               "WHERE lifetime_end <= as_of - INTERVAL 1 DAY")[0]  # fmt: skip
    assert gone == (1.0, 0.0)
    after = ask("SELECT count(*) FROM events JOIN people USING (user_id) "
                "WHERE occurred_at >= lifetime_end AND event_type NOT IN ('impression', 'message_sent')")  # fmt: skip
    assert after[0][0] == 0


def test_people_buy_what_they_like(ask, truth):
    bought = ask("SELECT user_id, item_id FROM events SEMI JOIN people USING (user_id) WHERE event_type = 'purchase'")
    users = [user for user, _ in bought]
    random = np.random.default_rng(0)
    others = [f"i{n:05d}" for n in random.integers(0, 400, len(users))]
    chosen, drawn = truth.affinity(users, [item for _, item in bought]), truth.affinity(users, others)
    assert (chosen > drawn).mean() > 0.75


def test_clicks_come_as_often_as_the_model_says(ask, truth):
    shown = ask(
        "WITH shown AS (SELECT *, json_extract(properties, '$.position')::INT AS place FROM events "
        "WHERE placement IN ('home_banner', 'search') AND event_type IN ('impression', 'click')) "
        "SELECT i.user_id, i.item_id, i.place, max(CAST(k.event_id IS NOT NULL AS INT)) "
        "FROM shown i SEMI JOIN people USING (user_id) LEFT JOIN shown k ON k.event_type = 'click' AND "
        "k.request_id = i.request_id AND k.place = i.place WHERE i.event_type = 'impression' "
        "GROUP BY 1, 2, 3, i.event_id"
    )
    users, items, places, clicked = zip(*shown, strict=True)
    probability = truth.click_probability(users, items, np.array(places))
    for group in np.array_split(np.argsort(probability), 4):
        assert abs(_z(np.array(clicked)[group], probability[group])) < 4


def test_propensities_are_the_shares_of_what_was_shown(ask):
    weighed = ask(
        "SELECT count(*), sum(1 / (json_extract(properties, '$.propensity')::DOUBLE * 20)), "
        "sum(1 / (json_extract(properties, '$.propensity')::DOUBLE * 20) ** 2) FROM events "
        "WHERE event_type = 'impression' AND placement = 'home_banner'"
    )[0]
    n, total, squares = weighed  # importance weights from the policy to the uniform one have mean 1
    assert abs(total / n - 1) < 4 * np.sqrt(squares) / n


def test_messages_are_sent_with_their_probability_and_move_people_as_the_truth_says(ask):
    rows = np.array(ask(
        "WITH sends AS (SELECT DISTINCT CAST(occurred_at AS DATE) AS day FROM events "
        "WHERE event_type = 'message_sent'), "
        "eligible AS (SELECT people.*, day FROM people, sends WHERE send_probability > 0 AND registered_at < day), "
        "visits AS (SELECT DISTINCT person AS user_id, CAST(occurred_at AS DATE) AS day FROM events "
        "JOIN identities ON raw_id = events.user_id AND id_kind = 'user' WHERE event_type = 'session_start'), "
        "sent AS (SELECT user_id, CAST(occurred_at AS DATE) AS day FROM events WHERE event_type = 'message_sent') "
        "SELECT sign(message_effect), send_probability, sent.user_id IS NOT NULL, visits.user_id IS NOT NULL "
        "FROM eligible LEFT JOIN sent USING (user_id, day) LEFT JOIN visits USING (user_id, day)"
    ), dtype=float)  # fmt: skip
    sign, probability, sent, visited = rows.T
    assert abs(_z(sent, probability)) < 4
    lift = {}
    for kind in (-1, 0, 1):
        chosen = sign == kind
        weight = np.where(sent == 1, 1 / probability, -1 / (1 - probability))
        lift[kind] = (weight * visited)[chosen].mean()
    assert lift[-1] < 0 < lift[1]
    assert lift[-1] < lift[0] < lift[1]


def test_fraud_is_marked_and_shares_devices(ask, mall):
    marked, found, farms, rings = ask(
        "SELECT count(*), count(events.event_id), count(DISTINCT ring) FILTER (kind = 'click_farm'), "
        "count(DISTINCT ring) FILTER (kind = 'brushing') FROM fraud LEFT JOIN events USING (event_id, occurred_at)"
    )[0]
    assert marked == found == mall.fake_events > 0
    assert min(farms, rings) > 0
    fake = ask("SELECT count(DISTINCT user_id), bool_and(fake) FROM events SEMI JOIN fraud USING (event_id) "
               "JOIN identities ON raw_id = user_id AND id_kind = 'user'")[0]  # fmt: skip
    assert fake == (ask("SELECT count(*) FROM identities WHERE fake")[0][0], True)
    crowd = ask("SELECT max(accounts) FROM (SELECT count(DISTINCT user_id) AS accounts FROM events "
                "WHERE event_type = 'session_start' "
                "GROUP BY json_extract_string(properties, '$.device_id'))")  # fmt: skip
    assert crowd[0][0] >= 8


def test_second_accounts_share_the_union_id(ask):
    pairs = ask(
        "SELECT a.identities ->> 'unionid', b.identities ->> 'unionid', a.identities ->> 'openid', "
        "b.identities ->> 'openid' FROM identities JOIN accounts a ON raw_id = a.user_id "
        "JOIN accounts b ON person = b.user_id WHERE raw_id <> person AND id_kind = 'user'"
    )
    assert pairs
    assert all(one == other and mine != theirs for one, other, mine, theirs in pairs)
    assert ask("SELECT count(*) - count(DISTINCT identities ->> 'openid') FROM accounts")[0][0] == 0


def test_truth_is_asked_by_name(mall, truth, tmp_path):
    as_of = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=28)
    table = truth.churn(as_of, 30)
    assert len(table) > 750
    with pytest.raises(UnknownNameError, match=r"no truth as of 2025-01-29T00:00:00.*7, 30 or 90"):
        truth.churn(as_of, 31)
    with pytest.raises(UnknownNameError, match="'nobody' is no user"):
        true_affinity(mall.folder, ["nobody"], ["i00000"])
    with pytest.raises(InputError, match="is no simulated mall"):
        Truth.open(tmp_path)
    factors = truth.user_factors[truth.user_map.index("u0000005")] @ truth.item_factors[truth.item_map.index("i00017")]
    assert true_affinity(mall.folder, ["u0000005"], ["i00017"])[0] == pytest.approx(factors, rel=1e-5)


def test_means_of_baskets_are_those_of_their_draws():
    world = make_world(users=10, items=40, days=4)
    random = np.random.default_rng(1)
    lines = 1 + np.minimum(random.poisson(world.extra_lines, 100_000), world.most_extra_lines)
    assert mean_lines(world) == pytest.approx(lines.mean(), abs=0.01)
    assert mean_quantity(world) == pytest.approx(1.25)


def _z(happened, probability):
    """Standardised difference between a number of successes and its expectation (independent Bernoulli)."""
    variance = (probability * (1 - probability)).sum()
    return (happened - probability).sum() / np.sqrt(max(variance, 1e-9))
