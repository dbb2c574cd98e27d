"""How old what is answered with is, for the metrics."""

import logging
from contextlib import suppress
from datetime import UTC, datetime

import orjson

from features.contracts import columns as c
from features.contracts.errors import MallardError, MissingStateError, StoreUnavailableError
from features.contracts.home import Home
from features.engine import TagStore
from serving.api.metrics import Metrics
from serving.erasure import Jobs
from serving.marketing.snapshot import churn_folder, latest_snapshot, read_info
from serving.store import OnlineStore
from training.deployment import live

_LOG = logging.getLogger(__name__)


def watch_freshness(home: Home, store: OnlineStore, metrics: Metrics) -> None:
    """Set the gauges of lag, freshness and erasures. What is missing has no gauge; a store that is away is counted."""
    try:
        waiting = store.queued(1)
        received = str(waiting[0].row.get(c.RECEIVED_AT) or waiting[0].row[c.OCCURRED_AT]) if waiting else None
        lag = 0.0 if received is None else (datetime.now(UTC) - datetime.fromisoformat(received)).total_seconds()
        metrics.event_lag.set(max(lag, 0.0))
    except StoreUnavailableError:
        metrics.store_errors.inc()
    metrics.erasures.set(len(Jobs(home).pending()))
    with suppress(MissingStateError):
        metrics.as_of.labels("tags").set(TagStore(home).latest().as_of.timestamp())
    newest = latest_snapshot(home)
    if newest is not None:
        # What it says of itself is enough: opening one looks through all of its files.
        as_of = read_info(churn_folder(home) / newest).as_of
        metrics.as_of.labels("snapshot").set(datetime.fromisoformat(as_of).timestamp())
    for kind in ("recommend", "churn", "value", "uplift"):
        try:
            path = live(home, kind)
            if path is not None:
                manifest = orjson.loads((path / "manifest.json").read_bytes())
                metrics.as_of.labels(kind).set(datetime.fromisoformat(manifest["as_of"]).timestamp())
        except (OSError, ValueError, KeyError, MallardError) as error:
            # The engines say more of a bundle that they refuse; here only its age is missing.
            _LOG.debug("the age of the %s model cannot be read: %s", kind, error)
