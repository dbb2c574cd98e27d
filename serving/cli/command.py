"""What a command is: a function with an example in its help, run under a progress reporter."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import click

from features.contracts.progress import reporting
from features.contracts.rule_files import using_rules
from features.contracts.tag_settings import using_settings
from serving.cli.options import global_options
from serving.cli.progress import reporter
from serving.cli.session import Session

pass_session = click.make_pass_decorator(Session)


class Command(click.Command):
    """A command with an example. ``example`` is one line or more as a person would type them."""

    def __init__(self, *args: Any, example: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example = example
        self.params += global_options(hidden=True)

    def invoke(self, ctx: click.Context) -> Any:
        """Run it with the rule tags of its home, and with progress on standard error unless it is to be quiet."""
        session = ctx.ensure_object(Session)
        progress = nullcontext() if session.quiet else reporting(reporter())
        with using_rules(session.home.tag_rules), using_settings(session.home.configs), progress:
            return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example below the options."""
        with formatter.section("Example"):
            for line in self.example.strip().splitlines():
                formatter.write_text(line.strip())
        formatter.write_paragraph()
        formatter.write_text("--json, --quiet, --home and --debug work here too: see 'mallard --help'.")


def command(name: str, *, example: str) -> Callable[[Callable[..., int | None]], Command]:
    """Make a function a command; its docstring is the help, and a number that it returns the exit code."""
    return click.command(name, cls=Command, example=example, context_settings={"show_default": True})


def group(name: str, summary: str, *commands: Command) -> click.Group:
    """Commands that share a first word: ``mallard keys create``."""
    return click.Group(name, help=summary, commands={each.name or "": each for each in commands})
