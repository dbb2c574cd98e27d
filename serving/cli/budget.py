"""Time to spend, as people write it: ``20m``."""

import re

import click

_LENGTH = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*")
_MINUTES = {"s": 1 / 60, "m": 1.0, "h": 60.0, "": 1.0}


def minutes(ctx: click.Context, parameter: click.Parameter, value: str) -> float:
    """Callback of an option: ``20m``, ``1h`` or ``90s`` as minutes; a number alone is minutes."""
    found = _LENGTH.fullmatch(value)
    length = float(found[1]) * _MINUTES[found[2]] if found else 0.0
    if not length:
        raise click.BadParameter(f"'{value}' is no time to spend; write it as 20m, 1h or 90s", ctx, parameter)
    return length
