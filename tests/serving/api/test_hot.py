"""Hot routes read for themselves what they declare, and differ from the framework's reading in nothing but time."""

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Body, Depends, FastAPI, Header, Query, Request, Response
from fastapi.routing import APIRoute
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from pydantic_core import from_json

from features.contracts.home import Home
from serving.api.answers import json_answer
from serving.api.declared import UndeclarableError
from serving.api.fields import Count, Id
from serving.api.hot import HotRoute
from serving.api.problems import install
from serving.api.routes import ROUTERS
from serving.api.schemas.recommend import Context, RecommendationRequest
from tests.serving.conftest import Mall, serve
from tests.serving.servers import in_thread

JSON = {"content-type": "application/json"}


async def _caller(request: Request) -> str:
    if request.headers.get("x-caller") == "nobody":
        raise PermissionError
    return request.headers.get("x-caller", "somebody")


async def _twice(caller: Annotated[str, Depends(_caller)]) -> str:
    return caller * 2


def _app(kind: type[APIRoute]) -> FastAPI:
    """Routes that answer with what they read."""
    router = APIRouter(route_class=kind)

    @router.get("/users/{user_id}")
    async def _get(
        user_id: Id,
        context: Annotated[Context, Query()],
        twice: Annotated[str, Depends(_twice)],
        caller: Annotated[str, Depends(_caller)],
        needed: Id,
        n: Annotated[Count | None, Query()] = None,
        share: float = 0.5,
    ) -> Response:
        return json_answer([user_id, context.model_dump(), twice, caller, needed, n, share])

    @router.post("/bodies")
    async def _post(body: RecommendationRequest, caller: Annotated[str, Depends(_caller)]) -> Response:
        return json_answer([body.model_dump(), caller])

    @router.post("/threads")
    def _sync(body: RecommendationRequest) -> Response:
        return json_answer(body.model_dump())

    app = FastAPI()
    install(app)
    app.router.routes.extend(router.routes)
    return app


@contextmanager
def _asked(kind: type[APIRoute]) -> Iterator[httpx.Client]:
    with in_thread(_app(kind)) as address, httpx.Client(base_url=address) as client:
        yield client


@pytest.fixture(scope="module")
def hot() -> Iterator[httpx.Client]:
    with _asked(HotRoute) as client:
        yield client


@pytest.fixture(scope="module")
def plain() -> Iterator[httpx.Client]:
    with _asked(APIRoute) as client:
        yield client


def _same(hot: httpx.Client, plain: httpx.Client, method: str, url: str, **sent: Any) -> httpx.Response:
    """What both answer."""
    ours, theirs = hot.request(method, url, **sent), plain.request(method, url, **sent)
    assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)
    assert {**ours.headers, "date": ""} == {**theirs.headers, "date": ""}
    return ours


TEXT = st.sampled_from(["", "1", "-1", "0", "100", "101", "1.5", "1e3", "nan", "inf", " 7", "+7", "007", "1_0", "true"])
NAMES = st.sampled_from(["needed", "n", "share", "channel", "region", "hour", "context", "user_id", "Needed", "x"])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.text(min_size=1, max_size=5).filter(lambda text: "/" not in text and text not in {".", ".."}),
    st.lists(st.tuples(NAMES, TEXT | st.text(max_size=4)), max_size=6),
)
def test_a_query_is_read_as_the_framework_reads_it(
    hot: httpx.Client, plain: httpx.Client, user: str, query: list[tuple[str, str]]
) -> None:
    for pairs in (query, [("needed", "there"), *query]):
        _same(hot, plain, "GET", "/users/" + "".join(f"%{byte:02x}" for byte in user.encode()), params=pairs)


def test_a_query_that_is_as_declared_is_not_left_to_the_framework(hot: httpx.Client, plain: httpx.Client) -> None:
    query = {"needed": "a", "n": "3", "share": "0.25", "channel": "web", "hour": "4", "other": "ignored"}
    answer = _same(hot, plain, "GET", "/users/用户", params=query, headers={"x-caller": "me"})
    assert answer.json() == ["用户", {"channel": "web", "region": None, "hour": 4}, "meme", "me", "a", 3, 0.25]


@pytest.mark.parametrize(
    "query", ["needed=a&needed=b", "needed=%ff", "needed=a;n=2", "needed=a&n", "needed=a+b&&", "needed=a&n=1&n=2", "="]
)
def test_odd_queries_are_read_alike(hot: httpx.Client, plain: httpx.Client, query: str) -> None:
    _same(hot, plain, "GET", f"/users/u?{query}")


BODIES = [
    b"",
    b"{}",
    b" \n{} ",
    b"null",
    b"[]",
    b"[1,]",
    b"{",
    b'{"n": 5, "n": 6}',
    b'{"n": "5"}',
    b'{"n": 5.0}',
    b'{"n": 5.5}',
    b'{"n": true}',
    b'{"n": 100000000000000000000}',
    b'{"user_id": "a", "anonymous_id": "b"}',
    b'{"user_id": "\\ud800"}',
    b'{"user_id": "\xff"}',
    '\ufeff{"n": 5}'.encode(),
    '{"n": 5}'.encode("utf-16"),
    b'{"unknown": 1}',
    b'{"session": [{"item_id": "1", "occurred_at": "2026-01-01T00:00:00Z"}, {"item_id": "2", "quantity": NaN}]}',
    b'{"filters": {"price_min": 1e999}}',
    b'{"filters": {"price_min": -0.0, "price_max": 1}}',
    b"[" * 5000 + b"]" * 5000,
]


