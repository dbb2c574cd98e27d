"""Who is who, and what they allow."""

from datetime import UTC, datetime

from fastapi import APIRouter, Response

from features.contracts.errors import UnknownNameError
from features.contracts.knowledge import ANONYMOUS, USER
from features.lake.operators import merge_users
from serving.api.answers import json_answer
from serving.api.deps import Served, UserPath
from serving.api.keys import needs
from serving.api.problems import documented, wrong_field
from serving.api.schemas.ingest import ConsentOut, ConsentRequest, MergeOut, MergeRequest
from serving.store import Consent, Scope

router = APIRouter(prefix="/v1")


@router.post(
    "/identities/merge",
    tags=["ingest"],
    summary="Merge an anonymous visit into a user, or two users into one",
    dependencies=[needs(Scope.INGEST)],
    response_model=MergeOut,
    responses=documented(400, 401, 403, 422, 503),
)
def merge(body: MergeRequest, served: Served) -> Response:
    """At login: what the visitor did before, and does later under the anonymous id, counts for the user.

    Two users (`other_user_id`) become one for every worker within seconds, and for tags from the moment of the call on;
    `mallard identity unmerge` takes it back. Sending either again changes nothing.
    """
    with served.lake.tombstones.steady():
        _refuse_erased(body, served)
        return _merged(body, served)


def _refuse_erased(body: MergeRequest, served: Served) -> None:
    erased = served.lake.tombstones
    for field, kind in (("user_id", USER), ("other_user_id", USER), ("anonymous_id", ANONYMOUS)):
        given = getattr(body, field)
        if given is not None and erased.has(kind, given):
            raise wrong_field(field, "was erased at the user's wish 用户已要求删除")


def _merged(body: MergeRequest, served: Served) -> Response:
    if body.anonymous_id is not None:
        before = served.store.user_of(body.anonymous_id)
        done = served.store.merge(body.anonymous_id, body.user_id)
        told = {"changed": before != body.user_id, "moved": done.moved, "previous_user_id": done.previous_user_id}
        return json_answer({"user_id": served.recommend.canonical(body.user_id), **told})
    other, reason = body.other_user_id or "", body.reason or ""
    merged = merge_users(served.lake, body.user_id, other, reason=reason, now=datetime.now(UTC))
    served.recommend.refresh()
    return json_answer({"user_id": merged.user_id, "changed": merged.changed, "moved": 0, "previous_user_id": None})


@router.put(
    "/users/{user_id}/consent",
    tags=["admin"],
    summary="Set what a user allows",
    dependencies=[needs(Scope.ADMIN)],
    response_model=ConsentOut,
    responses=documented(400, 401, 403, 404, 422, 503),
)
def put_consent(user_id: UserPath, body: ConsentRequest, served: Served) -> Response:
    """A switch counts for every id of the person, at every worker, from the next answer on.

    Without `personalization` he gets the same list as everybody, and his tags and risk are not given out. Without
    `marketing` he is suppressed in churn lists.
    """
    if body.personalization is None and body.marketing is None:
        raise wrong_field("personalization", "give personalization, marketing or both")
    erased = served.lake.tombstones
    with erased.steady():
        if erased.has(USER, user_id):
            raise UnknownNameError(f"nothing is known of a user '{user_id}'")
        return _told(user_id, served.permissions.set(user_id, Consent(body.personalization, body.marketing)))


@router.get(
    "/users/{user_id}/consent",
    tags=["admin"],
    summary="What a user allows",
    dependencies=[needs(Scope.ADMIN)],
    response_model=ConsentOut,
    responses=documented(401, 403, 422, 503),
)
def get_consent(user_id: UserPath, served: Served) -> Response:
    """What holds for the person behind the id, whichever of his ids it was said for. Null: he was not asked."""
    return _told(user_id, served.permissions.of(user_id))


def _told(user_id: str, now: Consent) -> Response:
    return json_answer({"user_id": user_id, "personalization": now.personalization, "marketing": now.marketing})
