"""Tags in near real time: who is due, the builds of a few users, and the fresher answer of the two."""

from serving.refresh.config import RefreshConfig
from serving.refresh.due import Due
from serving.refresh.freshest import Fresh, freshest
from serving.refresh.refresher import Refresher

__all__ = ["Due", "Fresh", "RefreshConfig", "Refresher", "freshest"]
