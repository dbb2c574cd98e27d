"""The HTTP face. FastAPI appears only here."""

from typing import TYPE_CHECKING

from features.contracts.faces import lazy

if TYPE_CHECKING:
    from serving.api.app import app_from_environment, create_app
    from serving.api.settings import Settings

__all__ = [
    "Settings",
    "app_from_environment",
    "create_app",
]

__getattr__ = lazy(
    __name__,
    {
        "Settings": "serving.api.settings",
        "app_from_environment": "serving.api.app",
        "create_app": "serving.api.app",
    },
)
