"""Who is who, and what they allow."""

from fastapi import APIRouter, Response

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
    summary="Merge an anonymous visit into a user",
    dependencies=[needs(Scope.INGEST)],
    response_model=MergeOut,
    responses=documented(400, 401, 403, 422, 503),
)
def merge(body: MergeRequest, served: Served) -> Response:
    """At login: what the visitor did before, and does later under the anonymous id, counts for the user."""
    return json_answer(served.store.merge(body.anonymous_id, body.user_id))


@router.put(
    "/users/{user_id}/consent",
    tags=["admin"],
    summary="Set what a user allows",
    dependencies=[needs(Scope.ADMIN)],
    response_model=ConsentOut,
    responses=documented(400, 401, 403, 422, 503),
)
def put_consent(user_id: UserPath, body: ConsentRequest, served: Served) -> Response:
    """Without `personalization` the user gets the same list as everybody, from the next answer on."""
    if body.personalization is None and body.marketing is None:
        raise wrong_field("personalization", "give personalization, marketing or both")
    now = served.store.set_consent(user_id, Consent(body.personalization, body.marketing))
    return json_answer({"user_id": user_id, "personalization": now.personalization, "marketing": now.marketing})
