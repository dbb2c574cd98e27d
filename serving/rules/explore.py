"""Now and then something from further down, so that the mall learns what it does not know yet."""

import hashlib
from dataclasses import replace

import numpy as np
from pydantic import Field

from serving.rules.context import RuleContext, Text
from serving.rules.rule import Rule, RuleConfig, Stage
from serving.rules.slate import Slate


class ExploreConfig(RuleConfig):
    """Parameters of :class:`Explore`."""

    epsilon: float = Field(default=0.1, gt=0, le=1)
    """Part of the answers whose last place is drawn."""
    pool: int = Field(default=20, ge=1, le=1000)
    """Items below the answer that are drawn from, each as likely as the others."""


class Explore(Rule):
    """Epsilon-greedy over the last place that no pin holds, with the propensity of what stands there.

    With probability epsilon one of the ``m`` next items takes the place (propensity ``epsilon / m``), else it stays
    (``1 - epsilon``): what inverse propensity estimates need (Li et al., "Unbiased offline evaluation of
    contextual-bandit-based news article recommendation algorithms", WSDM 2011). Chance comes from the id of the
    request: the same id over the same state draws the same item.
    """

    name = "explore"
    stage = Stage.EXPLORE
    Config = ExploreConfig
    reason = Text("made room for something new to try", "为探索商品让位")

    config: ExploreConfig

    def apply(self, context: RuleContext, slate: Slate) -> Slate:
        free = np.flatnonzero(~slate.fixed[: context.n])
        below = np.arange(context.n, min(context.n + self.config.pool, len(slate)))
        below = below[~slate.fixed[below]]
        if not len(free) or not len(below):
            return slate
        place, epsilon = int(free[-1]), self.config.epsilon
        propensity = slate.propensity.copy()
        propensity[place] *= 1 - epsilon
        propensity[below] *= epsilon / len(below)
        order = np.arange(len(slate))
        chance, which = _draws(context.request_id)
        if chance < epsilon:
            drawn = int(below[int(which * len(below))])
            order[[place, drawn]] = drawn, place
        return replace(slate, propensity=propensity).at(order)


def _draws(request_id: str) -> tuple[float, float]:
    """Two numbers in [0, 1), independent of each other and of those of other ids."""
    digest = hashlib.blake2b(request_id.encode(), digest_size=14, person=b"explore").digest()
    return int.from_bytes(digest[:7]) / 2**56, int.from_bytes(digest[7:]) / 2**56
