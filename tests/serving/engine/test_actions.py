from dataclasses import replace

import numpy as np
import pytest

from features.contracts.config import load_config, parse_config
from features.contracts.errors import ConfigError
from serving.engine.actions import (
    ACTIONS,
    TEXTS,
    WHYS,
    Action,
    ActionsConfig,
    Recommended,
    Situation,
    Why,
    reason_text,
    recommend,
)
from tests.docs.test_pages import ROOT

CONFIG = ActionsConfig()


def one(**changes: float) -> Situation:
    values = {"probability": 0.5, "value_at_risk": 100.0, "messages_7d": 0.0, "silent_days": 2.0} | changes
    effect = np.array([values.pop("effect")]) if "effect" in values else None
    return Situation(**{name: np.array([value]) for name, value in values.items()}, effect=effect, worth=40.0)


def said(told: Recommended) -> tuple[Action, Why]:
    return ACTIONS[told.action[0]], WHYS[told.why[0]]


def test_the_more_is_at_stake_the_more_is_done() -> None:
    wanted = [(1.0, Action.LEAVE_ALONE), (60.0, Action.REMIND), (2_000.0, Action.CALL)]
    assert [said(recommend(one(value_at_risk=value), CONFIG))[0] for value, _ in wanted] == [a for _, a in wanted]
    offered = recommend(one(value_at_risk=200.0, probability=0.95), CONFIG)
    assert said(offered) == (Action.OFFER, Why.OFFER_PAYS)
    # success 0.1 x 200 at stake x margin 0.3 x strength 1.5, less the message and the offer to those who come
    assert offered.profit[0] == pytest.approx(0.1 * 200 * 0.3 * 1.5 - 0.05 - 3 * (1 - 0.95 * 0.9))


def test_tired_users_get_no_message_and_silent_ones_are_pushed_less() -> None:
    assert said(recommend(one(messages_7d=3.0), CONFIG)) == (Action.LEAVE_ALONE, Why.TIRED)
    assert said(recommend(one(messages_7d=1.0, silent_days=9.0), CONFIG)) == (Action.LEAVE_ALONE, Why.SILENT)
    assert said(recommend(one(messages_7d=1.0, silent_days=2.0), CONFIG))[0] is not Action.LEAVE_ALONE
    assert said(recommend(one(messages_7d=9.0, value_at_risk=5_000.0), CONFIG))[0] is Action.CALL


def test_who_would_not_pay_anyway_is_not_said_to_be_tired() -> None:
    assert said(recommend(one(value_at_risk=0.1, messages_7d=9.0), CONFIG)) == (Action.LEAVE_ALONE, Why.NOTHING_PAYS)


def test_a_measured_effect_takes_the_place_of_the_assumed_rate() -> None:
    driven = recommend(one(effect=-0.02), CONFIG)
    assert said(driven) == (Action.LEAVE_ALONE, Why.DRIVEN_AWAY)
    won = recommend(one(effect=0.1), CONFIG)
    assert said(won)[0] is Action.REMIND
    assert won.profit[0] == pytest.approx(0.1 * 40 * 0.3 * 0.6 - 0.05)
    assert (recommend(one(), CONFIG).assumed, won.assumed) == (True, False)


def test_nothing_known_of_tiredness_or_value_is_no_error() -> None:
    told = recommend(one(messages_7d=np.nan, silent_days=np.nan, value_at_risk=np.nan), CONFIG)
    assert said(told) == (Action.LEAVE_ALONE, Why.NOTHING_PAYS)
    assert told.profit[0] == 0


def test_users_do_not_change_each_others_action() -> None:
    random = np.random.default_rng(0)
    columns = {name: random.gamma(1, scale, 50) for name, scale in
               (("value_at_risk", 200), ("messages_7d", 1), ("silent_days", 7))}  # fmt: skip
    many = Situation(probability=random.random(50), **columns, effect=None, worth=0.0)
    together = recommend(many, CONFIG)
    for row in range(50):
        pick = replace(many, **{name: getattr(many, name)[[row]] for name in (*columns, "probability")})
        assert recommend(pick, CONFIG).action[0] == together.action[row]


def test_every_reason_has_words_in_both_languages() -> None:
    assert set(TEXTS) == set(Why)
    for why in Why:
        english, chinese = reason_text(why, assumed=True)
        assert "assumed" in english
        assert "假定" in chinese


def test_the_shipped_file_shows_the_defaults_and_unknown_keys_are_refused() -> None:
    assert load_config(ActionsConfig, ROOT / "configs" / "actions.yaml") == CONFIG
    with pytest.raises(ConfigError, match="post_card"):
        parse_config(ActionsConfig, "post_card: {contact_cost: 1}", "actions.yaml")
