"""The application: routes, errors, limits and the life of a worker."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from serving.api import problems
from serving.api.edge import Edge
from serving.api.hot import HotRoute
from serving.api.limits import BodyLimit
from serving.api.metrics import Metrics
from serving.api.openapi import DocumentedApp
from serving.api.routes import ROUTERS
from serving.api.services import Services
from serving.api.settings import Settings
from serving.api.tracing import tracer_of

_LOG = logging.getLogger(__name__)

TITLE = "Mallard"
VERSION = "1"
_DESCRIPTION = """The intelligence service of a mini-program mall: recommendations, churn scores and user tags.

Every call under `/v1` needs an API key with the named scope in the header `X-API-Key`, or a bearer token with it where
the server knows an identity provider. Say why you ask for a user's data in `X-Purpose`: it is kept in the audit log.
Answers carry `X-Request-ID` (yours, if you send one) and how the caller's rate limit stands (`RateLimit`). Errors are
[problem details](https://www.rfc-editor.org/rfc/rfc9457) (`application/problem+json`) that name the field at fault."""

# Of the framework's own. The environment could turn it on, and it writes down paths, queries and the texts of failures,
# which name users; ours is in serving.api.spans.
_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def create_app(settings: Settings) -> FastAPI:
    """The ASGI application over ``settings``. Nothing is opened before the server starts it.

    Raises :class:`ConfigError` or :class:`MissingExtraError` where traces are asked for and cannot be had.
    """
    metrics = Metrics()
    tracer = tracer_of(settings.config.tracing)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        services = await asyncio.to_thread(Services.open, settings, metrics)
        app.state.services = services
        watcher = asyncio.create_task(_watch(services, settings.config.engine.reload_seconds))
        try:
            if tracer is not None:
                tracer.open()
            yield
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
            services.close()
            if tracer is not None:
                await asyncio.to_thread(tracer.close)

    app = DocumentedApp(
        title=TITLE,
        version=VERSION,
        description=_DESCRIPTION,
        lifespan=life,
        redoc_url=None,
        telemetry=_NO_TELEMETRY,
    )
    problems.install(app)
    for router in ROUTERS:
        if router.route_class is HotRoute:
            # Among the application's own: in an included router the framework looks for them twice at every call.
            app.router.routes.extend(router.routes)
        else:
            app.include_router(router)
    app.add_middleware(BodyLimit, limit=settings.config.limits.body_bytes)
    traced = () if tracer is None else (tracer.around,)
    app.dress(*traced, partial(Edge, metrics=metrics, access=settings.config.logs.access))
    return app


async def _watch(services: Services, seconds: float) -> None:
    """Look for new deployments and snapshots for as long as the worker lives."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await asyncio.to_thread(services.refresh)
        except Exception:
            _LOG.exception("looking for new deployments failed; trying again in %s seconds", seconds)
