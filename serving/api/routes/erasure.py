"""A person who asks to be forgotten."""

from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import quote

from fastapi import APIRouter, Response

from features.contracts.errors import UnknownNameError
from features.contracts.knowledge import USER
from serving.api.answers import json_answer, shown
from serving.api.deps import Served, UserPath
from serving.api.examples.erasure import DONE
from serving.api.keys import needs
from serving.api.problems import documented
from serving.api.schemas.erasure import ErasureOut, ErasureState
from serving.api.services import Services
from serving.erasure import Jobs, ask_to_erase
from serving.store import Scope

router = APIRouter(prefix="/v1/users", tags=["admin"], dependencies=[needs(Scope.ADMIN)])


@router.delete(
    "/{user_id}",
    summary="Erase a user",
    status_code=HTTPStatus.ACCEPTED,
    response_model=ErasureOut,
    responses=documented(401, 403, 422, 503),
)
def erase_user(user_id: UserPath, served: Served) -> Response:
    """Remove a person, under all ids that are known to be his, from everything that is kept.

    When the answer leaves, nothing about him is given out by any worker and nothing of him is taken in any more. The
    files follow: the refresher beside the server, or `mallard erase --pending`, takes him out of them, searches all of
    them again, and signs a receipt. Sending it again changes nothing.
    """
    told = _state(served, user_id)
    if told is None or told.state is ErasureState.LIFTED:
        ask_to_erase(served.settings.home, served.store, user_id, now=datetime.now(UTC))
        told = _state(served, user_id)
    assert told is not None
    where = {"Location": f"/v1/users/{quote(user_id, safe='')}/erasure"}
    return json_answer(told.model_dump(mode="json"), status=HTTPStatus.ACCEPTED, headers=where)


@router.get(
    "/{user_id}/erasure",
    summary="How far the erasure of a user is",
    response_model=ErasureOut,
    responses={**shown(DONE), **documented(401, 403, 404, 422, 503)},
)
def erasure_of_user(user_id: UserPath, served: Served) -> Response:
    """The last erasure of the person behind the id, and its signed receipt when it is done.

    404 for who was never erased. `mallard erase --verify` checks a receipt.
    """
    told = _state(served, user_id)
    if told is None:
        raise UnknownNameError(f"the user '{user_id}' was never erased")
    return json_answer(told.model_dump(mode="json"))


def _state(served: Services, user_id: str) -> ErasureOut | None:
    jobs, tombstones = Jobs(served.settings.home), served.lake.tombstones
    hashed = tombstones.hash(USER, user_id)
    erasure = jobs.last_of(hashed)
    if erasure is None:
        return None
    # In this order: a job goes when its receipt is there.
    job, receipt = jobs.job(erasure), jobs.receipt(erasure)
    if receipt is not None:
        state = ErasureState.DONE if hashed in tombstones.hashes() else ErasureState.LIFTED
        return ErasureOut(
            erasure=erasure, state=state, asked_at=receipt.asked_at, finished_at=receipt.finished_at, receipt=receipt
        )
    if job is None:
        return None  # somebody removed the receipt
    return ErasureOut(erasure=erasure, state=ErasureState.PENDING, asked_at=job.asked_at)
