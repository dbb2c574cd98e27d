"""Items that the mall sets at a place by hand."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from pydantic import Field

from features.contracts.ids import UNKNOWN
from serving.rules.aim import Period
from serving.rules.context import RuleContext, Text
from serving.rules.rule import Offer, Rule, RuleConfig, Stage
from serving.rules.slate import Slate

CAMPAIGN = "campaign"


class PinAim(Period):
    """One item at one place."""

    item: str
    place: int = Field(ge=1, le=100)
    """1 is the first. When a pin stands there already, the next place."""


class PinConfig(RuleConfig):
    """Parameters of :class:`Pin`."""

    pins: tuple[PinAim, ...] = ()


class Pin(Rule):
    """Sets items at their places, whether they were ranked or not; the others move down.

    A pin brings its item before the filters like any other: what is sold out, blocked, just bought or outside of the
    caller's filters is not shown.
    """

    name = "pin"
    stage = Stage.PLACE
    Config = PinConfig
    reason = Text("made room for a promotion", "为促销商品让位")

    config: PinConfig

    def rests(self, context: RuleContext) -> bool:
        return not any(pin.holds(context.now) for pin in self.config.pins)

    def offers(self, context: RuleContext) -> Mapping[int, Offer]:
        index = context.facts.names.items.index
        pinned = [index(pin.item) for pin in self.config.pins if pin.holds(context.now)]
        return {item: Offer(CAMPAIGN) for item in pinned if item != UNKNOWN}

    def apply(self, context: RuleContext, slate: Slate) -> Slate:
        for pin in sorted(self.config.pins, key=lambda pin: pin.place):
            if pin.holds(context.now):
                slate = _set(slate, context.facts.names.items.index(pin.item), pin.place - 1)
        return slate


def _set(slate: Slate, item: int, place: int) -> Slate:
    found = np.flatnonzero(slate.item == item)
    if not len(found) or slate.fixed[found[0]]:
        return slate
    order = np.delete(np.arange(len(slate)), found)
    while place < len(order) and slate.fixed[order[place]]:
        place += 1
    order = np.insert(order, min(place, len(order)), found)
    moved = slate.at(order)
    return replace(moved, fixed=moved.fixed | (moved.item == item))
