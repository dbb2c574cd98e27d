"""What a server is started with."""

from dataclasses import dataclass, field
from typing import Self

from features.contracts.config import load_config
from features.contracts.home import Home
from serving.config import ServingConfig
from serving.engine.campaigns import with_campaigns
from serving.engine.placements import Placement, check_default, load_placements


@dataclass(frozen=True)
class Settings:
    """Paths, parameters and placements of one server; reading them touches nothing but configuration files."""

    home: Home
    config: ServingConfig = field(default_factory=ServingConfig)
    placements: dict[str, Placement] = field(default_factory=load_placements)

    @classmethod
    def of(cls, home: Home) -> Self:
        """Read ``serving.yaml``, ``placements/*.yaml`` and ``campaigns/*.yaml`` below ``home.configs``.

        Absent files mean the defaults, and no campaigns.

        Raises :class:`~features.contracts.errors.ConfigError` that names file, line and key.
        """
        config = load_config(ServingConfig, home.configs / "serving.yaml", optional=True)
        placements = with_campaigns(load_placements(home.configs / "placements"), home.configs / "campaigns")
        check_default(placements, config.engine.default_placement)
        return cls(home, config, placements)

    @classmethod
    def from_environment(cls) -> Self:
        """``MALLARD_HOME``, ``MALLARD_CONFIGS`` and ``MALLARD_MLRUNS`` say where things are."""
        return cls.of(Home.from_environment())
