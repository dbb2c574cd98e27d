"""The YAML files that ``mallard bench`` runs on. Paths in them are relative to the file."""

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from features.contracts import columns as c
from features.contracts.config import Config
from features.contracts.durations import Duration
from features.contracts.events import ITEM_EVENTS, Activity, EventType
from features.sources import ItemsSpec, SourceSpec
from training.models.churn_config import ChurnLabel, Population


def _moment(value: object) -> object:
    """A date means its first moment; a time without a zone is UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"'{value}' is not a date such as 2017-11-20") from None
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ValueError(f"'{value}' is not a date such as 2017-11-20")


def _listed(value: object) -> list[Any] | tuple[Any, ...]:
    return value if isinstance(value, list | tuple) else [value]


def _about_items(value: tuple[EventType, ...]) -> tuple[EventType, ...]:
    for kind in value:
        if kind not in ITEM_EVENTS:
            raise ValueError(f"recommendation models learn from {', '.join(ITEM_EVENTS)}; map '{kind}' to one of them")
    return value


Moment = Annotated[datetime, BeforeValidator(_moment)]
Targets = Annotated[tuple[EventType, ...], BeforeValidator(_listed), AfterValidator(_about_items), Field(min_length=1)]


class TemporalSplitSpec(Config):
    """Everything before ``cutoff`` is known; what happens within ``horizon`` after it is the truth."""

    kind: Literal["temporal"]
    cutoff: Moment
    """First moment that is not known, UTC."""
    horizon: Duration
    """Length of the time asked about: ``28d``, ``4w``, ``36h``."""
    target: Targets = (EventType.PURCHASE,)
    """Event types that the truth is made of."""


class LeaveOneOutSpec(Config):
    """The last interaction of every user is the truth, the last but one is left for validation."""

    kind: Literal["leave_one_out"]
    target: Targets = ITEM_EVENTS
    """Event types of which the last one is the truth; by default any that names an item."""


class GivenSplitSpec(Config):
    """The truth stands in a file of its own; all ``interactions`` are known."""

    kind: Literal["given"]
    test: str
    """File or glob of the true pairs."""
    columns: dict[str, str] = Field(default_factory=dict)
    """``user_id`` and ``item_id`` -> columns of the test file, where they are called otherwise."""
    target: Targets | None = None
    """Event types that the true pairs stand for; by default purchases where the log has any, else all."""

    @field_validator("columns")
    @classmethod
    def _pair_columns(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name not in (c.USER_ID, c.ITEM_ID):
                raise ValueError(f"'{name}' is not read from a test file; known are {c.USER_ID} and {c.ITEM_ID}")
        return value


SplitSpec = Annotated[TemporalSplitSpec | LeaveOneOutSpec | GivenSplitSpec, Field(discriminator="kind")]


class Seen(StrEnum):
    """Whether an item that the user already has may be recommended to him."""

    INCLUDE = "include"
    EXCLUDE = "exclude"


class RecommendBench(Config):
    """A recommendation benchmark."""

    name: str = Field(min_length=1)
    """What the result is called."""
    interactions: SourceSpec
    items: ItemsSpec | None = None
    split: SplitSpec
    seen: Seen = Seen.INCLUDE
    """``include`` or ``exclude`` the items of a user's own history, for every model alike."""
    truth: str | None = None
    """Folder of the simulated mall that the log comes from (``mallard simulate --out``): judges an oracle beside the
    others. Only for ``split.kind: temporal`` by purchases."""
    k: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(default=(5, 10, 20), min_length=1)
    """List lengths to judge."""
    budget_minutes: float = Field(default=20.0, gt=0)
    """Wall time that fitting and choosing the pipeline may take."""

    @field_validator("k", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return _listed(value)

    @field_validator("k")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(value)))

    @model_validator(mode="after")
    def _temporal_needs_time(self) -> Self:
        if isinstance(self.split, TemporalSplitSpec):
            _require_time(self.interactions, "split.kind temporal")
        return self

    @model_validator(mode="after")
    def _truth_is_about_purchases(self) -> Self:
        asks = isinstance(self.split, TemporalSplitSpec) and self.split.target == (EventType.PURCHASE,)
        if self.truth is not None and not asks:
            raise ValueError("truth tells what people will buy: it needs split.kind temporal with target purchase")
        return self


