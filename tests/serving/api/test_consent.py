"""Consent switches: they count in the next answer, at every worker, for every id of a person."""

import csv
import io
from typing import Any

import pyarrow.compute as pc
import pytest

from features.contracts import columns as c
from features.contracts.home import Home
from features.lake import Lake
from serving.marketing import open_snapshot
from serving.store import open_store
from serving.store.drain import drain
from tests.serving.conftest import Mall, key_for
from tests.serving.servers import in_processes


def put(mall: Mall, user: str, **switches: bool) -> dict[str, Any]:
    answer = mall.client.put(f"/v1/users/{user}/consent", json=switches)
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


def listed(mall: Mall) -> dict[str, dict[str, Any]]:
    rows = mall.client.get("/v1/churn/list?limit=1000").json()["items"]
    return {row[c.USER_ID]: row for row in rows}


def test_what_was_put_is_got(mall: Mall) -> None:
    nothing = {"user_id": "u03", "personalization": None, "marketing": None}
    assert mall.client.get("/v1/users/u03/consent").json() == nothing
    assert put(mall, "u03", marketing=False) == {**nothing, "marketing": False}
    assert put(mall, "u03", personalization=True) == {**nothing, "marketing": False, "personalization": True}
    assert mall.client.get("/v1/users/u03/consent").json()["marketing"] is False
    assert mall.client.get("/v1/users/u03/consent", headers=mall.as_key("marketing")).status_code == 403


def test_without_personalization_no_profile_is_given_out(mall: Mall) -> None:
    assert mall.client.get("/v1/users/u03/tags").status_code == 200
    put(mall, "u03", personalization=False)
    assert not mall.client.get("/v1/users/u03/recommendations").json()["personalized"]
    for path in ("tags", "churn"):
        answer = mall.client.get(f"/v1/users/u03/{path}")
        assert answer.status_code == 403
        assert "personalization" in answer.json()["detail"]
    scored = mall.client.post("/v1/churn/score", json={"user_ids": ["u03", "u04", "nobody"]}).json()
    assert [user["user_id"] for user in scored["users"]] == ["u04"]
    assert (scored["withheld_users"], scored["unknown_users"]) == (["u03"], ["nobody"])
    assert mall.client.post("/v1/churn/score", json={"user_ids": ["u03"]}).json()["users"] == []
    put(mall, "u03", personalization=True)
    assert mall.client.get("/v1/users/u03/recommendations").json()["personalized"]
    assert mall.client.get("/v1/users/u03/churn").status_code == 200


def test_without_marketing_he_is_suppressed_in_the_list_that_stands(mall: Mall) -> None:
    before = listed(mall)
    user = next(user for user, row in before.items() if not row["suppressed"])
    first = mall.client.get("/v1/churn/list")
    put(mall, user, marketing=False)
    again = mall.client.get("/v1/churn/list", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    told = {"suppressed": True, "suppression_reason": "no_marketing_consent", "consent_marketing": False}
    assert listed(mall) == {**before, user: {**before[user], **told}}
    text = mall.client.get("/v1/churn/list", headers={"Accept": "text/csv"}).text
    (row,) = [row for row in csv.DictReader(io.StringIO(text)) if row[c.USER_ID] == user]
    assert row["suppression_reason"] == "no_marketing_consent"
    # The snapshot itself is as it was written.
    kept = open_snapshot(mall.home).user(user)
    assert kept is not None
    assert not kept["suppressed"]


def test_a_switch_counts_for_every_id_of_a_person(mall: Mall) -> None:
    user = next(user for user, row in listed(mall).items() if not row["suppressed"])
    body = {"user_id": user, "other_user_id": "a-new", "reason": "one person"}
    assert mall.client.post("/v1/identities/merge", json=body).status_code == 200
    put(mall, "a-new", marketing=False, personalization=False)
    assert listed(mall)[user]["suppressed"]
    assert mall.client.get(f"/v1/users/{user}/tags").status_code == 403
    assert put(mall, user, personalization=True)["personalization"] is True
    assert mall.client.get("/v1/users/a-new/consent").json()["personalization"] is True


def test_switches_reach_the_lake(mall: Mall) -> None:
    put(mall, "u03", marketing=False, personalization=False)
    store, lake = open_store(mall.home), Lake(mall.home)
    drain(store, lake)
    store.close()
    users = lake.read_users()
    (row,) = users.filter(pc.equal(users[c.USER_ID], "u03")).to_pylist()
    assert (row[c.CONSENT_MARKETING], row[c.CONSENT_PERSONALIZATION]) == (False, False)


def test_every_worker_knows_of_a_switch_in_its_next_answer(home: Home) -> None:
    key = key_for(home)
    with in_processes(home, workers=2) as server:
        for round_ in range(6):
            allowed = bool(round_ % 2)
            switches = {"personalization": allowed}
            assert server.client.put("/v1/users/u03/consent", json=switches, headers=key).status_code == 200
            for _ in range(8):
                shown = server.client.get("/v1/users/u03/recommendations", headers=key).json()
                assert shown["personalized"] is allowed
                status = server.client.get("/v1/users/u03/tags", headers=key).status_code
                assert status == (200 if allowed else 403)


@pytest.mark.parametrize("body", [{}, {"marketing": "perhaps"}])
def test_a_switch_that_says_nothing_is_refused(shared_mall: Mall, body: dict[str, str]) -> None:
    assert shared_mall.client.put("/v1/users/u03/consent", json=body).status_code == 422
