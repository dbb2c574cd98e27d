"""The churn risk of users."""

from dataclasses import asdict

from fastapi import APIRouter, Response

from features.contracts.errors import UnknownNameError
from features.contracts.knowledge import USER
from serving.api.answers import json_answer
from serving.api.deps import ProfiledUser, Served, allows_profile
from serving.api.keys import needs
from serving.api.problems import documented
from serving.api.schemas.risk import ChurnOut, ScoreRequest, ScoresOut
from serving.store import Scope

router = APIRouter(prefix="/v1", tags=["risk"], dependencies=[needs(Scope.RISK)])


@router.get(
    "/users/{user_id}/churn",
    summary="The churn risk of a user",
    response_model=ChurnOut,
    responses=documented(401, 403, 404, 422, 503),
)
def churn_of_user(user_id: ProfiledUser, served: Served) -> Response:
    """Probability of leaving with its interval, tier and reasons; what is at stake, when he will buy, what to do.

    Scored now, from the user's latest tags. 404 for a user without tags: nothing is known to judge by.
    403 once he switched personalization off.
    """
    risks = served.risk.score([user_id])
    if not risks.users:
        raise UnknownNameError(f"there are no tags of a user '{user_id}' as of {risks.as_of.isoformat()}")
    shared = {
        "request_id": risks.request_id,
        "model_version": risks.model_version,
        "as_of": risks.as_of,
        "horizon_days": risks.horizon_days,
        "missing_models": risks.missing_models,
        "fallback": risks.fallback,
    }
    served.metrics.churn.observe(risks.users[0].probability)
    return json_answer({**shared, **asdict(risks.users[0])})


@router.post(
    "/churn/score",
    summary="The churn risk of many users",
    response_model=ScoresOut,
    responses=documented(400, 401, 403, 413, 422, 503),
)
def score(body: ScoreRequest, served: Served) -> Response:
    """Risks in the order of the request; users without tags are in `unknown_users`.

    Those who switched personalization off are in `withheld_users`.
    """
    asked = list(dict.fromkeys(body.user_ids))
    erased = {user for user in asked if served.lake.tombstones.has(USER, user)}
    allowed = [user for user in asked if user not in erased and allows_profile(served, user)]
    withheld = [user for user in asked if user not in erased.union(allowed)]
    risks = served.risk.score(allowed)
    unknown = erased.union(risks.unknown_users)
    told = {"unknown_users": [user for user in asked if user in unknown], "withheld_users": withheld}
    return json_answer({**vars(risks), **told})
