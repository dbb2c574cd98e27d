"""Not five times the same kind of thing in one list."""

import numpy as np
from pydantic import Field

from serving.rules.rule import Rule, RuleConfig, RuleContext, Slate, Text
from training.interactions import Bool, Int32


class DiversityConfig(RuleConfig):
    """Parameters of :class:`Diversity`."""

    per_category: int | None = Field(default=2, ge=1)
    """At most so many items of one category in the answer; null for no limit."""
    per_department: int | None = Field(default=None, ge=1)
    """At most so many items of one top-level category; null for no limit."""


class Diversity(Rule):
    """Caps how many of the ``n`` wanted items share a category or department.

    Walks the list best first and takes an item while its groups have room. When that gives fewer than ``n`` items,
    the best of the others fill the places: a varied list is wanted, a short one is not. Items of unknown category
    are never held back.
    """

    name = "diversity"
    Config = DiversityConfig
    reason = Text("enough of this kind in the list", "同类商品已足够")

    config: DiversityConfig

    def keep(self, context: RuleContext, slate: Slate) -> Bool:
        caps = [
            (facts[slate.item], cap)
            for facts, cap in (
                (context.facts.category, self.config.per_category),
                (context.facts.department, self.config.per_department),
            )
            if cap is not None
        ]
        taken = _walk(caps, len(slate), context.n)
        missing = min(context.n, len(slate)) - int(taken.sum())
        if missing > 0:
            taken[np.flatnonzero(~taken)[:missing]] = True
        return taken


def _walk(caps: list[tuple[Int32, int]], length: int, wanted: int) -> Bool:
    groups = [codes.tolist() for codes, _ in caps]
    room: list[dict[int, int]] = [{} for _ in caps]
    taken = np.zeros(length, dtype=np.bool_)
    left = wanted
    for position in range(length):
        if left == 0:
            break
        codes = [group[position] for group in groups]
        full = any(
            code >= 0 and counts.get(code, 0) >= cap for code, counts, (_, cap) in zip(codes, room, caps, strict=True)
        )
        if not full:
            taken[position] = True
            left -= 1
            for code, counts in zip(codes, room, strict=True):
                counts[code] = counts.get(code, 0) + 1
    return taken
