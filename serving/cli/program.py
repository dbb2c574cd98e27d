"""The program itself: its commands, and what happens when one fails."""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import metadata
from typing import Any, NoReturn

import click

from features.contracts.errors import MallardError
from features.contracts.identity import check_packages
from serving.cli.group import Group
from serving.cli.options import global_options
from serving.cli.session import Session, as_json

INTERRUPTED = 130
UNEXPECTED = 70  # EX_SOFTWARE of sysexits.h

_COMMANDS = "serving.cli.commands"
COMMANDS = {
    "demo": (f"{_COMMANDS}.demo:demo", "The whole journey on a sample, from log to server."),
    "sample": (f"{_COMMANDS}.sample:sample", "List the samples, or take one into the lake."),
    "simulate": (f"{_COMMANDS}.simulate:simulate", "Invent a mall whose truth is known."),
    "ingest": (f"{_COMMANDS}.ingest:ingest", "Take a behaviour log into the lake."),
    "identity": (f"{_COMMANDS}.identity:identity", "See, merge and part the ids of a user."),
    "erase": (f"{_COMMANDS}.erase:erase", "Remove a person from everything that is kept."),
    "quality": (f"{_COMMANDS}.quality:quality", "Show how clean the last log was."),
    "traffic": (f"{_COMMANDS}.traffic:traffic", "Find fake orders and clicks."),
    "tags": (f"{_COMMANDS}.tags:tags", "Look at user tags and build them."),
    "train": (f"{_COMMANDS}.train:train", "Fit, judge and register a model."),
    "evaluate": (f"{_COMMANDS}.evaluate:evaluate", "Show how good the registered models are."),
    "promote": (f"{_COMMANDS}.promote:promote", "Make the challenger the champion if it is better."),
    "deploy": (f"{_COMMANDS}.deploy:deploy", "Make a registered model the one that answers."),
    "canary": (f"{_COMMANDS}.canary:canary", "Try a version on a share of the users first."),
    "rollback": (f"{_COMMANDS}.rollback:rollback", "Go back to the model deployed before."),
    "score": (f"{_COMMANDS}.score:score", "Score every user's risk into a snapshot."),
    "counterfactual": (
        f"{_COMMANDS}.counterfactual:counterfactual",
        "What other lists would have earned, from what was shown.",
    ),
    "monitor": (f"{_COMMANDS}.monitor:watch", "Is the churn model still right? Findings and an exit code."),
    "lists": (f"{_COMMANDS}.lists:lists", "Rank items for every user into a file."),
    "serve": (f"{_COMMANDS}.serve:serve", "Answer over HTTP."),
    "keys": (f"{_COMMANDS}.keys:keys", "Make, list, rotate and revoke API keys."),
    "audit": (f"{_COMMANDS}.audit:audit", "Who asked for whose data, and whether the log is whole."),
    "bench": (f"{_COMMANDS}.bench:bench", "Measure against baselines on any data set."),
    "mlflow": (f"{_COMMANDS}.mlflow:mlflow", "Open MLflow's interface over the runs."),
    "doctor": (f"{_COMMANDS}.doctor:doctor", "Check the installation and say what to do."),
}


class Program(Group):
    """The outermost group: the only place where an error becomes a line and an exit code."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> NoReturn:
        """Run and exit. 0 well, 2 wrong input, 130 interrupted; else see :mod:`features.contracts.errors`."""
        session = Session()
        try:
            check_packages()
            extra.update(standalone_mode=False, obj=session)
            code = super().main(args, *rest, **extra)
        except click.ClickException as error:
            context = getattr(error, "ctx", None)
            usage = f"{context.get_usage()}\n" if context else ""
            code = _fail(session, error, error.exit_code, f"{usage}error: {error.format_message()}")
        except MallardError as error:
            code = _fail(session, error, error.exit_code, f"error: {error}")
        except (KeyboardInterrupt, click.Abort):
            click.echo("interrupted", err=True)
            code = INTERRUPTED
        except BrokenPipeError:
            # Whoever read our output has gone: there is nobody left to tell, not even at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 1
        except Exception as error:  # the edge of the program
            if session.debug:
                click.echo(traceback.format_exc(), err=True)
            hint = "" if session.debug else " (run it again with --debug to see where)"
            code = _fail(session, error, UNEXPECTED, f"unexpected error: {type(error).__name__}: {error}{hint}")
        sys.exit(code if isinstance(code, int) else 0)


def _fail(session: Session, error: Exception, exit_code: int, line: str) -> int:
    click.echo(line, err=True)
    if session.as_json:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo(as_json({"error": {"type": type(error).__name__, "message": message, "exit_code": exit_code}}))
    return exit_code


def _version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"mallard {metadata.version('mallard')}")
        ctx.exit()


@click.group(
    cls=Program,
    members=COMMANDS,
    params=[
        *global_options(hidden=False),
        click.Option(
            ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
        ),
    ],
    epilog="Example:  mallard demo",
)
@click.pass_context
def program(ctx: click.Context) -> None:
    """Tags, churn and recommendations for a mini-program mall."""
    # MLflow looks at these when it is imported; neither it nor anything else here calls home.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    # Read when OpenMP is loaded: where cores are shared, waiting threads that spin slow LightGBM down twentyfold.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")


def main() -> NoReturn:
    """Entry point of the ``mallard`` script."""
    program.main(prog_name="mallard")
