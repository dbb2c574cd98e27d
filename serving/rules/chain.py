"""Rules one after the other, and what becomes of a list under them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from serving.rules.compiled import drawn_from
from serving.rules.context import RuleContext
from serving.rules.rule import Offer, Rule, Stage
from serving.rules.slate import Slate
from training.models.ragged import zero_slots


@dataclass(frozen=True)
class Outcome:
    """What is left of a slate, and how it came about."""

    slate: Slate
    dropped: Mapping[int, str]  # item index -> rule that took it out, or that took its place among the first ``n``
    offered: Mapping[int, Offer]  # items that rules brought in, whether or not they are shown


class RuleChain:
    """Rules in the order in which they run. Made once for a placement; holds no state of an answer."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """In any order: they run by stage, within one as given."""
        self.rules = tuple(sorted(rules, key=lambda rule: rule.stage))
        self._offering = tuple(rule for rule in self.rules if type(rule).offers is not Rule.offers)

    @property
    def explores(self) -> bool:
        """Whether chance decides about a place of its lists."""
        return any(rule.stage is Stage.EXPLORE for rule in self.rules)

    def apply(self, context: RuleContext, slate: Slate, *, trace: bool = True) -> Outcome:
        """Run the rules over ``slate`` and what they offer; without ``trace`` nobody asks what was dropped.

        Only items that can be bought are brought in. Raises ``ValueError`` when a rule answers with an item that it
        was not given, or with one twice.
        """
        offered = self._offers(context, slate)
        if offered:
            slate = slate.extended(offered)
        dropped: dict[int, str] = {}
        for rule in self.rules:
            if rule.rests(context):
                continue
            after = rule.apply(context, slate)
            if after is slate:
                continue
            if not drawn_from(after.item, slate.item, zero_slots(len(context.facts))):
                raise ValueError(f"the rule '{rule.name}' shows items twice, or items that it was not given")
            if trace:
                _note(dropped, rule, context.n, slate, after)
            slate = after
        here = set(slate.item.tolist()) if dropped else set()
        return Outcome(slate, {item: rule for item, rule in dropped.items() if item not in here}, offered)

    def _offers(self, context: RuleContext, slate: Slate) -> dict[int, Offer]:
        """What rules bring in that is not ranked; of several that offer an item the first one's word counts."""
        offers = {item: offer for rule in reversed(self._offering) for item, offer in rule.offers(context).items()}
        if not offers:
            return offers
        present = set(slate.item.tolist())
        return {i: offer for i, offer in offers.items() if i not in present and context.facts.available[i]}


def _note(dropped: dict[int, str], rule: Rule, n: int, before: Slate, after: Slate) -> None:
    """Write down which items ``rule`` pushed out of the first ``n``, and which it took out."""
    left, shown = set(after.item.tolist()), set(after.item[:n].tolist())
    pushed_out = [item for item in before.item[:n].tolist() if item not in shown]
    taken_out = [item for item in before.item.tolist() if item not in left]
    for item in (*pushed_out, *taken_out):
        # The length takes out what another rule had pushed below it: that one is the reason.
        if rule.stage is not Stage.CUT or item not in dropped:
            dropped[item] = rule.name
