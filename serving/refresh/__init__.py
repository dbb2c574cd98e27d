"""Tags in near real time: who is due, the builds of a few users, and the fresher answer of the two."""

from typing import TYPE_CHECKING

from features.contracts.faces import lazy

if TYPE_CHECKING:
    from serving.refresh.config import RefreshConfig
    from serving.refresh.due import Due
    from serving.refresh.refresher import Refresher

__all__ = [
    "Due",
    "RefreshConfig",
    "Refresher",
]

__getattr__ = lazy(
    __name__,
    {
        "Due": "serving.refresh.due",
        "RefreshConfig": "serving.refresh.config",
        "Refresher": "serving.refresh.refresher",
    },
)
