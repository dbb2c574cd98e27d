"""``mallard serve``: answer over HTTP."""

import os
import socket
import sys
from contextlib import ExitStack

import click
import uvicorn

from features.contracts.config import load_config
from features.contracts.errors import InputError
from features.contracts.home import Home
from features.contracts.progress import say
from serving.api.metrics_folder import shared_between_workers
from serving.api.tracing import tracer_of
from serving.cli.command import command, pass_session
from serving.cli.session import Session
from serving.cli.workers import begin_loading, forked_workers
from serving.config import ServingConfig
from serving.refresh.beside import refreshing

_FACTORY = "serving.api.worker:app_from_environment"
#: httptools, which it is made of, is not there on Windows.
_PROTOCOL = "auto" if sys.platform == "win32" else "serving.api.wire:OneWriteProtocol"


def run_server(home: Home, host: str, port: int, workers: int = 1, *, refresh: bool = True) -> None:
    """Serve ``home`` until interrupted, and ``refresh`` tags of single users meanwhile.

    Raises :class:`InputError` when the address cannot be had, :class:`ConfigError` for a broken ``serving.yaml``,
    :class:`MissingExtraError` for traces without what sends them.
    """
    _check_free(host, port)
    config = load_config(ServingConfig, home.configs / "serving.yaml", optional=True)
    # Asked here too: workers that cannot start would be started again and again.
    tracer_of(config.tracing)
    # Workers are processes of their own: the environment is how they learn where things lie.
    os.environ["MALLARD_HOME"] = str(home.root.resolve())
    os.environ["MALLARD_CONFIGS"] = str(home.configs.resolve())
    os.environ["MALLARD_MLRUNS"] = str(home.mlruns.resolve())
    with ExitStack() as around:
        if workers > 1:
            # First: what is loaded for the workers asks where their numbers go.
            around.enter_context(shared_between_workers())
            begin_loading()
            around.enter_context(forked_workers())
        if refresh:
            around.enter_context(refreshing(home, config.refresh))
        say(f"Mallard answers at http://{host}:{port} (interactive documentation at /docs), Ctrl-C ends it")
        uvicorn.run(
            _FACTORY,
            factory=True,
            http=_PROTOCOL,
            host=host,
            port=port,
            workers=workers,
            log_level="warning",
            access_log=False,
        )


@command("serve", example="mallard serve --port 8000 --workers 2")
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", default=8000, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", default=1, type=click.IntRange(1, 64), help="Processes that answer.")
@click.option("--refresh/--no-refresh", default=True, help="Build the tags of single users anew after their events.")
@pass_session
def serve(session: Session, *, host: str, port: int, workers: int, refresh: bool) -> None:
    """Answer over HTTP with what is deployed. New deployments and snapshots are picked up while it runs.

    A process beside it keeps the tags of active users fresh and moves received events into the lake; of several
    servers on one home one does.
    """
    run_server(session.home, host, port, workers, refresh=refresh)


def _check_free(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise InputError(f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port") from error
