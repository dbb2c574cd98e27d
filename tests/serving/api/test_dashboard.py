"""The dashboard for Grafana asks for nothing that the server does not export."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.serving.conftest import Mall

FILE = Path(__file__).parents[3] / "configs" / "grafana" / "mallard.json"


@pytest.fixture(scope="module")
def board() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return loaded


def exported(mall: Mall) -> set[str]:
    """Names that queries may use, of the families that the server declares."""
    names = set()
    for family in text_string_to_metric_families(mall.client.get("/metrics").text):
        if family.name.startswith("mallard_") and not family.name.endswith("_created"):
            ends = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""])
            names |= {family.name + end for end in ends}
    return names


def test_every_query_asks_for_what_is_exported(shared_mall: Mall, board: dict[str, Any]) -> None:
    shared_mall.client.get("/v1/users/u01/recommendations")
    names = exported(shared_mall)
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked = {name for query in queries for name in re.findall(r"mallard_[a-z_]+", query)}
    assert asked - names == set()
    families = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in asked}
    declared = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in names}
    assert declared - families == set(), "what is exported has a place on the dashboard"


def test_it_has_what_grafana_asks_of_a_dashboard(board: dict[str, Any]) -> None:
    assert board["schemaVersion"] >= 39
    assert board["uid"]
    assert [variable["type"] for variable in board["templating"]["list"]] == ["datasource"]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${source}"}
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert not cells & taken, f"'{panel['title']}' lies over another panel"
        taken |= cells
