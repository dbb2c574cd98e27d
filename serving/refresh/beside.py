"""The refresher beside a server: started with it, started again when it ends early, ended with it."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from features.contracts.home import Home
from serving.refresh.config import RefreshConfig

_LOG = logging.getLogger(__name__)
_AGAIN_AFTER = 5.0  # seconds
_LOOK = 1.0  # seconds
_PATIENCE = 10.0  # seconds for a build that is under way when the server ends


@contextmanager
def refreshing(home: Home, config: RefreshConfig) -> Iterator[None]:
    """Keep the tags of ``home`` fresh by a process of its own for as long as the block lasts, or this process."""
    over = threading.Event()
    keeper = threading.Thread(target=_keep, args=(home, config, over), name="refresher", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def _keep(home: Home, config: RefreshConfig, over: threading.Event) -> None:
    while not over.is_set():
        process, lifeline = _start(home, config)
        while process.is_alive() and not over.wait(_LOOK):
            pass
        lifeline.close()
        _end(process)
        if not over.is_set():
            _LOG.error("the refresher ended (exit code %s) and is started again", process.exitcode)
            over.wait(_AGAIN_AFTER)


def _start(home: Home, config: RefreshConfig) -> tuple[SpawnProcess, Connection]:
    # Spawned: a fork would copy the server's threads and half its state. The system closes our end of the pipe
    # however this process ends, and that is how the other one learns of it.
    context = get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    process = context.Process(target=_keep_fresh, args=(home, config, theirs), name="mallard-refresher", daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _keep_fresh(home: Home, config: RefreshConfig, lifeline: Connection) -> None:
    # What it needs is imported in its own process; the server's would wait for that, and never use it.
    import_module("serving.refresh.process").keep_fresh(home, config, lifeline)


def _end(process: SpawnProcess) -> None:
    process.join(_PATIENCE)
    if process.is_alive():
        process.kill()
        process.join()
