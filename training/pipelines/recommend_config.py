"""The configuration of recommender training (``configs/recommend.yaml``)."""

from datetime import timedelta
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from features.contracts.config import Config
from features.contracts.durations import Duration
from training.interactions import Clock
from training.models.ranker import RankerConfig
from training.models.recommender import SHORTLIST
from training.models.source import SourceConfig, sources
from training.pipelines.tuning_space import Range


class SourceSettings(Config):
    """How one candidate source takes part."""

    enabled: bool = True
    candidates: int = Field(default=100, gt=0)
    """Items per user that it hands to the ranker."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Settings of the source's own configuration class; what is not named keeps its default."""
    search: dict[str, list[Any] | Range] = Field(default_factory=dict)
    """What is tried of a setting: a list of values or ``{low: 0.1, high: 10, log: true}``; validation decides."""


class RecommendConfig(Config):
    """Everything that recommender training can be told."""

    horizon: Duration = timedelta(days=28)
    """Time after the cut-off whose purchases are to be predicted: ``28d``. Benchmarks bring their own."""
    sources: dict[str, SourceSettings] = Field(default_factory=dict)
    """By name; a source that is not named takes part with its defaults."""
    ranker: RankerConfig = RankerConfig()
    ranker_search: dict[str, list[Any] | Range] = Field(default_factory=dict)
    """What is tried of the ranker's settings, as for sources; older validation folds decide."""
    folds: int = Field(default=3, gt=0)
    """Validation folds carved from the past: the newest chooses, the older ones train the ranker."""
    search_users: int = Field(default=3000, gt=0)
    """Users of a fold that settings are tried on."""
    fold_users: int = Field(default=20_000, gt=0)
    """Users of a fold that the ranker and the blend are fitted and compared on."""
    shortlist: int = Field(default=SHORTLIST, gt=0)
    """Candidates per user, the blend's best, that the ranker orders."""
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
                for value in (values.low, values.high) if isinstance(values, Range) else values:
                    _build(name, {**settings.config, key: value})
            _build(name, settings.config)
        for key, values in self.ranker_search.items():
            if key not in RankerConfig.model_fields:
                raise ValueError(f"ranker_search: the ranker has no setting '{key}'")
            for value in (values.low, values.high) if isinstance(values, Range) else values:
                try:
                    RankerConfig.model_validate({key: value})
                except ValidationError as error:
                    raise ValueError(f"ranker_search.{key}: {error.errors()[0]['msg']}") from error
        return self

    def settings(self, name: str) -> SourceSettings:
        """The settings of one source, defaults when it is not named."""
        return self.sources.get(name, SourceSettings())

    def taking_part(self, clock: Clock, *, repeats: bool) -> list[str]:
        """Names of the sources that can find anything under a ``clock``; without ``repeats`` only new items count."""
        return [
            name
            for name, source in sources().items()
            if self.settings(name).enabled and clock in source.clocks and (repeats or not source.only_seen)
        ]


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
