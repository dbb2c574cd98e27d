"""Which models are live, and how to change that."""

from collections.abc import Callable
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from features.contracts.errors import InputError, MissingStateError, UnknownNameError
from serving.api.answers import json_answer, shown
from serving.api.deps import Served
from serving.api.examples.models import DEPLOYED, ENDED, MODELS, NEW, TRIAL, WENT_BACK
from serving.api.fields import Word
from serving.api.keys import needs
from serving.api.problems import ProblemError, documented
from serving.api.schemas.recommend import Request
from serving.engine.models import deploy_version, deployed_models
from serving.engine.rollout import Mode, Rollout, end_rollout, read_rollout, start_rollout
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

    model_config = ConfigDict(json_schema_extra={"examples": [MODELS]})

    models: list[ModelOut]


class DeployRequest(Request):
    """The version to make live."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"version": NEW}]})

    version: Word


class DeployedOut(BaseModel):
    """What a flip did."""

    model_config = ConfigDict(json_schema_extra={"examples": [DEPLOYED]})

    kind: Kind
    version: str
    previous: str | None


class CanaryRequest(Request):
    """A version of the recommendation model to be tried."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"version": NEW, "share": 0.1}]})

    version: Word
    share: float = Field(default=0.1, gt=0, le=1)
    """Of users (canary), who stay with it while it runs, or of questions (shadow)."""
    mode: Mode = Mode.CANARY


class CanaryOut(BaseModel):
    """A trial; times in seconds since 1970."""

    model_config = ConfigDict(json_schema_extra={"examples": [TRIAL]})

    version: str
    mode: Mode
    share: float
    started_at: int
    ended_at: int | None
    why: str
    """It ended; empty while it runs."""


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
    responses={**shown(WENT_BACK), **documented(401, 403, 409, 422, 503)},
)
def roll_back(kind: KindPath, served: Served) -> Response:
    """Make the version live that was live before this one; 409 when there was none."""
    try:
        return _flipped(rollback(served.settings.home, kind))
    except MissingStateError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error)) from error


def _flipped(deployed: Deployed) -> Response:
    return json_answer({"kind": deployed.kind, "version": deployed.version, "previous": deployed.previous})


@router.get(
    "/recommend/canary", summary="How a trial goes", response_model=CanaryOut, responses=documented(401, 403, 404)
)
def canary(served: Served) -> Response:
    """The version that is tried, or the last one that was, and why its trial ended."""
    found = read_rollout(served.settings.home)
    if found is None:
        raise UnknownNameError("no version was ever tried")
    return json_answer(found)


@router.put(
    "/recommend/canary",
    summary="Try a version",
    response_model=CanaryOut,
    responses=documented(400, 401, 403, 404, 409, 422, 503),
)
def try_version(body: CanaryRequest, served: Served) -> Response:
    """Let a version that lies below MALLARD_HOME answer a share of the users, or nobody (shadow). It is taken back
    without asking when it fails more often, or takes longer, than the live one."""
    home = served.settings.home
    known = next(m.versions for m in deployed_models(home) if m.kind == Kind.RECOMMEND)
    if body.version not in known:
        raise UnknownNameError(
            f"there is no 'recommend' bundle '{body.version}'; there are: {', '.join(known) or 'none'}"
        )
    return _tried(lambda: start_rollout(home, body.version, body.share, body.mode))


@router.delete(
    "/recommend/canary",
    summary="End the trial",
    response_model=CanaryOut,
    responses={**shown(ENDED), **documented(401, 403, 409)},
)
def end_trial(served: Served) -> Response:
    """Everybody is answered by the live version again; 409 when none is tried."""
    return _tried(lambda: end_rollout(served.settings.home, "stopped by hand"))


def _tried(change: Callable[[], Rollout]) -> Response:
    try:
        return json_answer(change())
    except (InputError, MissingStateError) as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error)) from error
