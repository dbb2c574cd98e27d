"""Merges over HTTP: of users and of visits, and what the server never keeps in clear."""

from datetime import UTC, datetime

import pytest

from features.contracts import columns as c
from features.identity import canonical_users
from features.lake import Lake
from serving.store import open_store
from serving.store.drain import drain
from tests.serving.api.test_ingest import event
from tests.serving.conftest import Mall

MERGE = "/v1/identities/merge"


def test_a_merged_id_is_answered_for_the_user_it_counts_for(mall: Mall) -> None:
    body = {"user_id": "u03", "other_user_id": "a-new", "reason": "one person"}
    answer = mall.client.post(MERGE, json=body).json()
    assert answer == {"user_id": "a-new", "changed": True, "moved": 0, "previous_user_id": None}
    assert mall.client.post(MERGE, json=body).json() == {**answer, "changed": False}
    answers = [mall.client.get(f"/v1/users/{user}/recommendations").json() for user in ("u03", "a-new")]
    assert {told["user_id"] for told in answers} == {"a-new"}
    assert answers[0]["known"]
    assert answers[0]["items"] == answers[1]["items"]
    # What is posted under one id counts for the other at once.
    (first,) = answers[0]["items"][:1]
    bought = event("merged-1", "u03", first["item_id"], "purchase")
    assert mall.client.post("/v1/events", json={"events": [bought]}).json()["accepted"] == 1
    after = mall.client.get("/v1/users/a-new/recommendations").json()["items"]
    assert first["item_id"] not in [item["item_id"] for item in after]


@pytest.mark.parametrize(
    "body",
    [
        {"user_id": "1"},
        {"user_id": "1", "other_user_id": "2"},
        {"user_id": "1", "other_user_id": "2", "reason": "  "},
        {"user_id": "1", "other_user_id": "1", "reason": "same"},
        {"user_id": "1", "other_user_id": "2", "anonymous_id": "3", "reason": "both"},
        {"user_id": "1", "anonymous_id": "a\u0000"},
    ],
)
def test_a_merge_that_says_too_little_or_too_much_is_refused(shared_mall: Mall, body: dict[str, str]) -> None:
    answer = shared_mall.client.post(MERGE, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_merge_needs_the_scope(shared_mall: Mall) -> None:
    body = {"user_id": "1", "other_user_id": "2", "reason": "one person"}
    assert shared_mall.client.post(MERGE, json=body, headers=shared_mall.as_key("recommend")).status_code == 403


def test_nothing_personal_is_kept_in_clear(mall: Mall) -> None:
    row = {**event("p1", "u03", "i01"), c.PROPERTIES: {"q": "call 13812345678", "device_id": "tablet-77"}}
    assert mall.client.post("/v1/events", json={"events": [row]}).json()["accepted"] == 1
    people = [{"user_id": user, "identities": {"phone": "13900001111"}} for user in ("x1", "x2")]
    assert mall.client.put("/v1/users", json={"users": people}).json() == {"changed": 2}
    store, lake = open_store(mall.home), Lake(mall.home)
    drain(store, lake)
    store.close()
    assert canonical_users(lake.read_aliases(), datetime.now(UTC)) == {"x2": "x1"}
    for secret in (b"13812345678", b"13900001111", b"tablet-77"):
        assert [f for f in mall.home.root.rglob("*") if f.is_file() and secret in f.read_bytes()] == []
