"""Recommendations over HTTP."""

from typing import Any

import pytest

from serving.api.schemas.recommend import ItemListOut, RecommendationOut
from tests.serving.conftest import Mall
from tests.serving.small_mall import CHANNELS

URL = "/v1/users/u03/recommendations"


def ids(body: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in body["items"]]


def test_a_user_gets_five_items_with_their_reasons(shared_mall: Mall) -> None:
    answer = shared_mall.client.get(URL)
    assert answer.status_code == 200
    body = RecommendationOut.model_validate_json(answer.content, strict=True)
    assert (body.user_id, body.model_version, body.placement, len(body.items)) == ("u03", "r1", "home", 5)
    assert set(answer.json()) == set(RecommendationOut.model_fields)


def test_the_caller_says_how_many_and_where(shared_mall: Mall) -> None:
    body = shared_mall.client.get(URL, params={"placement": "discover", "n": 3, "item_id": "i02"}).json()
    assert (body["placement"], len(body["items"])) == ("discover", 3)
    assert "i02" not in ids(body)


def test_the_post_takes_everything_the_caller_knows(shared_mall: Mall) -> None:
    body = {
        "anonymous_id": "visitor",
        "placement": "cart",
        "n": 4,
        "item_ids": ["i01"],
        "session": [{"item_id": "i05", "event_type": "cart_add"}, {"item_id": "nowhere"}],
        "filters": {"categories": ["HOME"], "price_max": 40},
        "exclude": ["i09"],
        "explain": True,
    }
    answer = shared_mall.client.post("/v1/recommendations", json=body).json()
    assert answer["unknown_items"] == ["nowhere"]
    assert len(ids(answer)) == 4
    assert all(int(item[1:]) % 4 == 1 for item in ids(answer))
    assert not {"i01", "i09"} & set(ids(answer))
    assert answer["personalized"]


def test_a_stranger_gets_what_is_popular_where_he_comes_from(shared_mall: Mall) -> None:
    def asked(context: dict[str, Any] | None) -> list[str]:
        body = {"anonymous_id": "never seen", "placement": "home", "n": 5}
        return ids(
            shared_mall.client.post("/v1/recommendations", json=body | ({"context": context} if context else {})).json()
        )

    for department, channel in enumerate(CHANNELS):
        own = [item for item in asked({"channel": channel}) if int(item[1:]) % 4 == department]
        assert len(own) >= 3, channel
    assert asked({"channel": "a new one", "region": "nowhere", "hour": 12}) == asked(None)
    refused = shared_mall.client.post("/v1/recommendations", json={"context": {"hour": 24}})
    assert refused.status_code == 422


@pytest.mark.parametrize("user", ["u03", "never seen"])
@pytest.mark.parametrize(
    "context",
    [{}, *({"channel": name} for name in CHANNELS), {"hour": 3}, {"region": "nowhere", "channel": "web", "hour": 20}],
)
def test_the_get_takes_the_same_context_to_the_same_effect(
    shared_mall: Mall, user: str, context: dict[str, Any]
) -> None:
    got = shared_mall.client.get(f"/v1/users/{user}/recommendations", params={"n": 8} | context).json()
    body = {"user_id": user, "n": 8} | ({"context": context} if context else {})
    posted = shared_mall.client.post("/v1/recommendations", json=body).json()
    assert got | {"request_id": None} == posted | {"request_id": None}


def test_a_stranger_is_asked_about_by_get_as_he_comes(shared_mall: Mall) -> None:
    for department, channel in enumerate(CHANNELS):
        answer = shared_mall.client.get("/v1/users/never seen/recommendations", params={"channel": channel}).json()
        assert sum(int(item[1:]) % 4 == department for item in ids(answer)) >= 3, channel


def test_every_field_of_the_context_is_a_parameter_of_the_get(shared_mall: Mall) -> None:
    document = shared_mall.client.get("/openapi.json").json()
    call = document["paths"]["/v1/users/{user_id}/recommendations"]["get"]
    parameters = {p["name"]: p["schema"] for p in call["parameters"]}
    fields = document["components"]["schemas"]["ContextIn"]["properties"]
    assert set(fields) == {"channel", "region", "hour"}
    assert {name: parameters.get(name) for name in fields} == fields


