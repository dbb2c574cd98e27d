"""Who may call what: the ``X-API-Key`` header and the scopes behind it."""

import time
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from serving.api.problems import ProblemError
from serving.api.services import Services
from serving.store import KeyRecord, Scope, check_key

HEADER = "X-API-Key"
_SCHEME = APIKeyHeader(name=HEADER, auto_error=False, description="Made by `mallard keys create`; has scopes.")


def needs(scope: Scope) -> Any:
    """A dependency that lets only keys with ``scope`` pass: 401 without a valid key, 403 without the scope."""

    async def check(request: Request, text: Annotated[str | None, Security(_SCHEME)]) -> KeyRecord:
        if not text:
            raise _unknown(f"send an API key with scope '{scope}' in the header {HEADER}")
        services: Services = request.app.state.services
        key = check_key(services.store, text, now=int(time.time()))
        if key is None:
            raise _unknown(f"the API key in {HEADER} is not known, has expired or was revoked")
        if scope not in key.scopes:
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                f"the API key '{key.name}' lacks the scope '{scope}'; it has {', '.join(key.scopes)}",
            )
        return key

    return Depends(check)


def _unknown(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "ApiKey"})
