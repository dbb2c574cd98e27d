"""MLflow's own interface over our store."""

import runpy
import sys

from features.contracts.errors import MallardError
from features.contracts.home import Home
from training.tracking.store import artifacts, open_store, store_uri


def ui_arguments(home: Home, host: str, port: int) -> list[str]:
    """The command line that serves the interface over the store of ``home``."""
    return [
        *("mlflow", "ui", "--backend-store-uri", store_uri(home)),
        *("--artifacts-destination", artifacts(home).resolve().as_uri()),
        *("--host", host, "--port", str(port), "--workers", "1"),
    ]


def serve_ui(home: Home, host: str, port: int) -> None:
    """Serve the interface until interrupted; for the command line, since it takes over ``sys.argv``.

    The store is created when nothing was trained yet. Raises :class:`MallardError` when the interface does not start.
    """
    open_store(home)  # also keeps the interface, a process of its own, off the network
    sys.argv = ui_arguments(home, host, port)
    try:
        runpy.run_module("mlflow", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code not in {0, None}:
            raise MallardError(
                f"MLflow's interface on {host}:{port} ended with code {end.code}; is the port taken?"
            ) from end
