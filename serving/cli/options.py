"""The options of every command. They may stand before its name and after it."""

from collections.abc import Callable
from pathlib import Path

import click

from serving.cli.session import Session


def global_options(*, hidden: bool) -> list[click.Parameter]:
    """The options that every command takes; they change the session."""
    return [
        click.Option(
            ["--quiet", "-q"], is_flag=True, expose_value=False, callback=_set("quiet"), hidden=hidden,
            help="No progress; answers and errors only.",
        ),
        click.Option(
            ["--json"], is_flag=True, expose_value=False, callback=_set("as_json"), hidden=hidden,
            help="Answer with one JSON document on standard output; all else goes to standard error.",
        ),
        click.Option(
            ["--debug"], is_flag=True, expose_value=False, callback=_set("debug"), hidden=hidden,
            help="Show the traceback of an unexpected error.",
        ),
        click.Option(
            ["--home"], type=click.Path(file_okay=False, path_type=Path), expose_value=False, callback=_use_home,
            hidden=hidden, metavar="FOLDER", help="Where data and models lie, else $MALLARD_HOME, else ./var.",
        ),
    ]  # fmt: skip


def _set(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def callback(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            setattr(ctx.ensure_object(Session), name, True)

    return callback


def _use_home(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.ensure_object(Session).use_home(value)
