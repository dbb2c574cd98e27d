"""Which models are live, and how to change that."""

from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict

from features.contracts.errors import MissingStateError
from serving.api.answers import json_answer
from serving.api.deps import Served
from serving.api.fields import Word
from serving.api.keys import needs
from serving.api.problems import ProblemError, documented
from serving.api.schemas.recommend import Request
from serving.engine.models import deploy_version, deployed_models
from serving.store import Scope
from training.deployment import Deployed, rollback

router = APIRouter(prefix="/v1/models", tags=["admin"], dependencies=[needs(Scope.ADMIN)])


class Kind(StrEnum):
    """The kinds of models."""

    RECOMMEND = "recommend"
    CHURN = "churn"
    VALUE = "value"
    UPLIFT = "uplift"


KindPath = Annotated[Kind, Path(description="recommend, churn, value or uplift")]


class ModelOut(BaseModel):
    """One kind of model: what is live and what could be."""

    kind: Kind
    live: str | None
    """Deployed; workers take it up within a second or two."""
    loaded: str | None
    """What this worker answers with; differs from `live` while it loads, or when the bundle was refused."""
    versions: list[str]
    """Versions below MALLARD_HOME that can be deployed, by name."""


class ModelsOut(BaseModel):
    """All kinds."""

    models: list[ModelOut]


class DeployRequest(Request):
    """The version to make live."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"version": "recommend-20260101T080000Z"}]})

    version: Word


class DeployedOut(BaseModel):
    """What a flip did."""

    kind: Kind
    version: str
    previous: str | None


@router.get("", summary="List models", response_model=ModelsOut, responses=documented(401, 403))
def list_models(served: Served) -> Response:
    """Live, loaded and available versions of each kind."""
    loaded = {"recommend": served.recommend.model_version, **served.risk.versions}
    models = [
        {"kind": m.kind, "live": m.live, "loaded": loaded.get(m.kind), "versions": m.versions}
        for m in deployed_models(served.settings.home)
    ]
    return json_answer({"models": models})


@router.post(
    "/{kind}/deploy",
    summary="Make a version live",
    response_model=DeployedOut,
    responses=documented(400, 401, 403, 404, 422, 503),
)
def deploy(kind: KindPath, body: DeployRequest, served: Served) -> Response:
    """Verify a version that lies below MALLARD_HOME and flip to it. A damaged one is refused and nothing changes."""
    return _flipped(deploy_version(served.settings.home, kind, body.version))


@router.post(
    "/{kind}/rollback",
    summary="Go back to the version before",
    response_model=DeployedOut,
    responses=documented(401, 403, 409, 422, 503),
)
def roll_back(kind: KindPath, served: Served) -> Response:
    """Make the version live that was live before this one; 409 when there was none."""
    try:
        return _flipped(rollback(served.settings.home, kind))
    except MissingStateError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error)) from error


def _flipped(deployed: Deployed) -> Response:
    return json_answer({"kind": deployed.kind, "version": deployed.version, "previous": deployed.previous})
