"""The HTTP face. FastAPI appears only here."""

from typing import TYPE_CHECKING

from features.contracts.faces import lazy

if TYPE_CHECKING:
    from serving.api.app import create_app
    from serving.api.logs import write_logs
    from serving.api.settings import Settings
    from serving.api.worker import app_from_environment

__all__ = [
    "Settings",
    "app_from_environment",
    "create_app",
    "write_logs",
]

__getattr__ = lazy(
    __name__,
    {
        "Settings": "serving.api.settings",
        "app_from_environment": "serving.api.worker",
        "create_app": "serving.api.app",
        "write_logs": "serving.api.logs",
    },
)
