"""Placements: where in the mall a list is shown, how long it is and which rules it obeys."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, SerializeAsAny, field_validator

from features.contracts.config import Config, load_config
from features.contracts.errors import ConfigError, UnknownNameError
from features.contracts.events import EventType
from serving.rules import Rule, RuleConfig, rule_class

#: Rules that answer the request itself. They run in every placement and are not listed there.
BEFORE = ("exclusions", "filters")
AFTER = ("at_most",)


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
    n: int = Field(default=5, ge=1, le=100)
    """Items of an answer when the request does not say. Five was best accepted by the mall's users."""
    ranked: int = Field(default=100, ge=1, le=1000)
    """How many ranked items the rules may choose from."""
    exclude_seen: bool = False
    """Whether items of the user's own history (views included) are left out before ranking."""
    context_event: EventType = EventType.VIEW
    """What the items that a request names as context count as: ``view`` beside an item, ``cart_add`` in the cart."""
    rules: tuple[RuleUse, ...] = Field(
        default_factory=lambda: tuple(_use({"rule": name}) for name in ("availability", "bought", "diversity"))
    )
    """The rules in the order in which they run; ``- {rule: bought, policy: repeat_after, days: 7}``."""

    @field_validator("rules", mode="before")
    @classmethod
    def _named(cls, uses: Any) -> Any:
        return [_use(use) if isinstance(use, dict) else use for use in uses] if isinstance(uses, list) else uses

    def chain(self) -> tuple[Rule, ...]:
        """Every rule of an answer: the request's, the placement's, and the length."""
        edges = {name: rule_class(name) for name in (*BEFORE, *AFTER)}
        before = [edges[name](edges[name].Config()) for name in BEFORE]
        after = [edges[name](edges[name].Config()) for name in AFTER]
        return (*before, *(use.build() for use in self.rules), *after)


def load_placements(folder: Path | None = None) -> dict[str, Placement]:
    """Every placement of ``folder`` over the built-in ones; without a folder only these.

    Raises :class:`ConfigError` that names file, line and key of a mistake.
    """
    placements = dict(_built_in())
    for file in sorted(folder.glob("*.yaml")) if folder is not None else []:
        placements[file.stem] = load_config(Placement, file)
    return placements


def _built_in() -> dict[str, Placement]:
    """What holds when no file says otherwise."""
    available, varied = _use({"rule": "availability"}), _use({"rule": "diversity", "per_category": 2})
    repeat = _use({"rule": "bought", "policy": "repeat_after", "days": 3})
    never = _use({"rule": "bought", "policy": "exclude"})
    return {
        "home": Placement(description="the entry page: what this user may want now", rules=(available, repeat, varied)),
        "detail": Placement(description="below one item", rules=(available, repeat, varied)),
        "cart": Placement(
            description="beside the cart: what goes with it",
            context_event=EventType.CART_ADD,
            rules=(available, repeat, varied),
        ),
        "discover": Placement(description="only what the user has never bought", rules=(available, never, varied)),
    }


def _use(entry: dict[str, Any]) -> RuleUse:
    parameters = dict(entry)
    if "rule" not in parameters:
        raise ValueError("every rule needs its name: '- rule: availability'")
    name = str(parameters.pop("rule"))
    try:
        chosen = rule_class(name)
    except UnknownNameError as error:
        raise ValueError(str(error)) from error
    if name in BEFORE or name in AFTER:
        raise ValueError(f"the rule '{name}' answers the request and always runs; it is not listed in a placement")
    return RuleUse(rule=name, parameters=chosen.Config.model_validate(parameters))


def describe(placement: Placement) -> str:
    """The placement as the YAML that would load it."""
    rules = [{"rule": use.rule, **use.parameters.model_dump(mode="json")} for use in placement.rules]
    text: str = yaml.safe_dump(
        {**placement.model_dump(mode="json", exclude={"rules"}), "rules": rules}, sort_keys=False
    )
    return text


def check_default(placements: dict[str, Placement], name: str) -> None:
    """Raise :class:`ConfigError` when the default placement does not exist."""
    if name not in placements:
        raise ConfigError(f"default_placement: there is no placement '{name}'; there are {', '.join(placements)}")
