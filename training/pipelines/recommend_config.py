"""The configuration of recommender training (``configs/recommend.yaml``)."""

from datetime import timedelta
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from features.contracts.config import Config
from features.contracts.durations import Duration
from training.models.ranker import RankerConfig
from training.models.source import SourceConfig, sources


class SourceSettings(Config):
    """How one candidate source takes part."""

    enabled: bool = True
    candidates: int = Field(default=100, gt=0)
    """Items per user that it hands to the ranker."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Settings of the source's own configuration class; what is not named keeps its default."""
    search: dict[str, list[Any]] = Field(default_factory=dict)
    """Values tried for a setting, one setting after the other; validation decides."""


class RecommendConfig(Config):
    """Everything that recommender training can be told."""

    horizon: Duration = timedelta(days=28)
    """Time after the cut-off whose purchases are to be predicted: ``28d``. Benchmarks bring their own."""
    sources: dict[str, SourceSettings] = Field(default_factory=dict)
    """By name; a source that is not named takes part with its defaults."""
    ranker: RankerConfig = RankerConfig()
    folds: int = Field(default=3, gt=0)
    """Validation folds carved from the past: the newest chooses, the older ones train the ranker."""
    search_users: int = Field(default=3000, gt=0)
    """Users of a fold that settings are tried on."""
    fold_users: int = Field(default=20_000, gt=0)
    """Users of a fold that the ranker and the blend are fitted and compared on."""
    max_pairs: int = Field(default=900_000, gt=0)
    """Candidate pairs that the ranker is trained on, over all folds."""
    seed: int = 0

    @model_validator(mode="after")
    def _check_sources(self) -> Self:
        known = sources()
        for name, settings in self.sources.items():
            if name not in known:
                raise ValueError(f"sources.{name}: there is no such source; there are {', '.join(known)}")
            for key, values in settings.search.items():
                for value in values:
                    _build(name, {**settings.config, key: value})
            _build(name, settings.config)
        return self

    def settings(self, name: str) -> SourceSettings:
        """The settings of one source, defaults when it is not named."""
        return self.sources.get(name, SourceSettings())

    def enabled(self) -> list[str]:
        """Names of the sources that take part."""
        return [name for name in sources() if self.settings(name).enabled]


def source_config(name: str, values: dict[str, Any]) -> SourceConfig:
    """The typed configuration of a source from plain values."""
    return sources()[name].Config(**values)


def _build(name: str, values: dict[str, Any]) -> None:
    try:
        source_config(name, values)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise ValueError(f"sources.{name}: {key}: {problem['msg']}") from error
