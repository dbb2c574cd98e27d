"""How a data set is described in YAML: the ``interactions:``, ``items:`` and ``users:`` blocks."""

from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from features.contracts import columns as c
from features.contracts.catalogue import ITEM_SCHEMA, USER_SCHEMA
from features.contracts.config import Config
from features.contracts.events import EVENT_SCHEMA, EventType
from features.sources.samples import SAMPLES


def _check_columns(columns: dict[str, str], known: list[str], required: tuple[str, ...]) -> dict[str, str]:
    for name in columns:
        if name not in known:
            raise ValueError(f"'{name}' is not a column of Mallard; known are {', '.join(known)}")
    if columns and not any(name in columns for name in required):
        raise ValueError(f"one of {', '.join(required)} must be mapped to a column of the file")
    return columns


class SourceSpec(Config):
    """Where events come from: exactly one of ``path``, ``sequences`` and ``sample``."""

    path: str | None = None
    """File or glob, relative to the YAML file: csv, tsv, jsonl (each also .gz) or parquet."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Canonical column -> column of the file. Empty: the file uses the canonical names."""
    event_map: dict[str, EventType] = Field(default_factory=dict)
    """Word of the file -> event type. Words that are not listed must be event types already."""
    sequences: str | None = None
    """File of lines ``user item item ...`` in time order, plain or .gz; there are no timestamps."""
    sample: str | None = None
    """A data set that comes inside a package: ``complete-journey`` or ``cdnow``."""

    @field_validator("event_map", mode="before")
    @classmethod
    def _words_are_text(cls, value: Any) -> Any:
        # YAML reads an unquoted 1 as a number; in the file it is compared as text.
        return {str(k): v for k, v in value.items()} if isinstance(value, dict) else value

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, value: dict[str, str]) -> dict[str, str]:
        return _check_columns(value, EVENT_SCHEMA.names, (c.USER_ID, c.ANONYMOUS_ID))

    @field_validator("sample")
    @classmethod
    def _known_sample(cls, value: str | None) -> str | None:
        if value is not None and value not in SAMPLES:
            raise ValueError(f"there is no sample '{value}'; known are {', '.join(SAMPLES)}")
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [k for k in ("path", "sequences", "sample") if getattr(self, k) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of path, sequences and sample, not {' and '.join(given) or 'none'}")
        if self.path is None and (self.columns or self.event_map):
            raise ValueError(f"columns and event_map belong to path; {given[0]} has columns of its own")
        return self


class ItemsSpec(Config):
    """Where the catalogue comes from."""

    path: str
    """File or glob, relative to the YAML file."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Canonical item column -> column of the file. Empty: the file uses the canonical names."""

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, value: dict[str, str]) -> dict[str, str]:
        return _check_columns(value, ITEM_SCHEMA.names, (c.ITEM_ID,))


class UsersSpec(Config):
    """Where user records come from."""

    path: str
    """File or glob, relative to the YAML file."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Canonical user column -> column of the file. Empty: the file uses the canonical names."""

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, value: dict[str, str]) -> dict[str, str]:
        return _check_columns(value, USER_SCHEMA.names, (c.USER_ID,))


class SourceFile(Config):
    """A whole YAML file that describes a data set to ingest (``configs/sources/*.yaml``)."""

    name: str
    """What people call it."""
    interactions: SourceSpec
    items: ItemsSpec | None = None
    users: UsersSpec | None = None
