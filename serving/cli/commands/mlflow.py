"""``mallard mlflow``: MLflow's own interface over our runs."""

import click

from features.contracts.progress import say
from serving.cli.command import command, pass_session
from serving.cli.session import Session
from training.tracking.ui import serve_ui, ui_arguments


@command("mlflow", example="mallard mlflow --port 5000")
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", default=5000, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--show", is_flag=True, help="Print the equivalent mlflow command instead of running it.")
@pass_session
def mlflow(session: Session, host: str, port: int, show: bool) -> None:
    """Open MLflow's interface over the runs, pictures and registered models. Ends with Ctrl-C."""
    if show:
        arguments = ui_arguments(session.home, host, port)
        session.answer({"command": arguments}, " ".join(arguments))
        return
    say(f"MLflow answers at http://{host}:{port} until you press Ctrl-C")
    serve_ui(session.home, host, port)
