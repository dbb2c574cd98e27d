"""The OpenAPI document: problems under their own media type, and the whole as text."""

import json
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from serving.api.problems import MEDIA_TYPE

_JSON = "application/json"
_PROBLEM = "#/components/schemas/Problem"


class DocumentedApp(FastAPI):
    """An application whose document says of errors what they are: the framework knows one media type per route."""

    _layers: tuple[Callable[[ASGIApp], ASGIApp], ...] = ()

    def dress(self, *layers: Callable[[ASGIApp], ASGIApp]) -> None:
        """Put ``layers`` around everything, the framework's own answers to failures included; the outermost last."""
        self._layers = layers

    def build_middleware_stack(self) -> ASGIApp:
        stack = super().build_middleware_stack()
        for layer in self._layers:
            stack = layer(stack)
        return stack

    def openapi(self) -> dict[str, Any]:
        fresh = self.openapi_schema is None
        document = super().openapi()
        if fresh:
            _restore_examples(document, self.routes)
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


def _restore_examples(document: dict[str, Any], routes: Sequence[BaseRoute]) -> None:
    """Show the examples of answers as they were written: the framework takes out what is null in them."""
    for route in (context.original_route for context in iter_route_contexts(routes)):
        if not isinstance(route, APIRoute) or route.response_model is None:
            continue
        shape = document["components"]["schemas"][route.response_model.__name__]
        if "examples" in shape:
            shape["examples"] = route.response_model.model_config["json_schema_extra"]["examples"]
        for method in route.methods or ():
            for status, entry in route.responses.items():
                own = entry.get("content", {}).get(_JSON, {})
                if "example" in own:
                    call = document["paths"][route.path_format][method.lower()]
                    call["responses"][str(status)]["content"][_JSON]["example"] = own["example"]


def openapi_text(app: FastAPI) -> str:
    """The document of ``app``, the same on every machine."""
    return json.dumps(app.openapi(), ensure_ascii=False, indent=1) + "\n"