def test_ids_of_any_script_are_ids(shared_mall: Mall) -> None:
    for user in ("用户一", "Zoë", "a/b", "x" * 128, "🦆"):
        answer = shared_mall.client.post("/v1/recommendations", json={"user_id": user})
        assert (answer.status_code, answer.json()["user_id"]) == (200, user)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"n": 0}, "n"),
        ({"n": 101}, "n"),
        ({"n": "five"}, "n"),
        ({"n": "1e400"}, "n"),
        ({"placement": "moon"}, "placement"),
        ({"placement": ""}, "placement"),
        ({"item_id": "\0"}, "item_id"),
        ({"item_id": "x" * 129}, "item_id"),
        ({"hour": 24}, "hour"),
        ({"hour": -1}, "hour"),
        ({"hour": "noon"}, "hour"),
        ({"channel": ""}, "channel"),
        ({"channel": " web"}, "channel"),
        ({"region": "x" * 65}, "region"),
        ({"region": "\0"}, "region"),
    ],
)
def test_wrong_parameters_are_named(shared_mall: Mall, params: dict[str, Any], field: str) -> None:
    answer = shared_mall.client.get(URL, params=params)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("user", ["%00", "a%0Ab", "x" * 129, "%20", "a%20"])
def test_ids_that_cannot_be_are_refused(shared_mall: Mall, user: str) -> None:
    answer = shared_mall.client.get(f"/v1/users/{user}/recommendations")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "user_id"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b'{"usr_id": "a"}', "usr_id"),
        (b'{"user_id": 7}', "user_id"),
        (b'{"user_id": "\\ud800"}', "user_id"),
        (b'{"user_id": "a", "anonymous_id": "b"}', "body"),
        (b'{"filters": {"price_min": NaN}}', "filters.price_min"),
        (b'{"filters": {"price_min": 1e999}}', "filters.price_min"),
        (b'{"filters": {"price_min": 3, "price_max": 2}}', "filters"),
        (b'{"context": {"hour": 24}}', "context.hour"),
        (b'{"context": {"channel": ""}}', "context.channel"),
        (b'{"context": {"chanel": "web"}}', "context.chanel"),
        (b'{"session": [{"item_id": "a", "event_type": "stare"}]}', "session.0.event_type"),
        (b'{"session": [{"item_id": "a", "quantity": Infinity}]}', "session.0.quantity"),
        (b'{"session": [{"item_id": "a", "occurred_at": "soon"}]}', "session.0.occurred_at"),
        (b"[]", "body"),
    ],
)
def test_wrong_bodies_are_named(shared_mall: Mall, content: bytes, field: str) -> None:
    answer = shared_mall.client.post(
        "/v1/recommendations", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_similar_trending_and_rank(shared_mall: Mall) -> None:
    client = shared_mall.client
    for path in (
        "/v1/items/i02/similar",
        "/v1/items/i02/similar?intent=complementary&n=3",
        "/v1/items/trending?n=7",
        "/v1/items/trending?category=FOOD&category=HOME+%3E+A",
    ):
        body = ItemListOut.model_validate_json(client.get(path).content, strict=True)
        assert body.known
        assert body.items
    assert client.get("/v1/items/i02/similar?intent=opposite").json()["errors"][0]["field"] == "intent"
    ranked = client.post("/v1/rank", json={"user_id": "u03", "item_ids": ["i01", "i03", "i01", "ghost"]}).json()
    assert sorted(ids(ranked)) == ["i01", "i03"]
    assert ranked["unknown_items"] == ["ghost"]
    assert client.post("/v1/rank", json={"item_ids": []}).json()["errors"][0]["field"] == "item_ids"


def test_a_key_needs_the_scope(shared_mall: Mall) -> None:
    client = shared_mall.client
    none = client.get(URL, headers={"X-API-Key": ""})
    assert (none.status_code, none.headers["www-authenticate"]) == (401, 'ApiKey, Bearer realm="mallard"')
    assert client.get(URL, headers={"X-API-Key": "mk_000000000000_" + "x" * 43}).status_code == 401
    wrong = client.get(URL, headers=shared_mall.as_key("risk", "ingest"))
    assert wrong.status_code == 403
    assert "lacks the scope 'recommend'; it has risk, ingest" in wrong.json()["detail"]
    assert client.get(URL, headers=shared_mall.as_key("recommend")).status_code == 200
