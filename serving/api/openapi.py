"""The OpenAPI document: problems under their own media type, and the whole as text."""

import json
from typing import Any

from fastapi import FastAPI

from serving.api.problems import MEDIA_TYPE

_JSON = "application/json"


class DocumentedApp(FastAPI):
    """An application whose document says of errors what they are: the framework knows one media type per route."""

    def openapi(self) -> dict[str, Any]:
        fresh = self.openapi_schema is None
        document = super().openapi()
        if fresh:
            for call in (call for calls in document["paths"].values() for call in calls.values()):
                for status, answer in call["responses"].items():
                    schema = answer.get("content", {}).get(_JSON, {}).get("schema", {})
                    if int(status) >= 400 and schema.get("$ref", "").endswith("/Problem"):
                        answer["content"] = {MEDIA_TYPE: answer["content"][_JSON]}
        return document


def openapi_text(app: FastAPI) -> str:
    """The document of ``app``, the same on every machine."""
    return json.dumps(app.openapi(), ensure_ascii=False, indent=1) + "\n"
