"""Ranked items for a visitor."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from features.contracts.errors import UnknownNameError
from serving.api.answers import json_answer, shown
from serving.api.deps import Served, UserPath
from serving.api.examples.recommend import EXPLAINED, RANKED
from serving.api.fields import Count, Id, Word
from serving.api.hot import HotRoute
from serving.api.keys import needs
from serving.api.problems import documented, wrong_field
from serving.api.schemas.recommend import Context, RankRequest, RecommendationOut, RecommendationRequest, visitor_of
from serving.api.services import Services
from serving.engine.asking import Ask
from serving.store import Scope, Visitor

router = APIRouter(prefix="/v1", tags=["recommend"], dependencies=[needs(Scope.RECOMMEND)], route_class=HotRoute)


@router.get(
    "/users/{user_id}/recommendations",
    summary="Recommend items to a user",
    response_model=RecommendationOut,
    responses=documented(401, 403, 422),
)
async def recommend_to_user(
    *,
    user_id: UserPath,
    served: Served,
    placement: Annotated[Word | None, Query(description="Where the items are shown: home, detail, cart, ...")] = None,
    n: Annotated[Count | None, Query(description="Items wanted; absent: the placement's number, usually 5.")] = None,
    item_id: Annotated[Id | None, Query(description="The item in view: it steers the answer.")] = None,
    context: Annotated[Context, Query()],
) -> Response:
    """The items this user may want now, best first.

    A user whom nobody knows yet gets what is popular (`known: false`). When a part is missing the answer comes without
    it and says so in `degraded`. Send `request_id` along with the events that follow.
    """
    ask = Ask(
        visitor=Visitor(user_id=user_id),
        placement=placement,
        n=n,
        item_ids=() if item_id is None else (item_id,),
        context=context.asked_from() if context.said else None,
    )
    return await _answer(served, ask)


@router.post(
    "/recommendations",
    summary="Recommend items with context",
    response_model=RecommendationOut,
    responses={**shown(EXPLAINED), **documented(400, 401, 403, 413, 422)},
)
async def recommend_in_context(body: RecommendationRequest, served: Served) -> Response:
    """Like the GET, with everything the caller knows: the session so far, filters, exclusions, an anonymous visitor."""
    return await _answer(served, body.ask())


@router.post(
    "/rank",
    summary="Rank a given list",
    response_model=RecommendationOut,
    responses={**shown(RANKED), **documented(400, 401, 403, 413, 422, 503)},
)
def rank(body: RankRequest, served: Served) -> Response:
    """The given items in the order that suits the visitor best. Nothing is added or taken out; ids that the model does
    not know are in `unknown_items`."""
    visitor = visitor_of(body.user_id, body.anonymous_id)
    return json_answer(served.recommend.rank(visitor, tuple(dict.fromkeys(body.item_ids))))


async def _answer(served: Services, ask: Ask) -> Response:
    try:
        answer = await served.batcher.recommend(ask)
    except UnknownNameError as error:
        raise wrong_field("placement", str(error)) from error
    for reason in answer.degraded:
        served.metrics.degraded.labels(reason).inc()
    if answer.items and answer.items[0].score is not None:
        served.metrics.scores.observe(answer.items[0].score)
    return json_answer(answer)
