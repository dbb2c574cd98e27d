"""Lengths of time as people write them in configuration."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

_DURATION = re.compile(r"\s*([1-9]\d*)\s*([hdw]?)\s*")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1), "": timedelta(days=1)}
_DAY = timedelta(days=1)


def _parse(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(str(value))
    if not found:
        raise ValueError(f"'{value}' is not a duration; write days, weeks or hours such as 90d, 4w or 36h")
    return int(found[1]) * _UNITS[found[2]]


def _write(value: timedelta) -> str:
    return f"{value // _DAY}d" if value % _DAY == timedelta() else f"{value // timedelta(hours=1)}h"


#: ``90d``, ``4w`` or ``36h`` in YAML, a ``timedelta`` in code.
Duration = Annotated[timedelta, BeforeValidator(_parse), PlainSerializer(_write, return_type=str)]
