"""The OpenAPI document that is checked in, and what it promises."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from serving.api import Settings, create_app
from serving.api.examples import recommend
from serving.api.openapi import openapi_text
from serving.engine.reasons import WORDS
from serving.rules import rules
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


JSON = "application/json"


def contents(call: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a call is sent and what it answers when all goes well, as JSON: where, and the media type's entry."""
    if "requestBody" in call:
        yield "body", call["requestBody"]["content"][JSON]
    for status, answer in call["responses"].items():
        if status.startswith("2"):
            yield status, answer["content"][JSON]


def examples(content: dict[str, Any], document: dict[str, Any]) -> list[Any]:
    """The call's own example, else those of its schema."""
    if "example" in content:
        return [content["example"]]
    name = content["schema"]["$ref"].rsplit("/", 1)[1]
    found: list[Any] = document["components"]["schemas"][name].get("examples", [])
    return found


def closed(document: dict[str, Any]) -> dict[str, Any]:
    """The components, of which none takes a field that it does not name."""
    components = copy.deepcopy(document["components"])
    for schema in components["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return components


def test_every_call_has_an_example_of_what_it_takes_and_of_what_it_answers(document: dict[str, Any]) -> None:
    components, answers = closed(document), 0
    for path, method, call in operations(document):
        if not path.startswith("/v1/"):
            continue
        places = dict(contents(call))
        assert any(place != "body" for place in places), (method, path)
        for place, content in places.items():
            fits = jsonschema_rs.Draft202012Validator(
                {**content["schema"], "components": components}, validate_formats=True
            )
            given = examples(content, document)
            assert given, (method, path, place)
            for example in given:
                problems = [f"{list(e.instance_path)}: {e.message}" for e in fits.iter_errors(example)]
                assert not problems, (method, path, place, problems)
            answers += place != "body"
    assert answers >= 24


def test_examples_name_sources_and_rules_that_there_are() -> None:
    answers = [answer for answer in vars(recommend).values() if isinstance(answer, dict) and "items" in answer]
    items = [item for answer in answers for item in answer["items"]]
    dropped = [item for answer in answers for item in answer.get("dropped", [])]
    assert items
    assert dropped
    assert {item["source"] for item in items}.union(*(item["sources"] for item in items)) <= set(WORDS)
    assert {item["rule"] for item in dropped} <= set(rules())
