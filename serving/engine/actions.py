"""What to do with each user: offer, remind, call, or leave alone, by expected profit.

One pure function over arrays. A message changes the probability of what it is for by the user's *effect*, which an
uplift model foretells from randomised messages; where there is none, a contact is taken to keep the configured share of
those about to leave. What an action brings is weighed by its strength and by how tired of messages the user is.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import Field

from features.contracts.config import Config

Float64 = npt.NDArray[np.float64]
Int8 = npt.NDArray[np.int8]
Bool = npt.NDArray[np.bool_]


class Action(StrEnum):
    """What to do with a user; of equal profit the first."""

    LEAVE_ALONE = "leave_alone"
    REMIND = "remind"
    OFFER = "offer"
    CALL = "call"


class ActionCost(Config):
    """One way of contacting."""

    contact_cost: float = Field(ge=0)
    """Of one contact (currency)."""
    offer_cost: float = Field(default=0.0, ge=0)
    """Of what is given to one who comes (currency)."""
    strength: float = Field(default=1.0, gt=0)
    """How much it does beside a usual message (factor)."""
    message: bool = True
    """Whether it is a message, which the rules on tiredness hold back."""


class FatigueConfig(Config):
    """When no message is sent, whatever it would bring."""

    most_in_7d: int = Field(default=3, ge=0)
    """Messages within seven days (count)."""
    silent_days: float = Field(default=7.0, ge=0)
    """Without an own action for longer a user hears less, not more (days)."""
    most_in_7d_silent: int = Field(default=1, ge=0)
    """Messages within seven days to such users (count)."""
    each_weakens: float = Field(default=0.85, gt=0, le=1)
    """What the next message does after each one of the last seven days (factor)."""


class ActionsConfig(Config):
    """All of ``configs/actions.yaml``."""

    margin: float = Field(default=0.3, gt=0, le=1)
    """Share of spend that is earned (share)."""
    success_rate: float = Field(default=0.1, gt=0, lt=1)
    """Share of those about to leave whom a usual message keeps; used while there is no uplift model (share)."""
    least_profit: float = 0.0
    """An action must be expected to earn more than this (currency)."""
    remind: ActionCost = ActionCost(contact_cost=0.05, strength=0.6)
    offer: ActionCost = ActionCost(contact_cost=0.05, offer_cost=3.0, strength=1.5)
    call: ActionCost = ActionCost(contact_cost=20.0, strength=2.5, message=False)
    fatigue: FatigueConfig = FatigueConfig()


@dataclass(frozen=True)
class Situation:
    """What is known of ``n`` users. NaN: not known."""

    probability: Float64  # of churn
    value_at_risk: Float64  # currency
    effect: Float64 | None  # of a usual message on the probability of what it is for; None: there is no uplift model
    worth: float  # currency that comes with that outcome
    messages_7d: Float64
    silent_days: Float64  # since the last own action


class Why(StrEnum):
    """Why an action is recommended."""

    TIRED = "tired"
    SILENT = "silent_push_less"
    DRIVEN_AWAY = "message_drives_away"
    NOTHING_PAYS = "nothing_pays"
    REMIND_PAYS = "reminder_is_enough"
    OFFER_PAYS = "offer_pays"
    CALL_PAYS = "worth_a_call"
    ASSUMED = "assumed_success_rate"  # added where no effect was measured


#: English and Chinese.
TEXTS: Final[dict[Why, tuple[str, str]]] = {
    Why.TIRED: ("had enough messages in the last seven days", "近7天消息已足够"),
    Why.SILENT: ("silent for more than a week: push less", "已静默超过一周，减少打扰"),
    Why.DRIVEN_AWAY: ("a message makes a visit less likely", "发送消息会降低其到访可能"),
    Why.NOTHING_PAYS: ("no contact is expected to pay", "预计任何触达都不划算"),
    Why.REMIND_PAYS: ("a reminder brings more than it costs", "提醒的收益高于成本"),
    Why.OFFER_PAYS: ("an offer brings more than it costs", "优惠的收益高于成本"),
    Why.CALL_PAYS: ("worth a personal call", "值得人工电话回访"),
    Why.ASSUMED: ("by an assumed success rate, not a measured effect", "依据假定的成功率，非实测效果"),
}

#: action -> its block in the configuration, and what is said when it is chosen.
_CONTACTS: Final = (
    (Action.REMIND, Why.REMIND_PAYS),
    (Action.OFFER, Why.OFFER_PAYS),
    (Action.CALL, Why.CALL_PAYS),
)
ACTIONS: Final = tuple(Action)
WHYS: Final = tuple(Why)


@dataclass(frozen=True)
class Recommended:
    """For each of ``n`` users."""

    action: Int8  # (n,) place in :data:`ACTIONS`
    why: Int8  # (n,) place in :data:`WHYS`
    profit: Float64  # (n,) that is expected of it, currency; 0 for being left alone
    assumed: bool  # no effect was measured


def recommend(situation: Situation, config: ActionsConfig) -> Recommended:
    """The action of the highest expected profit; nobody is contacted for less than ``least_profit``."""
    n = len(situation.probability)
    gain = _gain(situation, config)
    fatigue = config.fatigue
    messages = np.nan_to_num(situation.messages_7d)
    silent = np.nan_to_num(situation.silent_days) > fatigue.silent_days
    tired = messages >= fatigue.most_in_7d
    pushed = silent & (messages >= fatigue.most_in_7d_silent)
    weaker = fatigue.each_weakens**messages
    best = np.full(n, max(config.least_profit, 0.0))
    action = np.zeros(n, dtype=np.int8)
    why = np.full(n, WHYS.index(Why.NOTHING_PAYS), dtype=np.int8)
    held = np.zeros(n, dtype=np.bool_)  # a message would pay but for tiredness
    for kind, reason in _CONTACTS:
        cost: ActionCost = getattr(config, kind.value)
        profit = gain * cost.strength * (weaker if cost.message else 1.0) - cost.contact_cost
        # Those who come anyway take the offer as well.
        profit -= cost.offer_cost * (1.0 - situation.probability * (1.0 - config.success_rate))
        better = profit > best
        if cost.message:
            held |= better & (tired | pushed)
            better &= ~(tired | pushed)
        action[better] = ACTIONS.index(kind)
        why[better] = WHYS.index(reason)
        best[better] = profit[better]
    alone = action == 0
    why[alone & held & pushed] = WHYS.index(Why.SILENT)
    why[alone & held & tired] = WHYS.index(Why.TIRED)
    if situation.effect is not None:
        why[alone & (situation.effect < 0)] = WHYS.index(Why.DRIVEN_AWAY)
    return Recommended(action, why, np.where(alone, 0.0, best), situation.effect is None)


def reason_text(why: Why, *, assumed: bool) -> tuple[str, str]:
    """English and Chinese of a reason."""
    english, chinese = TEXTS[why]
    if not assumed:
        return english, chinese
    return f"{english} ({TEXTS[Why.ASSUMED][0]})", f"{chinese}（{TEXTS[Why.ASSUMED][1]}）"


def _gain(situation: Situation, config: ActionsConfig) -> Float64:
    """(n,) what a usual message earns, currency."""
    if situation.effect is None:
        kept = config.success_rate * situation.value_at_risk
        return np.asarray(config.margin * np.nan_to_num(kept))
    return np.asarray(config.margin * situation.effect * situation.worth)
