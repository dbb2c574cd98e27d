"""Events, items, users, identities and consent over HTTP."""

from datetime import UTC, datetime
from typing import Any

import pytest

from features.contracts import columns as c
from features.contracts.knowledge import ANONYMOUS, USER
from features.lake import Lake
from serving.store import open_store
from serving.store.drain import drain
from tests.serving.conftest import Mall


def event(event_id: str, user: str, item: str, kind: str = "view") -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {c.EVENT_ID: event_id, c.EVENT_TYPE: kind, c.USER_ID: user, c.ITEM_ID: item, c.OCCURRED_AT: now}


def recommended(mall: Mall, user: str) -> list[str]:
    answer = mall.client.get(f"/v1/users/{user}/recommendations")
    assert answer.status_code == 200
    return [item["item_id"] for item in answer.json()["items"]]


def test_a_posted_event_counts_in_the_next_answer(shared_mall: Mall) -> None:
    before = recommended(shared_mall, "reader")
    body = {"events": [event(f"reader-{n}", "reader", f"i{n * 4 + 1:02}") for n in range(5)]}
    answer = shared_mall.client.post("/v1/events", json=body)
    assert answer.json() | {"results": []} == {"accepted": 5, "duplicates": 0, "rejected": 0, "results": []}
    assert recommended(shared_mall, "reader") != before
    again = shared_mall.client.post("/v1/events", json=body).json()
    assert (again["accepted"], again["duplicates"]) == (0, 5)


def test_each_row_has_its_own_result(shared_mall: Mall) -> None:
    rows = [event("row-1", "u", "i1"), {**event("row-2", "u", "i1"), c.QUANTITY: -3}, {"event_type": "view"}]
    results = shared_mall.client.post("/v1/events", json={"events": rows}).json()["results"]
    assert [r["status"] for r in results] == ["accepted", "rejected", "rejected"]
    assert results[1] == {
        "index": 1,
        "event_id": "row-2",
        "status": "rejected",
        "errors": [{"field": c.QUANTITY, "message": results[1]["errors"][0]["message"]}],
    }
    assert results[2]["errors"][0]["field"] == c.EVENT_ID


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"events": []}', 422),
        (b'{"events": {}}', 422),
        (b'{"events": [1]}', 422),
        (b'{"events": [{}]}', 200),
        (b'{"events": [{"event_id": "n", "amount": NaN}]}', 200),
        (b'{"events": [{"event_id": "n", "amount": 1e999}]}', 200),
        (b'{"events": [{"event_id": "\\ud800"}]}', 200),
        (b'{"events": [{"\\ud800": 1, "event_id": "s"}]}', 200),
        (b'{"events": [{"event_id": "h", "quantity": ' + b"9" * 400 + b"}]}", 200),
        (b'{"events": [{"event_id": "h", "quantity": ' + b"9" * 5000 + b"}]}", 400),
        (b'{"events": [' + b"[" * 100_000 + b"]}", 400),
        (b'{"events": ', 400),
        (b"\xff\xfe", 400),
        (b"", 422),
    ],
)
def test_strange_bodies_are_answered_with_care(shared_mall: Mall, content: bytes, status: int) -> None:
    headers = {"content-type": "application/json"}
    answer = shared_mall.client.post("/v1/events", content=content, headers=headers)
    assert answer.status_code == status
    if status == 200:
        assert (answer.json()["accepted"], answer.json()["rejected"]) == (0, 1)
    else:
        assert answer.headers["content-type"] == "application/problem+json"


def test_too_much_at_once_is_refused(shared_mall: Mall) -> None:
    client = shared_mall.client
    many = client.post("/v1/events", json={"events": [{}] * 1001})
    assert (many.status_code, many.json()["errors"][0]["field"]) == (422, "events")
    assert client.post("/v1/events", content=b" " * 1_100_000).status_code == 413
    in_pieces = (b" " * 100_000 for _ in range(11))  # no length announced
    assert client.post("/v1/events", content=in_pieces, headers={"content-type": "application/json"}).status_code == 413
    plain = client.post("/v1/events", content=b'{"events": []}', headers={"content-type": "text/plain"})
    assert plain.status_code == 415


def test_items_change_what_is_shown(mall: Mall) -> None:
    first = recommended(mall, "u03")[0]
    assert mall.client.put("/v1/items", json={"items": [{"item_id": first, "stock": 0}]}).json() == {"changed": 1}
    assert first not in recommended(mall, "u03")
    wrong = mall.client.put("/v1/items", json={"items": [{"item_id": first, "stock": -1}]})
    assert wrong.json()["errors"][0]["field"] == "items.0.stock"


