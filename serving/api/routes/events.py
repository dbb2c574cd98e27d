"""The behaviour log in real time."""

from collections import Counter
from datetime import UTC, datetime

from fastapi import APIRouter, Response

from serving.api.answers import json_answer
from serving.api.deps import Served
from serving.api.hot import HotRoute
from serving.api.keys import needs
from serving.api.problems import documented, wrong_field
from serving.api.schemas.ingest import EventsOut, EventsRequest
from serving.engine.intake import EventStatus
from serving.store import Scope

router = APIRouter(prefix="/v1", tags=["ingest"], dependencies=[needs(Scope.INGEST)], route_class=HotRoute)


@router.post(
    "/events",
    summary="Post events",
    response_model=EventsOut,
    responses=documented(400, 401, 403, 413, 422, 429, 503, 507),
)
def post_events(body: EventsRequest, served: Served) -> Response:
    """Take a batch of events, each with its own result.

    Idempotent by `event_id`: posting a batch again changes nothing and answers `duplicate`. Accepted events are on
    disk, and count in the user's next recommendation from any worker, when the answer leaves. After any other answer
    than 200 nothing of the batch is promised: post it again, after `Retry-After` seconds where that is given.
    """
    limit = served.settings.config.limits.events
    if len(body.events) > limit:
        raise wrong_field("events", f"at most {limit} events in one request, found {len(body.events)}")
    results = served.intake.take(body.events, now=datetime.now(UTC))
    outcomes = Counter(result.status for result in results)
    for status, count in outcomes.items():
        served.metrics.events.labels(status).inc(count)
    return json_answer(
        {
            "accepted": outcomes[EventStatus.ACCEPTED],
            "duplicates": outcomes[EventStatus.DUPLICATE],
            "rejected": outcomes[EventStatus.REJECTED],
            "results": results,
        }
    )
