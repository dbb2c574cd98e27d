"""Opening the MLflow store: SQLite beside the artifacts, no network, no noise."""

import logging
import os
import warnings
from pathlib import Path

from mlflow import MlflowClient

from features.contracts.errors import MallardError
from features.contracts.home import Home

#: Switches off what MLflow would send, draw or look up. It reads them when a call is made, not at import.
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}

#: These tell of every table that a new database gets.
_CHATTY_LOGGERS = ("mlflow.store.db.utils", "mlflow.tracking", "mlflow.store", "alembic")


def database(home: Home) -> Path:
    """The SQLite file of runs and registered models."""
    return home.mlruns / "mlflow.db"


def artifacts(home: Home) -> Path:
    """The folder of pictures, tables and bundles."""
    return home.mlruns / "artifacts"


def quiet_environment() -> None:
    """Keep MLflow off the network in this process and those it starts. What the caller has set stays."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


def open_store(home: Home) -> MlflowClient:
    """A client on the store of ``home``, which is created when it is not there.

    Raises :class:`MallardError` that names the database when it cannot be opened.
    """
    quiet_environment()
    for name in _CHATTY_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    file = database(home)
    uri = store_uri(home)
    try:
        artifacts(home).mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            # MLflow and SQLAlchemy deprecate against each other while the tables are mapped.
            warnings.simplefilter("ignore")
            return MlflowClient(tracking_uri=uri, registry_uri=uri)
    except Exception as error:
        raise MallardError(f"the MLflow database {file} cannot be opened: {error}") from error


def store_uri(home: Home) -> str:
    """The database as SQLAlchemy spells it."""
    return f"sqlite:///{database(home).resolve().as_posix()}"
