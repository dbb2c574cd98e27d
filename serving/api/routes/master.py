"""Items and users as the mall changes them."""

from typing import TypeVar

from fastapi import APIRouter, Response

from features.contracts import columns as c
from features.contracts.knowledge import USER
from features.identity import hashed_identities
from serving.api.answers import json_answer
from serving.api.deps import Served
from serving.api.keys import needs
from serving.api.problems import documented, wrong_field
from serving.api.schemas.ingest import ChangedOut, ItemIn, ItemsRequest, UserIn, UsersRequest
from serving.store import Consent, Scope

router = APIRouter(prefix="/v1", tags=["ingest"], dependencies=[needs(Scope.INGEST)])

Row = TypeVar("Row", ItemIn, UserIn)


@router.put(
    "/items", summary="Put items", response_model=ChangedOut, responses=documented(400, 401, 403, 413, 422, 503)
)
def put_items(body: ItemsRequest, served: Served) -> Response:
    """Add or change items. Price, stock and status count in the next answer; new items with the next training."""
    served.store.put_items(_by_id(body.items, c.ITEM_ID, served.settings.config.limits.events, "items"))
    return json_answer({"changed": len(body.items)})


@router.put(
    "/users", summary="Put users", response_model=ChangedOut, responses=documented(400, 401, 403, 413, 422, 503)
)
def put_users(body: UsersRequest, served: Served) -> Response:
    """Add or change users. Consent counts in the next answer; the rest with the next build of tags."""
    changes = _by_id(body.users, c.USER_ID, served.settings.config.limits.events, "users")
    for user_id, fields in changes.items():
        if isinstance(given := fields.get(c.IDENTITIES), dict):
            fields[c.IDENTITIES] = hashed_identities(given, user_id, served.lake.identity_key)
    erased = served.lake.tombstones
    with erased.steady():
        for user_id in changes:
            if erased.has(USER, user_id):
                raise wrong_field("users", f"the user '{user_id}' was erased; nothing of the batch is kept")
        served.store.put_users(changes)
        for user in body.users:
            if user.consent_personalization is not None or user.consent_marketing is not None:
                served.store.set_consent(user.user_id, Consent(user.consent_personalization, user.consent_marketing))
    return json_answer({"changed": len(body.users)})


def _by_id(rows: list[Row], key: str, limit: int, field: str) -> dict[str, dict[str, object]]:
    """Only the fields that were sent, by id; of two rows for one id the later one wins field by field."""
    if len(rows) > limit:
        raise wrong_field(field, f"at most {limit} in one request, found {len(rows)}")
    changes: dict[str, dict[str, object]] = {}
    for row in rows:
        sent = row.model_dump(mode="json", exclude_unset=True)
        changes.setdefault(str(sent.pop(key)), {}).update(sent)
    return changes
