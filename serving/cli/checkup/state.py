"""What lies in the home: configuration, events, models, snapshot, online store."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from features.contracts.home import Home
from features.lake import Lake
from serving.api.settings import Settings
from serving.cli.checkup.finding import Finding, State, examine
from serving.erasure import Jobs
from serving.marketing import open_snapshot
from serving.store import OnlineStore, open_store
from training.bundle import read_bundle
from training.deployment import live
from training.tracking import CHAMPION, KINDS, Tracker


def configuration(home: Home) -> Iterator[Finding]:
    """The files of the server's configuration are right."""
    yield examine("configuration", lambda: f"{len(Settings.of(home).placements)} placements in {home.configs}")


def lake(home: Home) -> Iterator[Finding]:
    """There are events."""
    here = Lake(home)
    yield examine(
        "lake",
        lambda: f"{len(here.event_files()):,} files, last event at {here.last_event_at().isoformat()}",
        "run 'mallard ingest' or 'mallard sample complete-journey'",
    )


def models(home: Home) -> Iterator[Finding]:
    """A champion and a live model of every kind."""
    tracker = Tracker(home)
    for kind in KINDS:
        what = f"champion {kind}"
        champion = tracker.alias(kind, CHAMPION)
        if champion is None:
            yield Finding(what, State.TODO, "none", f"run 'mallard train {kind}', then 'mallard promote {kind}'")
        else:
            remedy = f"train again, or promote another {kind} model"
            yield examine(what, partial(_bundle, champion.path), remedy)
        path = live(home, kind)
        if path is None:
            yield Finding(f"live {kind}", State.TODO, "none", f"run 'mallard deploy {kind}'")
        else:
            remedy = f"run 'mallard deploy {kind}' or 'mallard rollback {kind}'"
            yield examine(f"live {kind}", partial(_bundle, path), remedy)


def snapshot(home: Home) -> Iterator[Finding]:
    """Churn lists have something to show."""
    yield examine("risk snapshot", lambda: f"{open_snapshot(home).info.count:,} users", "run 'mallard score'")


def store(home: Home) -> Iterator[Finding]:
    """The online store answers, and somebody may call."""
    remedy = "look at the rights and the space of the home"
    opened: list[OnlineStore] = []

    def look() -> str:
        opened.append(open_store(home))
        return f"answers, {opened[0].queue_length():,} events wait for 'mallard ingest inbox'"

    yield examine("store", look, remedy)
    for each in opened:
        records = each.keys()
        live_keys = sum(key.revoked_at is None for key in records)
        each.close()
        todo = "" if live_keys else "run 'mallard keys create NAME --scope recommend'"
        yield Finding("API keys", State.OK if live_keys else State.TODO, f"{live_keys}", todo)


def erasures(home: Home) -> Iterator[Finding]:
    """Nobody waits to be forgotten."""
    waiting = len(Jobs(home).pending())
    if waiting:
        yield Finding("erasures", State.TODO, f"{waiting} under way", "run 'mallard erase --pending'")
    else:
        yield Finding("erasures", State.OK, "none under way", "")


EXAMINATIONS = (configuration, lake, models, snapshot, store, erasures)


def _bundle(path: Path) -> str:
    return f"version {read_bundle(path).manifest.version}"
