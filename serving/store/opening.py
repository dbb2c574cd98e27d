"""Which store an installation uses, in the one place that decides it."""

from features.contracts.home import Home
from serving.store.embedded import EmbeddedStore
from serving.store.protocol import OnlineStore


def open_store(home: Home) -> OnlineStore:
    """The online store of ``home``, created when there is none yet."""
    return EmbeddedStore(home.online / "store.sqlite")
