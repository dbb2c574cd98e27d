"""Churn scores, churn lists and tags over HTTP."""

import csv
import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.contracts.home import Home
from features.tags import spec_hash
from serving.api.schemas.recommend import TextOut
from serving.api.schemas.risk import ChurnListOut, ChurnOut, ProfileOut, ScoresOut, TagsOut
from tests.serving import small_churn
from tests.serving.conftest import Mall, score, serve
from training.deployment import deploy
from training.models.churn_fallback import Fallback, Rule
from training.models.reasons import Both

LIST = "/v1/churn/list"
CSV, NDJSON, PARQUET = "text/csv", "application/x-ndjson", "application/vnd.apache.parquet"


def users(body: dict[str, Any]) -> list[str]:
    return [row["user_id"] for row in body["items"]]


# --- scores -----------------------------------------------------------------------------------------------
def test_a_user_has_a_risk_with_reasons(shared_mall: Mall) -> None:
    body = ChurnOut.model_validate_json(shared_mall.client.get("/v1/users/u07/churn").content)
    assert 0 <= body.low <= body.probability <= body.high <= 1
    assert (body.model_version, body.horizon_days, body.eligible) == ("c1", 30, True)
    assert body.tier in {"red", "yellow", "blue"}
    assert body.reasons
    assert all(reason.text.en and reason.text.zh for reason in body.reasons)


def test_a_user_outside_the_population_is_said_to_be(shared_mall: Mall) -> None:
    assert not shared_mall.client.get("/v1/users/u00/churn").json()["eligible"]


def test_a_user_without_tags_is_not_found(shared_mall: Mall) -> None:
    answer = shared_mall.client.get("/v1/users/stranger/churn")
    assert answer.status_code == 404
    assert "stranger" in answer.json()["detail"]


def test_many_users_are_scored_at_once_as_one_is(shared_mall: Mall) -> None:
    wanted = {"user_ids": ["u09", "ghost", "u03", "u09"]}
    body = ScoresOut.model_validate_json(shared_mall.client.post("/v1/churn/score", json=wanted).content)
    assert [user.user_id for user in body.users] == ["u09", "u03"]
    assert body.unknown_users == ["ghost"]
    alone = shared_mall.client.get("/v1/users/u09/churn").json()
    assert body.users[0].probability == alone["probability"]
    nobody = shared_mall.client.post("/v1/churn/score", json={"user_ids": ["ghost"]}).json()
    assert (nobody["users"], nobody["unknown_users"]) == ([], ["ghost"])
    assert shared_mall.client.post("/v1/churn/score", json={"user_ids": []}).status_code == 422


# --- lists ------------------------------------------------------------------------------------------------
def test_the_list_is_what_users_are_told_alone(shared_mall: Mall) -> None:
    answer = shared_mall.client.get(LIST, params={"limit": 200})
    body = ChurnListOut.model_validate_json(answer.content)
    assert body.total == len(body.items) == 59  # u00 never bought: not of the population
    assert body.cursor is None
    risks = [row.probability for row in body.items]
    assert risks == sorted(risks, reverse=True)
    first = body.items[0]
    assert first.reasons
    assert first.segment in {"silent", "active"}
    assert shared_mall.client.get(f"/v1/users/{first.user_id}/churn").json()["probability"] == first.probability


def test_rows_say_who_must_not_be_contacted(shared_mall: Mall) -> None:
    rows = {row["user_id"]: row for row in shared_mall.client.get(LIST).json()["items"]}
    assert (rows["u05"]["suppressed"], rows["u05"]["suppression_reason"]) == (True, "no_marketing_consent")
    assert (rows["u06"]["suppressed"], rows["u06"]["consent_marketing"]) == (False, True)
    assert rows["u07"]["consent_marketing"] is None