def test_users_and_consent_switch_personalisation(mall: Mall) -> None:
    popular = recommended(mall, "stranger")
    assert recommended(mall, "u03") != popular
    users = {"users": [{"user_id": "u03", "member_level": "V2", "consent_personalization": False}]}
    assert mall.client.put("/v1/users", json=users).json() == {"changed": 1}
    assert recommended(mall, "u03") == popular
    answer = mall.client.put("/v1/users/u03/consent", json={"personalization": True})
    assert answer.json() == {"user_id": "u03", "personalization": True, "marketing": None}
    assert recommended(mall, "u03") != popular
    assert mall.client.put("/v1/users/u03/consent", json={}).status_code == 422
    assert mall.client.put("/v1/users/u03/consent", json={}, headers=mall.as_key("ingest")).status_code == 403


def test_a_merge_brings_the_visit_along(mall: Mall) -> None:
    rows = [{**event(f"m{n}", "", f"i{n * 4:02}"), c.USER_ID: None, c.ANONYMOUS_ID: "device"} for n in range(3)]
    mall.client.post("/v1/events", json={"events": rows})
    body = {"anonymous_id": "device", "user_id": "fresh"}
    assert mall.client.post("/v1/identities/merge", json=body).json() == {
        "user_id": "fresh",
        "changed": True,
        "moved": 3,
        "previous_user_id": None,
    }
    answer = mall.client.get("/v1/users/fresh/recommendations").json()
    assert (answer["known"], answer["personalized"]) == (True, True)


def test_what_came_in_reaches_the_lake_once(mall: Mall) -> None:
    rows = [event("l1", "u03", "i01"), {**event("l2", "", "i02"), c.USER_ID: None, c.ANONYMOUS_ID: "device"}]
    mall.client.post("/v1/events", json={"events": rows})
    mall.client.post("/v1/identities/merge", json={"anonymous_id": "device", "user_id": "u04"})
    mall.client.put("/v1/items", json={"items": [{"item_id": "i01", "title": "new title", "price": 3}]})
    mall.client.put("/v1/users/u03/consent", json={"marketing": False})
    store, lake = open_store(mall.home), Lake(mall.home)
    first = drain(store, lake, batch=1)
    assert (first.events, first.items, first.users, first.logins) == (2, 1, 1, 1)
    before = lake.fingerprint()
    again = drain(store, lake)
    assert (again.events, again.items, again.users, again.logins) == (0, 0, 0, 0)
    assert lake.fingerprint() == before
    mall.client.post("/v1/events", json={"events": rows})  # a late retry
    assert drain(store, lake).events == 0
    store.close()
    assert len(lake.event_files()) == 2
    aliases = [row for row in lake.read_aliases().to_pylist() if row["raw_id"] == "device"]
    assert [row[c.USER_ID] for row in aliases] == [None, "u04"]  # nobody's until the login, then his
    assert lake.read_items().to_pylist()[0]["title"] == "new title"
    (user,) = lake.read_users().to_pylist()
    assert (user[c.USER_ID], user[c.CONSENT_MARKETING]) == ("u03", False)


def test_rows_of_erased_ids_are_refused(mall: Mall) -> None:
    tombstones = Lake(mall.home).tombstones
    tombstones.add(USER, ["u03"], now=datetime.now(UTC))
    tombstones.add(ANONYMOUS, ["phone"], now=datetime.now(UTC))
    shared = {**event("e2", "u04", "i01"), c.ANONYMOUS_ID: "phone"}
    visit = {**event("e3", "u04", "i01"), c.USER_ID: None, c.ANONYMOUS_ID: "phone"}
    answer = mall.client.post("/v1/events", json={"events": [event("e1", "u03", "i01"), shared, visit]}).json()
    assert [row["status"] for row in answer["results"]] == ["rejected", "accepted", "rejected"]
    assert [row["errors"][0]["field"] for row in answer["results"] if row["errors"]] == [c.USER_ID, c.ANONYMOUS_ID]
    refused = mall.client.put("/v1/users", json={"users": [{"user_id": "u04"}, {"user_id": "u03"}]})
    assert refused.status_code == 422
    assert "u03" in refused.json()["detail"] + str(refused.json())
    store = open_store(mall.home)
    assert store.users_since(0) == []
    store.close()
