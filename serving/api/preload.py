"""The process that workers are forked from: importing this module loads what every worker needs, once for all of them.

``multiprocessing`` imports it in its fork server, a process that runs nothing else. What is loaded here is shared by
the workers until one writes to it, and a worker that is started again is ready without the imports. Nothing may be
opened here and no thread be started: a fork has neither.

On Linux the processes end with the one that started them, however it ended: no worker is left that nobody watches.
"""

import ctypes
import gc
import os
import signal
import sys
from importlib import import_module

#: ``PR_SET_PDEATHSIG`` of ``linux/prctl.h``.
_SIGNAL_OF_PARENTS_DEATH = 1
#: Sent to a whole group, or by a terminal. The server must see its workers end: what it sees that by may not end first.
_FOR_OTHERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _load() -> None:
    # Read when the libraries are loaded: one thread per worker answers, so OpenBLAS needs none of its own, and Arrow
    # has jemalloc aboard, which it does not use and which starts one.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
    # Nothing of this becomes garbage. Looking for it takes time now, and a write to every page in each worker later.
    gc.disable()
    try:
        import_module("serving.api.worker").load()
    finally:
        gc.freeze()
        gc.enable()


def _end_with_parent(by: signal.Signals) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SIGNAL_OF_PARENTS_DEATH, ctypes.c_ulong(by), 0, 0, 0)


class _Nursery:
    """This process, and what becomes of the ones that are forked from it."""

    def __init__(self) -> None:
        self._pid: int | None = os.getpid()

    def open(self) -> None:
        """Leave alone what is meant for the server and its workers, and end when the server has."""
        for each in _FOR_OTHERS:
            signal.signal(each, signal.SIG_IGN)
        _end_with_parent(signal.SIGKILL)
        os.register_at_fork(after_in_child=self._leave)

    def _leave(self) -> None:
        nursery, self._pid = self._pid, None
        if nursery is None:  # a fork of a worker, which is nobody's business here
            return
        for each in _FOR_OTHERS:
            signal.signal(each, signal.SIG_DFL)
        _end_with_parent(signal.SIGTERM)
        if os.getppid() != nursery:  # it ended before that was listened for
            os._exit(1)


_Nursery().open()
_load()
