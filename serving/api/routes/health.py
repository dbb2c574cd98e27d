"""Whether a worker lives, can answer, and how it does. Open to everybody."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict

from features.contracts.errors import StoreUnavailableError
from serving.api.answers import json_answer
from serving.api.deps import Served

router = APIRouter(tags=["open"])


class Health(BaseModel):
    """The worker answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: str


class Readiness(BaseModel):
    """Whether the parts are there. `ready` needs the store and a recommendation model; churn is told, not needed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "ready": True,
                    "store": "ok",
                    "recommend": "recommend-02490f67c58f",
                    "churn": "churn-e8d1a64731f6",
                    "snapshot": "20260101T081500Z-828317c4",
                }
            ]
        }
    )

    ready: bool
    store: str
    recommend: str | None
    churn: str | None
    snapshot: str | None


@router.get("/healthz", summary="Is the worker alive?", response_model=Health)
async def healthz() -> Response:
    """Answers as long as the worker can answer at all."""
    return json_answer({"status": "ok"})


@router.get(
    "/readyz",
    summary="Can the worker do its work?",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Not yet, or not now"}},
)
def readyz(served: Served) -> Response:
    """200 when recommendations can be made from a model with live state, else 503; versions are null when missing."""
    store = "ok"
    try:
        served.store.ping()
    except StoreUnavailableError as error:
        store = str(error)
    version = served.recommend.model_version
    ready = store == "ok" and version is not None
    body = {
        "ready": ready,
        "store": store,
        "recommend": version,
        "churn": served.risk.model_version,
        "snapshot": served.lists.latest,
    }
    return json_answer(body, status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
def metrics(served: Served) -> Response:
    """Latency histogram by route, degraded answers, events by outcome, live model versions."""
    return Response(served.metrics.render(), media_type=CONTENT_TYPE_LATEST)
