"""Every call in docs/http.md works, and the answers it shows have the fields of real ones."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import httpx

from serving.engine.asking import Degraded
from tests.serving.conftest import Mall

GUIDE = Path(__file__).parents[3] / "docs" / "http.md"
BLOCK = re.compile(r"```(sh|json)\n(.*?)```", re.DOTALL)


def run(command: str, mall: Mall) -> httpx.Response:
    """What ``curl`` would do, for the few options that the guide uses."""
    values = {
        "$MALL": "",
        "$KEY": str(mall.client.headers["x-api-key"]),
        "$USER_ID": "u03",
        "$ITEM_ID": "i02",
    }
    for name, value in values.items():
        command = command.replace(name, value)
    words = iter(shlex.split(command)[1:])
    method, path, headers, content = "GET", "", {}, None
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            content = next(words)
        elif word != "-s":
            path = word
    client = httpx.Client(base_url=mall.client.base_url)
    answer = client.request(method, path, headers=headers, content=content)
    client.close()
    return answer


def shape(value: Any) -> Any:
    """The fields of a JSON value, values and list lengths aside."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else None


def fits(shown: Any, real: Any) -> bool:
    """Whether what is shown has exactly the fields of the real one, where both say something."""
    if isinstance(shown, dict) and isinstance(real, dict):
        return shown.keys() == real.keys() and all(fits(shown[key], real[key]) for key in shown)
    if isinstance(shown, list) and isinstance(real, list):
        return fits(shown[0], real[0])
    return True


def test_every_call_works_and_answers_as_shown(mall: Mall) -> None:
    blocks = BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    calls = 0
    last: httpx.Response | None = None
    for language, text in blocks:
        if language == "json":
            assert last is not None
            assert fits(shape(json.loads(text)), shape(last.json())), f"{last.request.url}: {last.text}"
        elif text.startswith("curl"):
            last = run(text, mall)
            calls += 1
            assert last.status_code in {200, 202}, f"{text}\n{last.text}"
    assert calls >= 18


def test_everything_an_answer_can_do_without_is_told() -> None:
    told = re.findall(r"^\| `(\w+)` \| ", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(Degraded)
