"""Placements: where in the mall a list is shown, how long it is and which rules it obeys."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SerializeAsAny, field_validator

from features.contracts.config import Config, load_config
from features.contracts.errors import ConfigError, UnknownNameError
from features.contracts.events import EventType
from serving.rules import Rule, RuleChain, RuleConfig, rule_class

#: Rules that answer the request itself. They run in every placement and are not listed there.
ALWAYS = ("exclusions", "filters", "at_most")


class RuleUse(Config):
    """One rule of a placement with its parameters."""

    rule: str
    """Name of the rule, see ``serving/rules``."""
    parameters: SerializeAsAny[RuleConfig]
    """Parameters of that rule; absent ones have the rule's defaults."""

    def build(self) -> Rule:
        return rule_class(self.rule)(self.parameters)


class Placement(Config):
    """What is shown at one place of the mall. The file name is the placement's name."""

    description: str = ""
    """For readers."""
    target: Literal["click", "purchase"] = "purchase"
    """What a shown item is to lead to. It stands in the log of served lists, for estimates: no list depends on it."""
    n: int = Field(default=5, ge=1, le=100)
    """Items of an answer when the request does not say. Five was best accepted by the mall's users."""
    ranked: int = Field(default=100, ge=1, le=1000)
    """How many ranked items the rules may choose from."""
    exclude_seen: bool = False
    """Whether items of the user's own history (views included) are left out before ranking."""
    context_event: EventType = EventType.VIEW
    """What the items that a request names as context count as: ``view`` beside an item, ``cart_add`` in the cart."""
    rules: tuple[RuleUse, ...] = Field(
        default_factory=lambda: tuple(use_rule({"rule": name}) for name in ("availability", "bought", "diversity"))
    )
    """``- {rule: bought, policy: repeat_after, days: 7}``. They run by stage: filters, weights, the choice of the list,
    pins, exploration; within a stage as listed."""

    @field_validator("rules", mode="before")
    @classmethod
    def _named(cls, uses: Any) -> Any:
        return [use_rule(use) if isinstance(use, dict) else use for use in uses] if isinstance(uses, list) else uses

    @cached_property
    def chain(self) -> RuleChain:
        """Every rule of an answer, the request's own included, made when it is first asked for."""
        always = [rule_class(name)(rule_class(name).Config()) for name in ALWAYS]
        return RuleChain((*always, *(use.build() for use in self.rules)))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, which makes its own chain of its own rules."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("chain", None)
        return copy


def load_placements(folder: Path | None = None) -> dict[str, Placement]:
    """Every placement of ``folder`` over the built-in ones; without a folder only these.

    Raises :class:`ConfigError` that names file, line and key of a mistake.
    """
    placements = {name: Placement.model_validate(plain) for name, plain in _BUILT_IN.items()}
    for file in sorted(folder.glob("*.yaml")) if folder is not None else []:
        placements[file.stem] = load_config(Placement, file)
    return placements


def use_rule(entry: dict[str, Any]) -> RuleUse:
    """A rule with its parameters; raises ``ValueError`` that says what is wrong."""
    parameters = dict(entry)
    if "rule" not in parameters:
        raise ValueError("every rule needs its name: '- rule: availability'")
    name = str(parameters.pop("rule"))
    try:
        chosen = rule_class(name)
    except UnknownNameError as error:
        raise ValueError(str(error)) from error
    if name in ALWAYS:
        raise ValueError(f"the rule '{name}' answers the request and always runs; it is not listed in a placement")
    return RuleUse(rule=name, parameters=chosen.Config.model_validate(parameters))


def check_default(placements: dict[str, Placement], name: str) -> None:
    """Raise :class:`ConfigError` when the default placement does not exist."""
    if name not in placements:
        raise ConfigError(f"default_placement: there is no placement '{name}'; there are {', '.join(placements)}")


_AVAILABLE = {"rule": "availability"}
_AGAIN = {"rule": "bought", "policy": "when_due", "days": 3, "due": 0.7}
_FATIGUE = {"rule": "fatigue", "days": 3, "factor": 0.6}
_DIFFERENT = {"rule": "mmr", "weight": 0.1}
_VARIED = {"rule": "diversity", "per_category": 2, "per_shop": 3}

#: What holds when no file says otherwise; ``configs/placements`` says the same, with the reasons.
_BUILT_IN: dict[str, dict[str, Any]] = {
    "home": {"rules": [_AVAILABLE, _AGAIN, _FATIGUE, _DIFFERENT, _VARIED]},
    "detail": {
        "target": "click",
        "rules": [
            _AVAILABLE,
            _AGAIN,
            {"rule": "near", "intent": "similar", "factor": 3},
            {**_VARIED, "per_category": 3},
        ],
    },
    "cart": {
        "context_event": "cart_add",
        "rules": [_AVAILABLE, _AGAIN, {"rule": "near", "intent": "complementary", "factor": 2}, _DIFFERENT, _VARIED],
    },
    "after_pay": {
        "context_event": "purchase",
        "rules": [
            _AVAILABLE,
            {"rule": "bought", "policy": "repeat_after", "days": 7},
            {"rule": "near", "intent": "complementary", "factor": 2},
            {**_VARIED, "per_category": 1},
        ],
    },
    "article": {
        "target": "click",
        "context_event": "article_read",
        "rules": [_AVAILABLE, _AGAIN, _DIFFERENT, _VARIED],
    },
    "push": {
        "target": "click",
        "rules": [
            _AVAILABLE,
            {**_AGAIN, "due": 0.9},
            {**_FATIGUE, "days": 2, "factor": 0.5},
            {**_VARIED, "per_category": 1},
        ],
    },
    "search_empty": {
        "target": "click",
        "ranked": 300,
        "rules": [_AVAILABLE, _AGAIN, {"rule": "mmr", "weight": 0.2}, _VARIED],
    },
    "discover": {
        "target": "click",
        "ranked": 300,
        "rules": [
            _AVAILABLE,
            {"rule": "bought", "policy": "exclude"},
            _FATIGUE,
            _DIFFERENT,
            _VARIED,
            {"rule": "explore", "epsilon": 0.2, "pool": 20},
        ],
    },
}
