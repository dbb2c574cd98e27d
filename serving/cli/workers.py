"""Workers that are forked from a process which has imported everything (:mod:`serving.api.preload`).

uvicorn watches them, starts them again and passes signals on, as it does with those that it spawns; only where a new
process comes from is changed. Spawned, every worker would import everything for itself, at each start.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerProcess
from socket import socket
from typing import Any, cast

from uvicorn import Config
from uvicorn.supervisors import multiprocess

_PRELOAD = "serving.api.preload"
#: Elsewhere system libraries start threads of their own, which no fork survives, and Python 3.11.0 took orders to fork
#: from every user of the machine (CVE-2022-42919): there workers are spawned.
_CAN_FORK = sys.platform == "linux" and sys.version_info >= (3, 11, 1)


def begin_loading() -> None:
    """Start the process that workers will be forked from; it imports while the caller goes on."""
    if _CAN_FORK:
        get_context("forkserver").set_forkserver_preload([_PRELOAD])
        forkserver.ensure_running()


@contextmanager
def forked_workers() -> Iterator[None]:
    """Within it, the workers of uvicorn are forked from what :func:`begin_loading` started."""
    module = cast(Any, multiprocess)
    spawned = module.get_subprocess
    module.get_subprocess = _forked if _CAN_FORK else spawned
    try:
        yield
    finally:
        module.get_subprocess = spawned


def _forked(config: Config, target: Callable[..., None], sockets: list[socket]) -> ForkServerProcess:
    # The environment of the fork server is that of the moment at which it began.
    started = (dict(os.environ), config, target, sockets)
    return get_context("forkserver").Process(target=_work, args=started)


def _work(environment: Mapping[str, str], config: Config, target: Callable[..., None], sockets: list[socket]) -> None:
    os.environ.update(environment)
    config.configure_logging()
    target(sockets=sockets)
