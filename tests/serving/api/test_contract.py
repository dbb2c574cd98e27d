"""What the documentation promises, asked of the running server with odd questions: every call, bounded in number."""

import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.serving.conftest import Mall

#: Questions per call: few enough for every test run.
EXAMPLES = 40
PROMISES = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text(encoding="utf-8"))
#: Calls that can be asked something; what takes nothing has no odd question.
CALLS = [
    (path, method)
    for path, methods in DOCUMENT["paths"].items()
    for method, call in methods.items()
    if "requestBody" in call or call.get("parameters")
]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "odd"])
@pytest.mark.parametrize(("path", "method"), CALLS, ids=[f"{method} {path}" for path, method in CALLS])
def test_no_call_breaks_and_every_answer_is_documented(
    path: str, method: str, mode: GenerationMode, shared_mall: Mall
) -> None:
    operation = schemathesis.openapi.from_dict(DOCUMENT)[path][method]
    headers = {"X-API-Key": shared_mall.client.headers["X-API-Key"]}

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    def asked(case: schemathesis.Case) -> None:
        answer = case.call(base_url=str(shared_mall.client.base_url), headers=headers)
        # 503 is an answer where something is not there yet, and is documented; anything else above 500 is a fault.
        promises = [check for check in PROMISES if not (check is not_a_server_error and answer.status_code == 503)]
        case.validate_response(answer, checks=promises)

    asked()
