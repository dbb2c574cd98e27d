"""Thresholds that a mall sets for itself: ``configs/tags.yaml``, and the defaults where it says nothing.

The edges of the program say where the settings of their process lie before tags are built. Expressions of tags read
them when they are compiled, so the thresholds stand in the SQL and :func:`features.tags.spec_hash` knows them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, model_validator

from features.contracts.config import Config, load_config

_Money = Annotated[float, Field(gt=0)]
_Days = Annotated[int, Field(ge=1)]

FILE: Final = "tags.yaml"


class Lifecycle(Config):
    """Where one stage ends and the next begins."""

    new_days: _Days = 30
    """Days since the first visit (or purchase) within which a user is new."""
    active_days: _Days = 30
    """Days since the last visit (or purchase) within which a user is active."""
    silent_days: _Days = 90
    """Days since the last visit (or purchase) within which a user is silent, and after which he is lost."""

    @model_validator(mode="after")
    def _rising(self) -> "Lifecycle":
        if self.silent_days <= self.active_days:
            raise ValueError(f"silent_days ({self.silent_days}) must be above active_days ({self.active_days})")
        return self


class TagSettings(Config):
    """Thresholds of tags. Amounts are in the currency of the log, per user."""

    level_spend: tuple[_Money, _Money, _Money, _Money] = (200.0, 1_000.0, 3_000.0, 10_000.0)
    """Spend of 365 days that gives the member levels V2, V3, V4 and V5."""
    level_active_days: tuple[_Days, _Days, _Days, _Days] = (12, 48, 120, 240)
    """Active days of 365 that give the same levels; reaching either is enough."""
    high_value_monthly_spend: _Money = 500.0
    """Spend per month of the last 90 days above which a user is of high value."""
    price_bands: tuple[_Money, _Money, _Money, _Money] = (10.0, 50.0, 200.0, 1_000.0)
    """Prices per piece at which the price bands P2, P3, P4 and P5 begin."""
    lifecycle: Lifecycle = Lifecycle()
    """Limits of the lifecycle stages, in days."""
    tired_after_days: _Days = 3
    """Days running on which one category dominated what was shown, from which a user is tired of it."""

    @model_validator(mode="after")
    def _rising(self) -> "TagSettings":
        for name in ("level_spend", "level_active_days", "price_bands"):
            steps = getattr(self, name)
            if any(low >= high for low, high in pairwise(steps)):
                raise ValueError(f"{name}: each threshold must be above the one before, found {list(steps)}")
        return self


DEFAULTS: Final = TagSettings()


class _Process:
    """What this process was told."""

    settings: TagSettings | None = DEFAULTS
    configs: Path | None = None


def tag_settings() -> TagSettings:
    """Those of this process.

    Raises :class:`ConfigError` that names file, line and key when the file of the process is wrong: that stops what
    compiles tags and nothing else.
    """
    if _Process.settings is None:
        assert _Process.configs is not None
        _Process.settings = read_settings(_Process.configs)
    return _Process.settings


def read_settings(configs: Path) -> TagSettings:
    """The settings below the folder ``configs``; the defaults without such a file."""
    return load_config(TagSettings, configs / FILE, optional=True)


def use_settings(source: TagSettings | Path) -> None:
    """From now on tags are compiled with these thresholds, or with those below a folder, read when first needed."""
    if isinstance(source, Path):
        _Process.settings, _Process.configs = None, source
    else:
        _Process.settings, _Process.configs = source, None


@contextmanager
def using_settings(source: TagSettings | Path) -> Iterator[None]:
    """The same inside the block only."""
    before = _Process.settings, _Process.configs
    use_settings(source)
    try:
        yield
    finally:
        _Process.settings, _Process.configs = before
