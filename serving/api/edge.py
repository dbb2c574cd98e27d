"""The outermost layer: names the request, times it, counts it, and puts the headers on that every answer has."""

import logging
import os
import re
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.metrics import Metrics

REQUEST_ID = "X-Request-ID"
#: The request that the running code works for; log lines carry it.
current_request: ContextVar[str | None] = ContextVar("current_request", default=None)

_ACCESS = logging.getLogger("mallard.access")
_CALL = "mallard.call"
_NAME = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_SECURE = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]
_PRIVATE = (b"cache-control", b"no-store")
# The page of interactive documentation loads its script from elsewhere, so that it is not under this one.
_NOTHING_RUNS = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_PAGES = frozenset({"/docs", "/docs/oauth2-redirect"})


@dataclass(slots=True)
class Call:
    """What is known of one request beside its content."""

    request_id: str
    caller_id: str | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Headers that the answer gets, whoever makes it."""


def call_of(scope: Scope) -> Call:
    """The call that the edge has opened for this request."""
    call: Call = scope[_CALL]
    return call


class Edge:
    """ASGI application around the whole framework, so that answers to its failures have the headers too."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, access: bool) -> None:
        """``access``: write a line per request."""
        self._app, self._metrics, self._access = app, metrics, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = given.decode() if _NAME.fullmatch(given) else os.urandom(16).hex()
        call = scope[_CALL] = Call(request_id)
        token = current_request.set(request_id)
        status = int(HTTPStatus.INTERNAL_SERVER_ERROR)

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), *_SECURE, (b"x-request-id", request_id.encode()), *call.headers]
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append(_PRIVATE)
                if scope["path"] not in _PAGES:
                    headers.append(_NOTHING_RUNS)
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self._app(scope, receive, dressed)
        finally:
            seconds = time.perf_counter() - start
            route = getattr(scope.get("route"), "path", "unmatched")
            self._metrics.answered(scope["method"], route, status, seconds)
            if self._access:
                self._write(scope["method"], route, status, seconds, call)
            current_request.reset(token)

    def _write(self, method: str, route: str, status: int, seconds: float, call: Call) -> None:
        fields = {
            "method": method,
            "route": route,
            "status": status,
            "milliseconds": round(seconds * 1000, 3),
            "key": call.caller_id,
        }
        _ACCESS.info("request", extra={"fields": fields})
