"""Answers about models, their versions and trials."""

from typing import Final

from pydantic.config import JsonDict

NEW: Final = "recommend-02490f67c58f"
_OLD: Final = "recommend-299a1a15a62a"

MODELS: Final[JsonDict] = {
    "models": [
        {"kind": "recommend", "live": NEW, "loaded": NEW, "versions": [NEW, _OLD]},
        {"kind": "uplift", "live": None, "loaded": None, "versions": []},
    ]
}

DEPLOYED: Final[JsonDict] = {"kind": "recommend", "version": NEW, "previous": _OLD}
WENT_BACK: Final[JsonDict] = {"kind": "recommend", "version": _OLD, "previous": NEW}

TRIAL: Final[JsonDict] = {
    "version": NEW,
    "mode": "canary",
    "share": 0.1,
    "started_at": 1_767_254_400,
    "ended_at": None,
    "why": "",
}
ENDED: Final[JsonDict] = {**TRIAL, "ended_at": 1_767_258_000, "why": "stopped by hand"}
