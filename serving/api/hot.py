"""Routes that are asked thousands of times a second.

A hot route is declared like any other, and its declaration is what the document shows and what is read. A call that is
as declared is read, let in and answered here, without what the framework does around every route; any other call is
left to the framework from the beginning, so that what is refused is refused in its words.
"""

from collections.abc import Callable
from functools import partial
from inspect import iscoroutinefunction
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from serving.api.declared import Dependencies, NotAsDeclaredError, Parameters, UndeclarableError

_JSON = "application/json"


class HotRoute(APIRoute):
    """To be given to a router as its ``route_class``. The routes return answers, not what is to become one.

    Raises :class:`UndeclarableError` for a route that declares more than this knows how to read.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **declared: Any) -> None:
        super().__init__(path, endpoint, **declared)
        if self.dependant.request_param_name or self.dependant.http_connection_param_name:
            raise UndeclarableError(f"{path} asks for the request itself")
        self._parameters, self._dependencies = Parameters(self), Dependencies(self.dependant)
        self._call = endpoint if iscoroutinefunction(endpoint) else partial(run_in_threadpool, endpoint)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. Errors of what is called go to the framework's handlers, which are around this."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        request = Request(scope, receive, send)
        body = None
        try:
            if self._parameters.takes_body:
                body = await request.body()
            arguments = self._parameters.read(request.path_params, scope["query_string"], _parsed(request, body))
        except (NotAsDeclaredError, ClientDisconnect):
            await super().handle(scope, receive if body is None else _again(body, receive), send)
            return
        arguments |= await self._dependencies.solve(request)
        answer: Response = await self._call(**arguments)
        await answer(scope, receive, send)


def _parsed(request: Request, body: bytes | None) -> Any:
    """The JSON of a body. What is taken here means what it means to the framework, which takes some more."""
    if body is None:
        return None
    media = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media != _JSON:
        raise NotAsDeclaredError
    try:
        return from_json(body)
    except ValueError:
        raise NotAsDeclaredError from None


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives the ``body`` that was read once more, and then what comes after it."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def given() -> Message:
        return left.pop() if left else await receive()

    return given
