"""The tags of a user that answer: those of the last build, or refreshed ones that are newer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from features.contracts.errors import MissingStateError, UnknownNameError
from features.engine import TagBuild, TagStore
from serving.store.protocol import OnlineStore, Profile


class Origin(StrEnum):
    """Where tags come from."""

    BATCH = "batch"
    REAL_TIME = "real_time"


@dataclass(frozen=True)
class Fresh:
    """The tags of a user, and how fresh they are."""

    user_id: str
    as_of: datetime
    built_at: datetime
    source: Origin
    spec_hash: str
    tags: dict[str, Any]


def replaces(build: TagBuild, profile: Profile) -> bool:
    """Whether ``build`` answers in place of ``profile``: it is of a later moment, or of other declarations."""
    return build.as_of > profile.as_of or build.spec_hash != profile.spec_hash


def freshest(store: OnlineStore, tags: TagStore, user_id: str, *formerly: str) -> Fresh:
    """The freshest tags of ``user_id``, or while he has none those of the first of the ids that he had ``formerly``.

    Raises :class:`UnknownNameError` for a user without any, :class:`MissingStateError` when none were built.
    """
    try:
        return _freshest(store, tags, user_id)
    except UnknownNameError:
        if not formerly:
            raise
        return freshest(store, tags, *formerly)


def _freshest(store: OnlineStore, tags: TagStore, user_id: str) -> Fresh:
    profile = store.profile(user_id)
    try:
        build = tags.latest()
    except MissingStateError:
        if profile is None:
            raise
        return _refreshed(profile)
    if profile is not None and not replaces(build, profile):
        return _refreshed(profile)
    values = tags.profile(user_id)
    return Fresh(user_id, build.as_of, build.built_at, Origin.BATCH, build.spec_hash, values)


def _refreshed(profile: Profile) -> Fresh:
    return Fresh(profile.user_id, profile.as_of, profile.built_at, Origin.REAL_TIME, profile.spec_hash, profile.tags)
