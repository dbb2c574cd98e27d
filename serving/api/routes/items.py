"""Items that are about no user: near another one, or popular."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from serving.api.answers import json_answer, shown
from serving.api.deps import ItemPath, Served
from serving.api.examples.recommend import SIMILAR
from serving.api.fields import Count, Word
from serving.api.keys import needs
from serving.api.problems import documented
from serving.api.schemas.recommend import ItemListOut
from serving.store import Scope
from training.models.recommender import Intent

router = APIRouter(prefix="/v1/items", tags=["recommend"], dependencies=[needs(Scope.RECOMMEND)])

Number = Annotated[Count, Query(description="Items wanted.")]


@router.get("/trending", summary="Popular items", response_model=ItemListOut, responses=documented(401, 403, 422))
def trending(
    served: Served,
    n: Number = 10,
    category: Annotated[
        list[Word] | None, Query(description="Only items of this category path or below it; may be repeated.")
    ] = None,
) -> Response:
    """What many people take now."""
    return json_answer(served.recommend.trending(n, tuple(category or ())))


@router.get(
    "/{item_id}/similar",
    summary="Items near an item",
    response_model=ItemListOut,
    responses={**shown(SIMILAR), **documented(401, 403, 422)},
)
def similar(
    item_id: ItemPath,
    served: Served,
    n: Number = 5,
    intent: Annotated[
        Intent, Query(description="`similar`: liked by the same people; `complementary`: taken with or after it.")
    ] = "similar",
) -> Response:
    """Items for a detail or cart page. An unknown item gives popular ones, with `known: false`."""
    return json_answer(served.recommend.similar(item_id, n, intent))
