"""Which store an installation uses, in the one place that decides it."""

from features.contracts.home import Home
from serving.store.config import StoreConfig
from serving.store.embedded import EmbeddedStore
from serving.store.protocol import OnlineStore


def open_store(home: Home, config: StoreConfig | None = None) -> OnlineStore:
    """The online store of ``home``, created when there is none yet; without ``config`` it may grow as it needs."""
    return EmbeddedStore(home.online / "store.sqlite", max_bytes=config.max_bytes if config else None)
