"""Answers as JSON bytes, made straight from dataclasses: the models of the documentation describe them, no code copies
them over."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Response

_JSON = "application/json"


def json_answer(content: Any, *, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    """``content`` (dataclasses, dicts, lists, times) as a JSON answer."""
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, status_code=status, media_type=_JSON, headers=headers)


def shown(example: Any, *, status: int = HTTPStatus.OK) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entry of a call whose model has an example of another call: one of its own."""
    return {int(status): {"content": {_JSON: {"example": example}}}}
