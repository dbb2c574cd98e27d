"""What a candidate source is. To add one: subclass in a new file of this folder and set ``name``."""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Self, overload

import numpy as np
import numpy.typing as npt

from features.contracts.config import Config
from features.contracts.events import ITEM_EVENTS, EventType
from training.interactions import Bool, Clock, Float32, Histories, Int32, Interactions

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Candidates:
    """Items for the rows of a :class:`Histories`, sorted by row, then score descending, then item ascending.

    A (row, item) pair occurs at most once.
    """

    row: Int32  # (c,)
    item: Int32  # (c,)
    score: Float32  # (c,) higher is better; comparable within one row only


class SourceConfig(Config):
    """Base of the configuration of a source."""


class CandidateSource(ABC):
    """Finds items for users. Immutable once fitted; equal inputs give equal outputs to the bit.

    Nothing is looked up by user index: a source answers from the history it is handed (see :class:`Histories`), which
    makes a new user, or an event of a second ago, an ordinary case. Times in a history may be after the last event of
    the fit.
    """

    name: ClassVar[str]
    Config: ClassVar[type[SourceConfig]]
    #: Settings that :meth:`fit` does not read: another value needs no other fit.
    asked_with: ClassVar[frozenset[str]] = frozenset()
    #: Clocks under which the source can find anything; under another it answers nothing.
    clocks: ClassVar[frozenset[Clock]] = frozenset(Clock)
    #: It names nothing that a user has not had: no use where only new items count.
    only_seen: ClassVar[bool] = False
    #: Types of events that it reads, in a fit and in a question; it is shown no others (see :func:`shown`).
    asked_by: ClassVar[frozenset[EventType]] = frozenset(ITEM_EVENTS)
    #: It has something to say to one of whom no event is known, by where he comes from.
    answers_strangers: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def fit(cls, data: Interactions, config: SourceConfig) -> Self:
        """Learn from ``data``, all of which is in the past of every question that will be asked."""

    @abstractmethod
    def retrieve(self, histories: Histories, n: int, *, exclude_seen: bool) -> Candidates:
        """At most ``n`` items per row; with ``exclude_seen`` none of the row's own history. May return fewer."""

    def because(self, histories: Histories, row: Int32, item: Int32) -> Int32:
        """For each (row, item) the item of that row's history that speaks most for it; -1 where no single one does."""
        return np.full(len(row), -1, dtype=np.int32)

    @abstractmethod
    def arrays(self) -> Arrays:
        """Everything the source learnt and its configuration needs, as arrays (the bundle stores them)."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, config: SourceConfig, arrays: Arrays) -> Self:
        """The inverse of :meth:`arrays`; arrays may be memory-mapped and read-only."""


@overload
def shown(source: type[CandidateSource] | None, events: Interactions) -> Interactions: ...


@overload
def shown(source: type[CandidateSource] | None, events: Histories) -> Histories: ...


def shown(source: type[CandidateSource] | None, events: Interactions | Histories) -> Interactions | Histories:
    """The events that a kind of source reads; with None those with goods, which everything else is made of."""
    read = _reads(frozenset(ITEM_EVENTS) if source is None else source.asked_by)[events.kind]
    return events if read.all() else events.where(read)


@cache
def _reads(kinds: frozenset[EventType]) -> Bool:
    """(types,) whether each type of event is among ``kinds``."""
    return np.array([kind in kinds for kind in EventType])


def sources() -> dict[str, type[CandidateSource]]:
    """Every source of this package by name, in alphabetical order. Two of one name raise ``ValueError``."""
    package = importlib.import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    found: dict[str, type[CandidateSource]] = {}
    pending = list(CandidateSource.__subclasses__())
    while pending:
        cls = pending.pop()
        pending += cls.__subclasses__()
        if "name" in cls.__dict__ and cls.__module__.startswith(f"{package.__name__}."):
            if cls.name in found:
                raise ValueError(f"two candidate sources are called {cls.name!r}: {found[cls.name]} and {cls}")
            found[cls.name] = cls
    return dict(sorted(found.items()))
