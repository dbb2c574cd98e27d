"""Not five times the same kind of thing, nor all from one shop, in one list."""

from pydantic import Field

from serving.rules.context import RuleContext, Text
from serving.rules.rule import RuleConfig, Select, Slate
from training.interactions import Int32

_Cap = int | None


class DiversityConfig(RuleConfig):
    """Parameters of :class:`Diversity`: how many items of one group the answer holds at most; null for no limit."""

    per_category: _Cap = Field(default=2, ge=1)
    per_department: _Cap = Field(default=None, ge=1)
    per_brand: _Cap = Field(default=None, ge=1)
    per_shop: _Cap = Field(default=None, ge=1)


class Diversity(Select):
    """Caps how many of the ``n`` wanted items share a category, department, brand or shop.

    Walks the list best first and takes an item while its groups have room. When that gives fewer than ``n`` items,
    the best of the others fill the places: a varied list is wanted, a short one is not. Items of an unknown group
    are never held back by it.
    """

    name = "diversity"
    Config = DiversityConfig
    reason = Text("enough of this kind in the list", "同类商品已足够")

    config: DiversityConfig

    def choose(self, context: RuleContext, slate: Slate) -> list[int]:
        facts, config = context.facts, self.config
        limits = (
            (facts.category, config.per_category),
            (facts.department, config.per_department),
            (facts.brand, config.per_brand),
            (facts.shop, config.per_shop),
        )
        caps = [(codes[slate.item], cap) for codes, cap in limits if cap is not None]
        taken = _walk(caps, len(slate), context.n)
        missing = min(context.n, len(slate)) - len(taken)
        if missing > 0:
            others = sorted(set(range(len(slate))) - set(taken))
            taken = sorted([*taken, *others[:missing]])
        return taken


def _walk(caps: list[tuple[Int32, int]], length: int, wanted: int) -> list[int]:
    groups = [codes.tolist() for codes, _ in caps]
    room: list[dict[int, int]] = [{} for _ in caps]
    taken: list[int] = []
    for position in range(length):
        if len(taken) == wanted:
            break
        codes = [group[position] for group in groups]
        full = any(
            code >= 0 and counts.get(code, 0) >= cap for code, counts, (_, cap) in zip(codes, room, caps, strict=True)
        )
        if not full:
            taken.append(position)
            for code, counts in zip(codes, room, strict=True):
                counts[code] = counts.get(code, 0) + 1
    return taken
