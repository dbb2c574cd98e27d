"""The OpenAPI document: problems under their own media type, and the whole as text."""

import json
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from serving.api.edge import Edge
from serving.api.metrics import Metrics
from serving.api.problems import MEDIA_TYPE

_JSON = "application/json"
_PROBLEM = "#/components/schemas/Problem"


class DocumentedApp(FastAPI):
    """An application whose document says of errors what they are: the framework knows one media type per route."""

    _edge: tuple[Metrics, bool] | None = None

    def dress(self, metrics: Metrics, *, access: bool) -> None:
        """Put the edge around everything, the framework's own answers to failures included."""
        self._edge = metrics, access

    def build_middleware_stack(self) -> ASGIApp:
        inner = super().build_middleware_stack()
        return inner if self._edge is None else Edge(inner, self._edge[0], access=self._edge[1])

    def openapi(self) -> dict[str, Any]:
        fresh = self.openapi_schema is None
        document = super().openapi()
        if fresh:
            for call in (call for calls in document["paths"].values() for call in calls.values()):
                _complete(call)
                for status, answer in call["responses"].items():
                    schema = answer.get("content", {}).get(_JSON, {}).get("schema", {})
                    if int(status) >= 400 and schema.get("$ref", "").endswith("/Problem"):
                        answer["content"] = {MEDIA_TYPE: answer["content"][_JSON]}
        return document


def _complete(call: dict[str, Any]) -> None:
    """Add what any call of its kind may answer: refused by the door, too long or no JSON where there is a body."""
    statuses = {401, 403, 422, 429, 503} if "security" in call else set()
    if "requestBody" in call:
        statuses |= {400, 413, 415, 422}
    for status in sorted(statuses):
        entry = call["responses"].setdefault(
            str(status),
            {"description": HTTPStatus(status).phrase, "content": {_JSON: {"schema": {"$ref": _PROBLEM}}}},
        )
        shape = entry.get("content", {}).get(_JSON, {}).get("schema", {}).get("$ref")
        if status == 422 and shape != _PROBLEM:
            entry["content"] = {_JSON: {"schema": {"$ref": _PROBLEM}}}
        if status == 429:
            entry["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    call["responses"] = dict(sorted(call["responses"].items()))


def openapi_text(app: FastAPI) -> str:
    """The document of ``app``, the same on every machine."""
    return json.dumps(app.openapi(), ensure_ascii=False, indent=1) + "\n"
