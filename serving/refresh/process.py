"""The refresher as a process of its own: one per home, alive as long as whoever started it.

Beside the tags of active users it moves received events into the lake, and finishes erasures.
"""

import fcntl
import logging
import signal
import threading
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import IO

from features.contracts.errors import MallardError
from features.contracts.home import Home
from features.contracts.rule_files import use_rules
from features.contracts.tag_settings import use_settings
from features.lake import Lake
from serving.erasure import Jobs, erase
from serving.refresh.config import RefreshConfig
from serving.refresh.refresher import Refresher
from serving.refresh.sources import Sources
from serving.store import OnlineStore, open_store
from serving.store.drain import drain

_LOG = logging.getLogger(__name__)
_LONGEST_PAUSE = 60.0  # seconds between two tries when something is wrong
_LOOK = 0.5  # seconds within which an end is noticed


class Life:
    """Ends with a signal, or when the other end of ``lifeline`` is closed, be it by a crash."""

    def __init__(self, lifeline: Connection) -> None:
        self._lifeline = lifeline
        self.over = threading.Event()

    def rest(self, seconds: float) -> bool:
        """Pause; false as soon as it is over."""
        until = time.monotonic() + seconds
        while not self.over.is_set():
            left = until - time.monotonic()
            if self._lifeline.poll(min(_LOOK, max(0.0, left))):
                self.over.set()
            elif left <= _LOOK:
                break
        return not self.over.is_set()


def keep_fresh(home: Home, config: RefreshConfig, lifeline: Connection) -> None:
    """Refresh the tags of ``home`` until the ``lifeline`` is cut or SIGTERM comes. What goes wrong is tried again."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s refresher: %(message)s")
    life = Life(lifeline)
    signal.signal(signal.SIGTERM, lambda *_: life.over.set())
    # Ctrl-C goes to the whole group; the server decides, and its end is the end of the lifeline.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    home.online.mkdir(parents=True, exist_ok=True)
    with (home.online / "refresh.lock").open("a") as stream:
        # Of several servers on one home one refreshes; the others wait to take over from it.
        while not _locked(stream):
            if not life.rest(_LOOK):
                return
        drainer = threading.Thread(target=_drain_again_and_again, args=(home, config, life), name="drain")
        eraser = threading.Thread(target=_erase_again_and_again, args=(home, life), name="erase")
        drainer.start()
        eraser.start()
        _refresh_again_and_again(home, config, life)
        drainer.join()
        eraser.join()


def _refresh_again_and_again(home: Home, config: RefreshConfig, life: Life) -> None:
    store: OnlineStore | None = None
    sources: Sources | None = None
    refresher: Refresher | None = None
    failures, pause = 0, 0.0
    while life.rest(pause):
        try:
            if sources is None:
                # Both are read once each time they are named; a mended file is taken with the next try.
                use_rules(home.tag_rules)
                use_settings(home.configs)
                sources = Sources(home)
            store = store or open_store(home)
            refresher = refresher or Refresher(store, sources, config)
            pause = 0.0 if refresher.step(datetime.now(UTC)) else config.poll_seconds
            failures = 0
        except Exception as error:
            failures += 1
            pause = _pause_after(failures)
            _log("tags are not refreshed", error, pause)
            refresher = None
            if sources is not None:
                sources.let_go()
    if store is not None:
        store.close()


def _drain_again_and_again(home: Home, config: RefreshConfig, life: Life) -> None:
    """In a thread: a large lake takes long to look through for what it holds already."""
    store: OnlineStore | None = None
    lake = Lake(home)
    failures, pause = 0, 0.0
    while not life.over.wait(pause):
        try:
            store = store or open_store(home)
            drain(store, lake)
            failures, pause = 0, config.drain_every_seconds
        except Exception as error:
            failures += 1
            pause = _pause_after(failures)
            _log("events are not moved into the lake", error, pause)
    if store is not None:
        store.close()


def _erase_again_and_again(home: Home, life: Life) -> None:
    """Take people out of the files who were erased over HTTP; an erasure that was cut off goes on here."""
    jobs, failures, pause = Jobs(home), 0, 0.0
    while not life.over.wait(pause):
        try:
            failed = [why for erasure in jobs.pending() if (why := _failed(home, erasure)) is not None]
        except Exception as error:
            failed = [error]
        failures = failures + 1 if failed else 0
        pause = _pause_after(failures) if failed else _LOOK
        for why in failed:
            _log("an erasure is not finished", why, pause)


def _failed(home: Home, erasure: str) -> Exception | None:
    """Finish an erasure, or why that is not possible now; the others do not wait for it."""
    store: OnlineStore | None = None
    try:
        store = open_store(home)
        erase(home, store, erasure)
    except Exception as error:
        return error
    finally:
        if store is not None:
            store.close()
    return None


def _pause_after(failures: int) -> float:
    return min(_LONGEST_PAUSE, 2.0 ** min(failures, 10))


def _log(what: str, error: Exception, pause: float) -> None:
    # What Mallard raises on purpose says all; anything else needs the place.
    told = None if isinstance(error, MallardError) else error
    _LOG.error("%s, trying again in %.0f s: %s", what, pause, error, exc_info=told)


def _locked(stream: IO[str]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