def test_filters_and_pages_cover_the_list_once(shared_mall: Mall) -> None:
    params = {"segment": "silent", "min_value": 1, "limit": 4}
    seen: list[str] = []
    cursor = None
    while True:
        body = shared_mall.client.get(LIST, params=params | ({"cursor": cursor} if cursor else {})).json()
        seen += users(body)
        assert all(row["segment"] == "silent" and row["value_at_risk"] >= 1 for row in body["items"])
        cursor = body["cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == body["total"] > 8


def test_a_cursor_stays_with_its_snapshot(mall: Mall) -> None:
    first = mall.client.get(LIST, params={"limit": 5}).json()
    newer = score(mall.home, small_churn.tags(30))
    rest = mall.client.get(LIST, params={"cursor": first["cursor"], "limit": 200}).json()
    assert rest["snapshot"] == first["snapshot"] != newer.id
    assert len(users(first)) + len(users(rest)) == first["total"]
    assert mall.client.get(LIST).json()["snapshot"] == newer.id
    wrong = mall.client.get(LIST, params={"cursor": first["cursor"], "snapshot": newer.id})
    assert wrong.json()["errors"][0]["field"] == "snapshot"


def test_since_tells_what_changed(mall: Mall) -> None:
    older = mall.client.get(LIST).json()["snapshot"]
    score(mall.home, small_churn.tags(30))
    body = mall.client.get(LIST, params={"since": older, "limit": 200}).json()
    removed = {row["user_id"] for row in body["items"] if row["change"] == "removed"}
    assert removed >= {f"u{n}" for n in range(30, 60)}
    assert body["since"] == older
    assert mall.client.get(LIST, params={"since": "20200101T000000Z-00000000"}).status_code == 404


def test_files_hold_the_same_rows(shared_mall: Mall) -> None:
    rows = shared_mall.client.get(LIST, params={"limit": 200}).json()["items"]
    as_csv = shared_mall.client.get(LIST, headers={"accept": CSV})
    assert as_csv.headers["content-type"].startswith(CSV)
    table = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert [row["user_id"] for row in table] == [row["user_id"] for row in rows]
    assert float(table[0]["probability"]) == pytest.approx(rows[0]["probability"])
    lines = shared_mall.client.get(LIST, headers={"accept": f"{NDJSON}, application/json;q=0.5"})
    assert [orjson.loads(line) for line in lines.content.splitlines()] == rows
    parquet = shared_mall.client.get(LIST, headers={"accept": PARQUET})
    assert pq.read_table(pa.BufferReader(parquet.content))["user_id"].to_pylist() == [r["user_id"] for r in rows]
    part = shared_mall.client.get(LIST, headers={"accept": CSV}, params={"limit": 3})
    following = shared_mall.client.get(LIST, params={"cursor": part.headers["x-next-cursor"], "limit": 1}).json()
    assert users(following) == [rows[3]["user_id"]]
    assert shared_mall.client.get(LIST, headers={"accept": "image/png"}).status_code == 406


def test_an_unchanged_list_is_not_sent_again(mall: Mall) -> None:
    first = mall.client.get(LIST, headers={"accept": CSV})
    etag = first.headers["etag"]
    again = mall.client.get(LIST, headers={"accept": CSV, "if-none-match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    other = mall.client.get(LIST, headers={"accept": CSV, "if-none-match": etag}, params={"tier": "red"})
    assert other.status_code == 200
    score(mall.home, small_churn.tags(30))
    assert mall.client.get(LIST, headers={"accept": CSV, "if-none-match": etag}).status_code == 200


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"cursor": "nonsense"}, "cursor"),
        ({"limit": 0}, "limit"),
        ({"limit": 10_001}, "limit"),
        ({"min_value": "nan"}, "min_value"),
        ({"min_value": -1}, "min_value"),
    ],
)
def test_wrong_parameters_are_named(shared_mall: Mall, params: dict[str, Any], field: str) -> None:
    answer = shared_mall.client.get(LIST, params=params)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_unknown_snapshots_are_not_found(shared_mall: Mall) -> None:
    for snapshot in ("20200101T000000Z-00000000", "..", "latest"):
        assert shared_mall.client.get(LIST, params={"snapshot": snapshot}).status_code == 404


def test_lists_and_scores_have_scopes_of_their_own(shared_mall: Mall) -> None:
    marketing, risk = shared_mall.as_key("marketing"), shared_mall.as_key("risk")
    assert shared_mall.client.get(LIST, headers=marketing).status_code == 200
    assert shared_mall.client.get(LIST, headers=risk).status_code == 403
    assert shared_mall.client.get("/v1/users/u01/churn", headers=risk).status_code == 200
    assert shared_mall.client.get("/v1/users/u01/churn", headers=marketing).status_code == 403


# --- tags -------------------------------------------------------------------------------------------------
def test_tags_are_described(shared_mall: Mall) -> None:
    body = TagsOut.model_validate_json(shared_mall.client.get("/v1/tags").content)
    described = {tag.name: tag for tag in body.tags}
    assert len(described) >= 50
    assert described["orders_30d"].title.zh
    assert body.tag_spec


def test_a_user_has_a_profile(shared_mall: Mall) -> None:
    body = ProfileOut.model_validate_json(shared_mall.client.get("/v1/users/u00/tags").content)
    assert body.tags["purchase_days"] == 0
    assert body.tags["days_since_purchase"] is None
    assert shared_mall.client.get("/v1/users/stranger/tags").status_code == 404


# --- where no model could be fitted -------------------------------------------------------------------------
def test_a_fallback_answers_and_is_marked_everywhere(deployed: Home, tmp_path: Path) -> None:
    home = Home(tmp_path / "var", deployed.configs, deployed.mlruns)
    shutil.copytree(deployed.root, home.root)
    tags, reason = (
        small_churn.tags(),
        Both("history is too short: 40 days; 90 are needed", "历史太短：仅 40 天，需要 90 天"),
    )
    simple = replace(small_churn.model(tags), tags=(), members=(), fallback=Fallback(Rule.RHYTHM, reason))
    simple = replace(simple, tag_spec=spec_hash(simple.required_tags))
    deploy(home, simple.to_bundle(tmp_path / "f1", tags, version="f1", as_of="2026-01-01", code_version="test").path)
    score(home, tags)
    with serve(home) as mall:
        alone = ChurnOut.model_validate_json(mall.client.get("/v1/users/u07/churn").content)
        many = ScoresOut.model_validate_json(
            mall.client.post("/v1/churn/score", json={"user_ids": ["u07", "u08"]}).content
        )
        listed = ChurnListOut.model_validate_json(mall.client.get(LIST).content)
    assert alone.fallback == many.fallback == listed.fallback == TextOut(**reason._asdict())
    assert (alone.model_version, listed.model_version) == ("f1", "f1")
    assert len({user.probability for user in many.users}) == 2
    assert {user.user_id: user.probability for user in listed.items}["u07"] == alone.probability
