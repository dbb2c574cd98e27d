"""Campaigns: what the mall pins, boosts and blocks for a while, at one placement or many."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.contracts.config import load_config
from features.contracts.errors import ConfigError
from serving.engine.placements import Placement, use_rule
from serving.rules.aim import Aim, Period
from serving.rules.boost import BoostAim
from serving.rules.pin import PinAim


class Campaign(Period):
    """One file of ``configs/campaigns``. Its dates hold for all entries that have none of their own."""

    description: str = ""
    """For readers."""
    placements: tuple[str, ...] = ()
    """Where it holds; empty: everywhere."""
    pins: tuple[PinAim, ...] = ()
    """``- {item: "42", place: 1}``"""
    boosts: tuple[BoostAim, ...] = ()
    """``- {categories: ["Fresh > Fruit"], factor: 1.5}``; also ``items``, ``brands``, ``shops``."""
    blocks: tuple[Aim, ...] = ()
    """``- {brands: ["ACME"]}``"""

    def over(self, placement: Placement) -> Placement:
        """``placement`` with the campaign's rules in front of its own."""
        entries: dict[str, tuple[Period, ...]] = {"pin": self.pins, "boost": self.boosts, "block": self.blocks}
        uses = [use_rule({"rule": name, f"{name}s": self._dated(given)}) for name, given in entries.items() if given]
        return placement.model_copy(update={"rules": (*uses, *placement.rules)})

    def _dated(self, entries: tuple[Period, ...]) -> list[Period]:
        dates: dict[str, Any] = {"from_": self.from_, "until": self.until}
        undated = [entry.from_ is None and entry.until is None for entry in entries]
        return [e.model_copy(update=dates) if open_ else e for e, open_ in zip(entries, undated, strict=True)]


def with_campaigns(placements: Mapping[str, Placement], folder: Path) -> dict[str, Placement]:
    """``placements`` under every campaign of ``folder``, which may be missing.

    Raises :class:`ConfigError` that names file, line and key of a mistake, or the placement that does not exist.
    """
    result = dict(placements)
    for file in sorted(folder.glob("*.yaml")):
        campaign = load_config(Campaign, file)
        for name in campaign.placements or tuple(result):
            if name not in result:
                raise ConfigError(f"{file}: placements: there is no placement '{name}'; there are {', '.join(result)}")
            result[name] = campaign.over(result[name])
    return result
