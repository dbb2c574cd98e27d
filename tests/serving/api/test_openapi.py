"""The OpenAPI document that is checked in, and what it promises."""

import json
from pathlib import Path
from typing import Any

import pytest

from serving.api import Settings, create_app
from serving.api.openapi import openapi_text
from serving.store import Scope
from tests.serving.conftest import Mall, home_at

FILE = Path(__file__).parents[3] / "docs" / "openapi.json"
OPEN = {"/healthz", "/readyz", "/metrics"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return loaded


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, call) for path, calls in document["paths"].items() for method, call in calls.items()]


def test_the_document_is_current(tmp_path: Path) -> None:
    app = create_app(Settings(home_at(tmp_path)))
    assert FILE.read_text(encoding="utf-8") == openapi_text(app), (
        "run: python -m serving.api.write_openapi docs/openapi.json"
    )


def test_every_call_is_described_and_says_what_goes_wrong(document: dict[str, Any]) -> None:
    for path, method, call in operations(document):
        assert call["summary"], (path, method)
        assert call["description"], (path, method)
        if path not in OPEN:
            assert {"401", "403"} <= set(call["responses"]), (path, method)
            assert call["security"] == [{"APIKeyHeader": []}, {"HTTPBearer": []}]
            assert call["tags"][0] in {scope.value for scope in Scope}


def test_errors_are_problem_details(document: dict[str, Any]) -> None:
    for path, method, call in operations(document):
        for status, answer in call["responses"].items():
            if int(status) >= 400 and path not in OPEN:
                assert list(answer["content"]) == ["application/problem+json"], (path, method, status)


def test_every_body_has_an_example_that_is_taken(document: dict[str, Any], mall: Mall) -> None:
    bodies = [(path, method, call) for path, method, call in operations(document) if "requestBody" in call]
    assert len(bodies) >= 8
    for path, method, call in bodies:
        name = call["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        (example,) = document["components"]["schemas"][name]["examples"]
        filled = path.replace("{user_id}", "1").replace("{kind}", "recommend")
        answer = mall.client.request(method, filled, json=example)
        assert answer.status_code in {200, 404}, (path, answer.text)  # 404: the example's version is not there
