"""Who may call what: an API key or a bearer token, the scopes behind it, how often, and the record of it."""

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus
from math import ceil
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from serving.access.audit import Asked
from serving.access.caller import Caller
from serving.access.tokens import is_loopback
from serving.api.edge import Call, call_of
from serving.api.problems import ProblemError, wrong_field
from serving.api.services import Services
from serving.store import Scope
from serving.store.keys import DEMO

HEADER = "X-API-Key"
PURPOSE = "X-Purpose"
_LONGEST_PURPOSE = 200
_KEY = APIKeyHeader(name=HEADER, auto_error=False, description="Made by `mallard keys create`; has scopes.")
_TOKEN = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="Of the identity provider, where `access.tokens` names one."
)


def needs(scope: Scope) -> Any:
    """A dependency that lets only callers with ``scope`` pass.

    401 without a valid key or token, 403 without the scope, 429 when the caller asks too often.
    """

    async def check(
        request: Request,
        text: Annotated[str | None, Security(_KEY)],
        token: Annotated[HTTPAuthorizationCredentials | None, Security(_TOKEN)],
    ) -> Caller:
        services: Services = request.app.state.services
        call = call_of(request.scope)
        caller = await _identified(services, scope, text, token.credentials if token else None)
        if caller.name == DEMO and not is_loopback(request.client.host if request.client else None):
            raise _unknown(services, "the key of the demo opens from the machine that it runs on only")
        call.caller_id = caller.id
        if scope not in caller.scopes:
            services.metrics.refused.labels("scope").inc()
            has = ", ".join(caller.scopes) or "none"
            raise ProblemError(HTTPStatus.FORBIDDEN, f"'{caller.name}' lacks the scope '{scope}'; it has {has}")
        _count(services, caller, call)
        if scope in services.settings.config.access.audit.scopes:
            await _record(request, services, caller, scope, call)
        return caller

    return Depends(check)


async def _identified(services: Services, scope: Scope, text: str | None, token: str | None) -> Caller:
    if text:
        # What is known is answered here; the store is asked from a thread, so that a slow one holds nobody up.
        keys = services.keys
        caller = keys.caller(text) if keys.is_fresh(text) else await asyncio.to_thread(keys.caller, text)
        if caller is None:
            raise _unknown(services, f"the API key in {HEADER} is not known, has expired or was revoked")
        return caller
    tokens = services.tokens
    if token and tokens is not None:
        caller = tokens.caller(token) if tokens.is_known(token) else await asyncio.to_thread(tokens.caller, token)
        if caller is None:
            raise _unknown(services, "the bearer token is not signed by the identity provider, not for us, or over")
        return caller
    raise _unknown(services, f"send an API key with scope '{scope}' in the header {HEADER}")


def _count(services: Services, caller: Caller, call: Call) -> None:
    """Take a token of the caller's bucket, and tell him how he stands (draft-ietf-httpapi-ratelimit-headers-10)."""
    rates = services.settings.config.access.rates
    rate = rates.callers.get(caller.name, rates.default)
    left = services.buckets.take(caller.id, rate)
    refill = ceil(rate.burst / rate.per_second)
    call.headers += [
        (b"ratelimit-policy", b'"caller";q=%d;w=%d' % (rate.burst, refill)),
        (b"ratelimit", b'"caller";r=%d;t=%d' % (left.remaining, ceil(left.wait_seconds))),
    ]
    if not left.allowed:
        services.metrics.refused.labels("rate").inc()
        raise ProblemError(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"'{caller.name}' may ask {rate.per_second:g} times a second, {rate.burst} at once after a pause",
            headers={"Retry-After": str(max(ceil(left.wait_seconds), 1))},
        )


async def _record(request: Request, services: Services, caller: Caller, scope: Scope, call: Call) -> None:
    """Write down who asks for whose data before it is looked up: what cannot be recorded is not answered."""
    purpose = request.headers.get(PURPOSE)
    if purpose is not None and len(purpose) > _LONGEST_PURPOSE:
        raise wrong_field(PURPOSE, f"at most {_LONGEST_PURPOSE} characters")
    if not purpose and services.settings.config.access.audit.require_purpose:
        raise wrong_field(PURPOSE, "say why you ask for this data")
    asked = Asked(
        request_id=call.request_id,
        caller_id=caller.id,
        caller=caller.name,
        scope=scope,
        call=f"{request.method} {getattr(request.scope.get('route'), 'path', 'unmatched')}",
        users=_users(request.path_params, await request.body()),
        purpose=purpose,
    )
    await asyncio.to_thread(services.audit.write, asked, datetime.now(UTC))


def _users(path: dict[str, Any], body: bytes) -> list[str]:
    """The users whom a request names. A body that is not JSON names nobody; it is refused a moment later."""
    named = [str(path["user_id"])] if "user_id" in path else []
    try:
        given = orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return named
    if isinstance(given, dict):
        many = given.get("user_ids")
        found = [given.get("user_id"), given.get("other_user_id"), *(many if isinstance(many, list) else [])]
        named += [user for user in found if isinstance(user, str)]
    return list(dict.fromkeys(named))


def _unknown(services: Services, detail: str) -> ProblemError:
    services.metrics.refused.labels("key").inc()
    return ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": 'ApiKey, Bearer realm="mallard"'})
