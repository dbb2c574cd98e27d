"""Which store an installation uses, in the one place that decides it."""

import os
from importlib import import_module

from features.contracts.errors import ConfigError
from features.contracts.home import Home
from serving.store.config import StoreConfig
from serving.store.embedded import EmbeddedStore
from serving.store.protocol import OnlineStore

#: The address of a Redis or Valkey server; every process of an installation is told the same.
ADDRESS = "MALLARD_STORE"


def open_store(home: Home, config: StoreConfig | None = None) -> OnlineStore:
    """The online store: the Redis server that ``MALLARD_STORE`` names, else the file of ``home``, made when missing.

    Without ``config`` the file may grow as it needs. Raises :class:`ConfigError` for an address that is none, or
    without the extra ``redis``.
    """
    address = os.environ.get(ADDRESS, "")
    if not address:
        return EmbeddedStore(home.online / "store.sqlite", max_bytes=config.max_bytes if config else None)
    if not address.startswith(("redis://", "rediss://", "unix://")):
        raise ConfigError(f"{ADDRESS}='{address}' is no address such as redis://localhost:6379/0")
    try:
        made: OnlineStore = import_module("serving.store.redis_store").RedisStore(address)
    except ModuleNotFoundError as error:
        raise ConfigError(f"{ADDRESS} names a Redis server; install the client: pip install mallard[redis]") from error
    return made
