"""Erasure over HTTP: in force in the next answer of every worker, then out of the files."""

from datetime import UTC, datetime
from typing import Any

import pytest

from features.contracts import columns as c
from features.contracts.home import Home
from serving.erasure import Jobs, Receipt, erase
from serving.store import open_store
from tests.serving.conftest import Mall, key_for
from tests.serving.servers import in_processes


def listed(mall: Mall, query: str = "") -> list[str]:
    rows = mall.client.get(f"/v1/churn/list?limit=1000{query}").json()["items"]
    return [row[c.USER_ID] for row in rows]


def finish(home: Home) -> Receipt:
    store = open_store(home)
    (pending,) = Jobs(home).pending()
    receipt = erase(home, store, pending)
    store.close()
    return receipt


def event(user: str, number: int = 1) -> dict[str, Any]:
    moment = datetime.now(UTC).isoformat()
    return {"event_id": f"new-{number}", "user_id": user, "event_type": "view", "item_id": "i01", "occurred_at": moment}


def test_who_is_erased_is_nobody_in_the_next_answer(mall: Mall) -> None:
    before = mall.client.get("/v1/churn/list?limit=1000")
    assert mall.client.get("/v1/users/u03/recommendations").json()["personalized"]
    answer = mall.client.delete("/v1/users/u03")
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["receipt"]) == ("pending", None)
    assert answer.headers["Location"] == "/v1/users/u03/erasure"

    shown = mall.client.get("/v1/users/u03/recommendations").json()
    assert (shown["personalized"], shown["known"], shown["user_id"]) == (False, False, None)
    stranger = mall.client.get("/v1/users/never-seen/recommendations").json()
    assert [item["item_id"] for item in shown["items"]] == [item["item_id"] for item in stranger["items"]]
    for path in ("tags", "churn"):
        assert mall.client.get(f"/v1/users/u03/{path}").status_code == 404
    scored = mall.client.post("/v1/churn/score", json={"user_ids": ["u03", "u04"]}).json()
    assert ([user["user_id"] for user in scored["users"]], scored["unknown_users"]) == (["u04"], ["u03"])
    again = mall.client.get("/v1/churn/list?limit=1000", headers={"If-None-Match": before.headers["ETag"]})
    assert again.status_code == 200
    ids = [row[c.USER_ID] for row in before.json()["items"]]
    assert listed(mall) == [user for user in ids if user != "u03"]
    assert again.json()["total"] == before.json()["total"] - 1

    posted = mall.client.post("/v1/events", json={"events": [event("u03")]}).json()
    assert posted["results"][0]["status"] == "rejected"
    assert mall.client.put("/v1/users", json={"users": [{"user_id": "u03"}]}).status_code == 422
    assert mall.client.put("/v1/users/u03/consent", json={"marketing": True}).status_code == 404
    merge = {"user_id": "u04", "other_user_id": "u03", "reason": "one"}
    assert mall.client.post("/v1/identities/merge", json=merge).status_code == 422
    assert mall.client.post("/v1/identities/merge", json={"user_id": "u03", "anonymous_id": "d"}).status_code == 422


def test_the_receipt_is_given_when_the_files_are_done(mall: Mall) -> None:
    assert mall.client.get("/v1/users/u03/erasure").status_code == 404
    mall.client.delete("/v1/users/u03")
    assert mall.client.get("/v1/users/u03/erasure").json()["state"] == "pending"
    signed = finish(mall.home)
    told = mall.client.get("/v1/users/u03/erasure").json()
    assert told["state"] == "done"
    assert Receipt.model_validate(told["receipt"]) == signed
    assert mall.client.delete("/v1/users/u03").json() == told, "asking again changes nothing"
    assert "u03" not in listed(mall)
    assert mall.client.get("/v1/users/u03/recommendations").json()["known"] is False


def test_pages_go_on_where_they_were_while_somebody_before_is_erased(mall: Mall) -> None:
    whole = listed(mall)
    first = mall.client.get("/v1/churn/list?limit=10").json()
    mall.client.delete(f"/v1/users/{whole[2]}")
    second = mall.client.get("/v1/churn/list", params={"limit": 10, "cursor": first["cursor"]}).json()
    assert [row[c.USER_ID] for row in second["items"]] == whole[10:20]
    finish(mall.home)
    third = mall.client.get("/v1/churn/list", params={"limit": 10, "cursor": second["cursor"]}).json()
    assert [row[c.USER_ID] for row in third["items"]] == whole[20:30]


def test_only_an_admin_may_erase(shared_mall: Mall) -> None:
    for scope in ("ingest", "marketing"):
        headers = shared_mall.as_key(scope)
        assert shared_mall.client.delete("/v1/users/u09", headers=headers).status_code == 403
        assert shared_mall.client.get("/v1/users/u09/erasure", headers=headers).status_code == 403


@pytest.mark.parametrize("workers", [2])
def test_every_worker_knows_in_its_next_answer(home: Home, workers: int) -> None:
    key = key_for(home)
    with in_processes(home, workers=workers) as server:
        for user in ("u10", "u11", "u12"):
            assert server.client.get(f"/v1/users/{user}/recommendations", headers=key).json()["known"]
            assert server.client.delete(f"/v1/users/{user}", headers=key).status_code == 202
            for _ in range(6):
                assert not server.client.get(f"/v1/users/{user}/recommendations", headers=key).json()["known"]
                assert server.client.get(f"/v1/users/{user}/tags", headers=key).status_code == 404
                rows = server.client.get("/v1/churn/list?limit=1000", headers=key).json()["items"]
                assert user not in {row[c.USER_ID] for row in rows}
