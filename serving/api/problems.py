"""Errors as RFC 9457 problem details. The one place where domain errors meet HTTP status codes."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from features.contracts.errors import (
    BundleError,
    InputError,
    MallardError,
    MissingStateError,
    OverloadedError,
    StoreFullError,
    StoreUnavailableError,
    UnknownNameError,
)

_LOG = logging.getLogger(__name__)
_RETRY_SECONDS = 2
MEDIA_TYPE = "application/problem+json"

#: The most specific class of an error decides.
_STATUS: dict[type[MallardError], HTTPStatus] = {
    UnknownNameError: HTTPStatus.NOT_FOUND,
    InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    MissingStateError: HTTPStatus.SERVICE_UNAVAILABLE,
    BundleError: HTTPStatus.SERVICE_UNAVAILABLE,
    OverloadedError: HTTPStatus.TOO_MANY_REQUESTS,
    StoreFullError: HTTPStatus.INSUFFICIENT_STORAGE,
    StoreUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}


class FieldProblem(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(BaseModel):
    """A problem detail, RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []


class ProblemError(Exception):
    """Raised by routes to end a request with a problem."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        fields: Sequence[FieldProblem] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.fields, self.headers = status, detail, fields, headers


def wrong_field(field: str, message: str) -> ProblemError:
    """A 422 that names one field."""
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY, f"{field}: {message}", fields=[FieldProblem(field=field, message=message)]
    )


def problem_answer(
    status: int, detail: str, *, fields: Sequence[FieldProblem] = (), headers: dict[str, str] | None = None
) -> Response:
    """The answer for a problem."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": int(status)}
    body["detail"] = detail
    if fields:
        body["errors"] = [field.model_dump() for field in fields]
    return Response(_dump(body), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the problems a route can answer with."""
    return {status: {"model": Problem, "description": HTTPStatus(status).phrase} for status in statuses}


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` with a problem detail."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(MallardError, _on_domain)
    app.add_exception_handler(Exception, _on_bug)


def _on_problem(_: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise error
    return problem_answer(error.status, error.detail, fields=error.fields, headers=error.headers)


def _on_invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    if error.body is not None and not _says_json(request):
        return problem_answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body as Content-Type: application/json")
    fields = [
        FieldProblem(field=_field(e["loc"]), message=str(e["msg"]).removeprefix("Value error, "))
        for e in error.errors()
    ]
    if any(e["type"] == "json_invalid" for e in error.errors()):
        return problem_answer(HTTPStatus.BAD_REQUEST, "the body is not valid JSON", fields=fields)
    detail = "; ".join(f"{f.field}: {f.message}" for f in fields[:5])
    return problem_answer(HTTPStatus.UNPROCESSABLE_ENTITY, detail, fields=fields)


def _on_http(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return problem_answer(error.status_code, str(error.detail), headers=dict(error.headers or {}))


def _on_domain(request: Request, error: Exception) -> Response:
    if isinstance(error, StoreUnavailableError):
        request.app.state.services.metrics.store_errors.inc()
    status = next((_STATUS[cls] for cls in type(error).__mro__ if cls in _STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)
    return problem_answer(status, str(error), headers=_when_to_come_again(error))


def _when_to_come_again(error: Exception) -> dict[str, str] | None:
    if isinstance(error, OverloadedError):
        return {"Retry-After": str(error.retry_after)}
    return {"Retry-After": str(_RETRY_SECONDS)} if isinstance(error, StoreUnavailableError) else None


def _on_bug(request: Request, error: Exception) -> Response:
    # The template, not the path: ids of users stay out of the log.
    route = getattr(request.scope.get("route"), "path", "unmatched")
    _LOG.error("%s %s failed", request.method, route, exc_info=error)
    return problem_answer(HTTPStatus.INTERNAL_SERVER_ERROR, "the server made a mistake; its log says more")


def _says_json(request: Request) -> bool:
    media = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return media == "application/json" or media.endswith("+json")


def _field(location: tuple[int | str, ...]) -> str:
    """``("body", "events", 3, "item_id")`` as ``events.3.item_id``."""
    parts = location[1:] if location and location[0] in {"body", "query", "path", "header"} else location
    return ".".join(str(part) for part in parts) or "body"


def _dump(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:  # a message quotes text that is not Unicode, such as half a surrogate pair
        safe = {**body, "detail": str(body["detail"]).encode(errors="replace").decode()}
        safe.pop("errors", None)
        return orjson.dumps(safe)
