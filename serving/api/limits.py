"""Bodies that are too long are refused before anything reads them whole."""

import contextlib
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.problems import problem_answer


class _TooLongError(Exception):
    """The body passed the limit while it was read."""


class BodyLimit:
    """ASGI middleware: 413 for a body over ``limit`` bytes, whether its length was announced or not."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdigit() or int(announced) > self._limit:
            await self._refuse(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._limit:
                raise _TooLongError
            return message

        async def watched(message: Message) -> None:
            # The framework answers a body that it could not read; the reason is ours to tell.
            if read <= self._limit:
                await send(message)

        with contextlib.suppress(_TooLongError):
            await self._app(scope, counted, watched)
        if read > self._limit:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = problem_answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is longer than {self._limit} bytes")
        await answer(scope, receive, send)