@pytest.mark.parametrize("path", ["/bodies", "/threads"])
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_body_is_read_as_the_framework_reads_it(
    hot: httpx.Client, plain: httpx.Client, path: str, body: bytes
) -> None:
    _same(hot, plain, "POST", path, content=body, headers=JSON)


@pytest.mark.parametrize(
    "media", ["application/json; charset=utf-8", "Application/JSON", "application/problem+json", "text/plain", "", ";"]
)
def test_the_kind_of_a_body_counts_as_for_the_framework(hot: httpx.Client, plain: httpx.Client, media: str) -> None:
    for body in (b'{"n": 5}', b"", b"not JSON"):
        _same(hot, plain, "POST", "/bodies", content=body, headers={"content-type": media})


def test_other_methods_and_failures_of_what_is_asked_first_are_answered_alike(
    hot: httpx.Client, plain: httpx.Client
) -> None:
    for method in ("DELETE", "HEAD", "OPTIONS"):
        assert _same(hot, plain, method, "/bodies").status_code == 405
    nobody = {"x-caller": "nobody"}
    assert _same(hot, plain, "GET", "/users/u?needed=a", headers=nobody).status_code == 500
    assert _same(hot, plain, "GET", "/users/u", headers=nobody).status_code == 500
    assert _same(hot, plain, "POST", "/bodies", content=b"{}", headers=JSON | nobody).status_code == 500


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_json_means_what_it_means_to_the_framework(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        try:
            sent = text.encode()
        except UnicodeEncodeError:
            continue
        try:
            read = from_json(sent)
        except ValueError:
            assert "\\ud" in text or "\\u" in text, text  # half a surrogate pair is left to the framework
            continue
        assert repr(read) == repr(json.loads(sent))


class _Open(BaseModel, extra="allow"):
    a: int = 1


class _Renamed(BaseModel):
    a: Annotated[int, Field(alias="b")] = 1


def _sync() -> int:
    return 1


async def _reads(n: int = 1) -> int:
    return n


async def _lists(many: Annotated[list[str], Query()]) -> None: ...
async def _headers(x: Annotated[str, Header()]) -> None: ...
async def _request(request: Request) -> None: ...
async def _renamed(x: Annotated[int, Query(alias="y")] = 1) -> None: ...
async def _made(x: Annotated[int, Query(default_factory=lambda: 1)]) -> None: ...
async def _extra(x: Annotated[_Open, Query()]) -> None: ...
async def _inside(x: Annotated[_Renamed, Query()]) -> None: ...
async def _bodies(x: Annotated[int, Body()], y: Annotated[int, Body()]) -> None: ...
async def _in_thread(x: Annotated[int, Depends(_sync)]) -> None: ...
async def _parameters_below(x: Annotated[int, Depends(_reads)]) -> None: ...
async def _response(response: Response) -> None: ...


@pytest.mark.parametrize(
    "endpoint",
    [
        _lists,
        _headers,
        _request,
        _renamed,
        _made,
        _extra,
        _inside,
        _bodies,
        _in_thread,
        _parameters_below,
        _response,
    ],
)
def test_what_a_hot_route_cannot_read_is_refused_where_it_is_declared(endpoint: Callable[..., Awaitable[None]]) -> None:
    APIRoute("/", endpoint, response_model=None)
    with pytest.raises(UndeclarableError):
        HotRoute("/", endpoint, response_model=None)


def test_the_calls_of_every_page_view_are_read_without_the_framework(
    shared_mall: Mall, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot = {(method, route.path) for route in _hot_routes() for method in route.methods or ()}
    assert hot == {
        ("GET", "/v1/users/{user_id}/recommendations"),
        ("POST", "/v1/recommendations"),
        ("POST", "/v1/rank"),
        ("POST", "/v1/events"),
    }

    async def left_to_the_framework(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(APIRoute, "handle", left_to_the_framework)
    client = shared_mall.client
    assert client.get("/v1/users/u03/recommendations?placement=home&n=3&hour=4").status_code == 200
    assert client.post("/v1/recommendations", json={"user_id": "u03"}).status_code == 200
    assert client.post("/v1/rank", json={"user_id": "u03", "item_ids": ["i01"]}).status_code == 200
    assert client.post("/v1/events", json={"events": [{"event_id": "hot-1"}]}).status_code == 200


def _hot_routes() -> list[HotRoute]:
    return [route for router in ROUTERS for route in router.routes if isinstance(route, HotRoute)]


def test_a_call_is_counted_once_whoever_reads_it(home: Home) -> None:
    home.configs.mkdir(exist_ok=True)
    rates = "access: {rates: {callers: {test: {per_second: 0.01, burst: 20}}}}"
    (home.configs / "serving.yaml").write_text(rates, encoding="utf-8")
    with serve(home) as mall:
        left = []
        for query, status in (("n=3", 200), ("n=0", 422), ("placement=moon", 422), ("n=3", 200)):
            answer = mall.client.get(f"/v1/users/u03/recommendations?{query}")
            assert answer.status_code == status
            left.append(answer.headers["ratelimit"].split(";")[1])
        assert left == ["r=19", "r=18", "r=17", "r=16"]