class ChurnBench(Config):
    """A churn benchmark."""

    name: str = Field(min_length=1)
    """What the result is called."""
    interactions: SourceSpec
    items: ItemsSpec | None = None
    label: ChurnLabel
    population: Population = Population(min_events=1)
    cutoffs: Annotated[tuple[Moment, ...], BeforeValidator(_listed)] = Field(min_length=1)
    """Moments to predict from. Training uses only snapshots whose label window has closed by the cut-off."""
    truth: str | None = None
    """Folder of the simulated mall that the log comes from: judges an oracle beside the others. Only for labels that
    are no more than an absent purchase or activity."""
    budget_minutes: float = Field(default=20.0, gt=0)
    """Taken so that both kinds of file may name it; a churn fit is a fixed amount of work and stops by itself."""

    @model_validator(mode="after")
    def _needs_time(self) -> Self:
        _require_time(self.interactions, "churn")
        return self

    @model_validator(mode="after")
    def _truth_knows_the_label(self) -> Self:
        plain = self.label.gap is None and self.label.own_rhythm is None
        if self.truth is not None and not (plain and self.label.event in (EventType.PURCHASE, Activity.ANY)):
            raise ValueError("truth tells who will not buy, or do nothing, from now on: no gap, no own_rhythm")
        return self


class ValueBench(Config):
    """A value benchmark: how much will be spent, by users who have bought."""

    name: str = Field(min_length=1)
    """What the result is called."""
    interactions: SourceSpec
    items: ItemsSpec | None = None
    horizons: Annotated[tuple[Duration, ...], BeforeValidator(_listed)] = Field(min_length=1)
    """Windows of spend after each cut-off, whole days: ``[30d, 90d]``."""
    population: Population = Population()
    cutoffs: Annotated[tuple[Moment, ...], BeforeValidator(_listed)] = Field(min_length=1)
    """Moments to foretell from. Training uses only windows that have closed by the cut-off."""
    truth: str | None = None
    """Folder of the simulated mall that the log comes from: judges an oracle beside the others."""
    budget_minutes: float = Field(default=20.0, gt=0)
    """Taken so that every kind of file may name it; a value fit is a fixed amount of work and stops by itself."""

    @field_validator("horizons")
    @classmethod
    def _whole_days(cls, value: tuple[Duration, ...]) -> tuple[Duration, ...]:
        for horizon in value:
            if horizon < timedelta(days=1) or horizon % timedelta(days=1):
                raise ValueError("a horizon is a number of whole days, such as 30d")
        return tuple(sorted(set(value)))

    @model_validator(mode="after")
    def _needs_time(self) -> Self:
        _require_time(self.interactions, "value")
        return self


class TrialTable(Config):
    """A table of users for whom chance decided whether they were contacted."""

    path: str
    """CSV or Parquet file."""
    treatment: str
    """Column that names the arm."""
    control: tuple[str, ...] = Field(min_length=1)
    """Values of that column that mean: not contacted. Every other value is a contact."""
    outcome: str
    """Column with 1 where the outcome came, else 0."""
    propensity: float | str
    """Probability of being contacted: a number for all, or the column that holds it."""
    features: tuple[str, ...] = Field(min_length=1)
    """Columns known before: numbers, or words, of which each becomes a column of its own."""

    @field_validator("control", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        return tuple(str(word) for word in _listed(value))


class UpliftBench(Config):
    """An uplift benchmark."""

    name: str = Field(min_length=1)
    """What the result is called."""
    table: TrialTable
    test_share: float = Field(default=0.5, gt=0, lt=1)
    """Share of users, drawn at random, who only judge."""
    seed: int = Field(default=1, ge=0)
    """Of that draw."""


def _require_time(interactions: SourceSpec, who: str) -> None:
    if interactions.sequences is not None:
        raise ValueError(f"{who} needs times, and interactions.sequences has only an order")
    if interactions.columns and c.OCCURRED_AT not in interactions.columns:
        raise ValueError(f"{who} needs times: interactions.columns maps no {c.OCCURRED_AT}")
