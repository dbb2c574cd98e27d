"""Every place that holds records of people: how many name a person, and how they go."""

from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import pyarrow.parquet as pq

from features.contracts import columns as c
from features.contracts.home import Home
from features.engine.erasure import FoldErasure, TagErasure
from features.lake.erasure import LakeErasure, Traces
from features.lake.rewriting import Naming, count, take_out
from serving.batch.columns import LISTS_SCHEMA
from serving.engine.served_erasure import count_served, forget_served
from serving.erasure.jobs import Job
from serving.marketing.erasure import SnapshotErasure
from serving.store import OnlineStore

#: Folders whose files have a place of their own, or (bundles) are replaced by the next training.
_ELSEWHERE: Final = ("lake", "tags", "snapshots", "bundles", "online", "erasures", "audit")


class Place(Protocol):
    """Where records lie. What :meth:`purge` removed stays removed, however often it is called."""

    name: str

    def count(self, job: Job) -> dict[str, int]:
        """Records that name the person, by what they are part of."""

    def purge(self, job: Job, now: datetime) -> None:
        """Remove them."""


class StorePlace:
    """The online store: events that wait, recent events, profiles, consents, merges."""

    name = "online"

    def __init__(self, store: OnlineStore) -> None:
        self._store = store

    def count(self, job: Job) -> dict[str, int]:
        return {"online": self._store.held_of(job.person.users, job.person.visitors)}

    def purge(self, job: Job, now: datetime) -> None:
        self._store.erase(job.person.users, job.person.visitors)


class LakePlace:
    """The lake: events, quarantine, users, links, logins, flags; and quality reports."""

    name = "lake"

    def __init__(self, home: Home) -> None:
        self._lake = LakeErasure(home)

    def count(self, job: Job) -> dict[str, int]:
        return self._lake.count(job.person, job.traces or Traces())

    def purge(self, job: Job, now: datetime) -> None:
        self._lake.purge(job.person, job.traces or Traces(), key=f"erase-{job.id}", now=now)


class FoldPlace:
    """User-days folded from events."""

    name = "partials"

    def __init__(self, home: Home) -> None:
        self._folds = FoldErasure(home)

    def count(self, job: Job) -> dict[str, int]:
        return self._folds.count(job.person)

    def purge(self, job: Job, now: datetime) -> None:
        self._folds.purge(job.person)


class TagPlace:
    """Built tag tables."""

    name = "tags"

    def __init__(self, home: Home) -> None:
        self._tags = TagErasure(home)

    def count(self, job: Job) -> dict[str, int]:
        return self._tags.count(job.person)

    def purge(self, job: Job, now: datetime) -> None:
        self._tags.purge(job.person)


class SnapshotPlace:
    """Risk snapshots, and so churn lists."""

    name = "snapshots"

    def __init__(self, home: Home) -> None:
        self._snapshots = SnapshotErasure(home)

    def count(self, job: Job) -> dict[str, int]:
        return self._snapshots.count(job.person.users)

    def purge(self, job: Job, now: datetime) -> None:
        self._snapshots.purge(job.person.users)


class ServedPlace:
    """Lists that he was shown."""

    name = "served"

    def __init__(self, home: Home) -> None:
        self._folder = home.online / "served"

    def count(self, job: Job) -> dict[str, int]:
        return {"online/served": count_served(self._folder, _requests(job))}

    def purge(self, job: Job, now: datetime) -> None:
        forget_served(self._folder, _requests(job))


class ListPlace:
    """Lists made for everybody (``mallard lists``) that were written below ``MALLARD_HOME``."""

    name = "lists"

    def __init__(self, home: Home) -> None:
        self._root = home.root

    def count(self, job: Job) -> dict[str, int]:
        naming = Naming.by(c.USER_ID, _anybody(job))
        return {file.relative_to(self._root).as_posix(): count(file, naming) for file in self._files()}

    def purge(self, job: Job, now: datetime) -> None:
        naming = Naming.by(c.USER_ID, _anybody(job))
        for file in self._files():
            take_out(file, naming)

    def _files(self) -> list[Path]:
        return [
            file
            for file in sorted(self._root.rglob("*.parquet"))
            if file.relative_to(self._root).parts[0] not in _ELSEWHERE
            and pq.read_schema(file).names == LISTS_SCHEMA.names
        ]


def places_of(home: Home, store: OnlineStore) -> tuple[Place, ...]:
    """Every place, in the order in which they are purged: what others are made from goes first."""
    return (
        StorePlace(store),
        LakePlace(home),
        FoldPlace(home),
        TagPlace(home),
        SnapshotPlace(home),
        ListPlace(home),
        ServedPlace(home),
    )


def _anybody(job: Job) -> tuple[str, ...]:
    """His ids; models know a device that nobody logged in on as a user of that name."""
    return (*job.person.users, *job.person.visitors)


def _requests(job: Job) -> tuple[str, ...]:
    return (*job.requests, *(job.traces.requests if job.traces else ()))
