"""The tag catalogue and the tags of a user."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from fastapi import APIRouter, Response

from features.engine import TagStore
from features.tags import catalogue, spec_hash
from serving.api.answers import json_answer
from serving.api.deps import ProfiledUser, Served
from serving.api.keys import needs
from serving.api.problems import documented
from serving.api.schemas.risk import ProfileOut, TagsOut
from serving.refresh.freshest import freshest
from serving.store import Scope

router = APIRouter(prefix="/v1", tags=["marketing"], dependencies=[needs(Scope.MARKETING)])


@router.get("/tags", summary="The tag catalogue", response_model=TagsOut, responses=documented(401, 403))
def list_tags() -> Response:
    """Every tag with its meaning, unit, window and privacy class."""
    return json_answer(_described())


@cache
def _described() -> dict[str, Any]:
    """Declarations do not change while a worker lives, and hashing them all takes a moment."""
    tags = catalogue()
    described = [
        {
            "name": tag.name,
            "family": tag.family.name,
            "dtype": tag.dtype,
            "unit": tag.kind.unit,
            "null": tag.kind.nulls.meaning,
            "window": str(tag.window),
            "privacy": tag.privacy,
            "title": {"en": tag.title, "zh": tag.title_zh},
            "description": tag.description,
        }
        for tag in tags.values()
    ]
    return {"tag_spec": spec_hash(list(tags)), "tags": described}


@router.get(
    "/users/{user_id}/tags",
    summary="The tags of a user",
    response_model=ProfileOut,
    responses=documented(401, 403, 404, 422, 503),
)
def tags_of_user(user_id: ProfiledUser, served: Served) -> Response:
    """All tags of one user; null where a tag says nothing of this user. 403 once he switched personalization off.

    They are of the latest build of everybody, or newer: built for this user alone after events of his (`source` is
    `real_time`), within seconds of an order or of more than five views, of any other event within a minute or so.
    Of merged users the answer is the one that they are now; until he has tags, this one of them as he was.
    """
    ids = dict.fromkeys((served.recommend.canonical(user_id), user_id))
    fresh = freshest(served.store, TagStore(served.settings.home), *ids)
    return json_answer(
        {
            "user_id": fresh.user_id,
            "as_of": fresh.as_of,
            "built_at": fresh.built_at,
            "source": fresh.source,
            "age_seconds": round((datetime.now(UTC) - fresh.as_of).total_seconds(), 3),
            "tag_spec": fresh.spec_hash,
            "tags": fresh.tags,
        }
    )
